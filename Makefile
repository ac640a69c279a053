# One command for each thing. `make demo` on a fresh machine needs nothing but a Swift toolchain
# and, the first time, apt and the network.

CAPTURES ?= ../shared/captures
SWIFT ?= swift
BINARY = .build/release/tracetool

# Seconds for each target of `make fuzz`.
FUZZ_SECONDS ?= 300

.PHONY: help setup build demo test self-test sweep golden docs lint captures conformance qemu-demo \
  bench fuzz fuzz-smoke sanitize ci clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: ## install what the build needs (libzstd headers, pkg-config) if it is missing
	@.ci/setup

build: setup ## build the tool, optimised, as .build/release/tracetool
	$(SWIFT) build -c release --product tracetool

demo: build ## check two kernels' sample traces, then say what changed between them
	@.ci/demo $(BINARY)

test: setup ## build and run every test
	$(SWIFT) test

self-test: build ## break valid traces of every stage in many ways, five seeds; who notices?
	@for seed in $${SELF_TEST_SEEDS:-1 2 3 4 5}; do \
	  $(BINARY) check --self-test --seed $$seed | tail -n 1 || exit 1; \
	done

sweep: setup ## judge every stage under every workload with 50 seeds (CI takes 8)
	SWEEP_SEEDS=$${SWEEP_SEEDS:-50} $(SWIFT) test --filter StageVerdictTests

golden: setup ## rewrite the golden texts of the tests; read the diff before you commit it
	UPDATE_GOLDEN=1 $(SWIFT) test --filter tracetoolTests

docs: build ## print docs/INVARIANTS.md from the invariants' descriptions
	$(BINARY) check --list --format markdown -o docs/INVARIANTS.md

lint: ## formatting and style, strictly
	$(SWIFT) format lint --strict --recursive Package.swift Sources Tests Fuzz/Package.swift Fuzz/Sources \
	  Benchmarks/Package.swift Benchmarks/Sources

qemu-demo: build ## boot two real riscv64 kernels under QEMU, record, check and diff them (docs/LIVE.md)
	@Tools/qemu/demo

captures: build ## import and check the big live captures in CAPTURES (not part of this repository)
	@.ci/captures $(BINARY) '$(CAPTURES)'

conformance: build ## have a second reader, in Python, read what the tool writes (needs python3-zstandard)
	@Tests/conformance/check
	@Tests/conformance/run $(BINARY)

bench: build ## how fast recording, reading and checking are; PEERS=FOLDER: also against other programs
	@.ci/bench $(BINARY)

fuzz: setup ## look for inputs that break reader, recovery, codec, judge, importer; FUZZ_SECONDS each
	@Fuzz/run $(FUZZ_SECONDS) $(FUZZ_TARGETS)

fuzz-smoke: ## the same for a few seconds each, to see that the fuzzer works; its build takes minutes
	@$(MAKE) --no-print-directory fuzz FUZZ_SECONDS=5

# XCTest itself leaks a few bytes, which would make every run fail. SANITIZE_THREAD has TraceFormat
# take mutexes that the thread sanitizer sees (Parallel/SanitizedMutex.swift). Two suites run the
# tool under limits of memory and file size that no sanitizer's own memory keeps.
LIMITED = FullDiskTests|HostileSizeTests
sanitize: setup ## run every test under the address and the thread sanitizer; takes long
	ASAN_OPTIONS=detect_leaks=0 $(SWIFT) test --sanitize address --scratch-path .build-asan --skip '$(LIMITED)'
	$(SWIFT) test --sanitize thread --scratch-path .build-tsan --skip '$(LIMITED)' \
	  -Xswiftc -DSANITIZE_THREAD

ci: ## what continuous integration runs
	.ci/run

clean: ## remove what was built
	rm -rf .build .build-* Fuzz/.build
