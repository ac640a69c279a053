// swift-tools-version: 6.3

import PackageDescription

let package = Package(
  name: "Benchmarks",
  dependencies: [.package(name: "tracetool", path: "..")],
  targets: [
    .executableTarget(
      name: "checkbench",
      dependencies: [
        .product(name: "TraceFormat", package: "tracetool"),
        .product(name: "Replay", package: "tracetool"),
      ],
      path: "Sources/checkbench"),
    .executableTarget(
      name: "formatbench",
      dependencies: [.product(name: "TraceFormat", package: "tracetool")],
      path: "Sources/formatbench"),
  ],
  swiftLanguageModes: [.v6]
)
