// swift-tools-version: 6.3

import PackageDescription

/// A package of its own: the tool builds without it, and everything in it is instrumented. Built
/// by `Fuzz/run`, which knows the flags.
let package = Package(
  name: "tracetool-fuzz",
  dependencies: [.package(name: "tracetool", path: "..")],
  targets: [
    .executableTarget(
      name: "fuzz",
      dependencies: [
        .product(name: "TraceFormat", package: "tracetool"),
        .product(name: "Replay", package: "tracetool"),
        .product(name: "Interop", package: "tracetool"),
      ],
      swiftSettings: [
        .strictMemorySafety(),
        .treatAllWarnings(as: .error),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        // libFuzzer brings the main function.
        .unsafeFlags(["-parse-as-library"]),
      ])
  ],
  swiftLanguageModes: [.v6]
)
