# One command for each thing. `make demo` on a fresh machine needs nothing but a Swift toolchain
# and, the first time, apt and the network.

CAPTURES ?= ../shared/captures
SWIFT ?= swift
BINARY = .build/release/tracetool

.PHONY: help setup build demo test golden docs lint captures bench ci clean

help: ## show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: ## install what the build needs (libzstd headers, pkg-config) if it is missing
	@.ci/setup

build: setup ## build the tool, optimised, as .build/release/tracetool
	$(SWIFT) build -c release --product tracetool

demo: build ## check two kernels' sample traces, then say what changed between them
	@.ci/demo $(BINARY)

test: setup ## build and run every test
	$(SWIFT) test

golden: setup ## rewrite the golden texts of the tests; read the diff before you commit it
	UPDATE_GOLDEN=1 $(SWIFT) test --filter tracetoolTests

docs: build ## print docs/INVARIANTS.md from the invariants' descriptions
	$(BINARY) check --list --format markdown -o docs/INVARIANTS.md

lint: ## formatting and style, strictly
	$(SWIFT) format lint --strict --recursive Package.swift Sources Tests

captures: build ## import and check the big live captures in CAPTURES (not part of this repository)
	@.ci/captures $(BINARY) '$(CAPTURES)'

bench: build ## how fast recording, reading and checking are on this machine
	@.ci/bench $(BINARY)

ci: ## what continuous integration runs
	.ci/run

clean: ## remove what was built
	rm -rf .build
