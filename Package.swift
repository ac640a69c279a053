// swift-tools-version: 6.3

import PackageDescription

/// Every Swift target is built the same way: strict memory safety, warnings as errors, and the
/// upcoming features that make imports and existentials explicit.
let settings: [SwiftSetting] = [
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
  name: "tracetool",
  products: [
    .executable(name: "tracetool", targets: ["tracetool"]),
    .library(name: "TraceFormat", targets: ["TraceFormat"]),
    .library(name: "Replay", targets: ["Replay"]),
    .library(name: "Interop", targets: ["Interop"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    .systemLibrary(
      name: "CZstd",
      pkgConfig: "libzstd",
      providers: [.apt(["libzstd-dev"]), .brew(["zstd"])]
    ),
    .systemLibrary(
      name: "CZlib",
      pkgConfig: "zlib",
      providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]
    ),
    .target(
      name: "TraceFormat",
      dependencies: ["CZstd", .product(name: "DequeModule", package: "swift-collections")],
      swiftSettings: settings),
    .target(name: "Simulator", dependencies: ["TraceFormat"], swiftSettings: settings),
    .target(name: "Replay", dependencies: ["TraceFormat"], swiftSettings: settings),
    .target(
      name: "SelfTest", dependencies: ["TraceFormat", "Simulator", "Replay"],
      swiftSettings: settings),
    .target(
      name: "Interop",
      dependencies: ["TraceFormat", "CZstd", "CZlib", .product(name: "Yams", package: "Yams")],
      swiftSettings: settings),
    .executableTarget(
      name: "tracetool",
      dependencies: [
        "TraceFormat", "Simulator", "Replay", "SelfTest", "Interop",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: settings
    ),
    .testTarget(
      name: "TraceFormatTests", dependencies: ["TraceFormat"], exclude: ["Regressions"],
      swiftSettings: settings),
    .testTarget(
      name: "SimulatorTests", dependencies: ["Simulator", "TraceFormat", "Replay"],
      swiftSettings: settings),
    .testTarget(
      name: "SelfTestTests", dependencies: ["SelfTest", "Replay"], swiftSettings: settings),
    .testTarget(
      name: "ReplayTests", dependencies: ["Replay", "TraceFormat"], swiftSettings: settings),
    .testTarget(
      name: "OracleTests", dependencies: ["Replay", "TraceFormat"], swiftSettings: settings),
    .testTarget(
      name: "InteropTests", dependencies: ["Interop", "TraceFormat", "Replay"],
      exclude: ["Fixtures", "Regressions"], swiftSettings: settings),
    .testTarget(
      name: "tracetoolTests", dependencies: ["tracetool", "TraceFormat"], exclude: ["Golden"],
      swiftSettings: settings),
  ],
  swiftLanguageModes: [.v6]
)
