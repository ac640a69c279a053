import Foundation

/// One run of the real executable: what it printed and how it ended.
struct ToolRun {
  let status: Int32
  let wasSignalled: Bool
  let outputBytes: Data
  let errorBytes: Data

  var output: String { String(decoding: outputBytes, as: UTF8.self) }
  var errors: String { String(decoding: errorBytes, as: UTF8.self) }
  var errorLines: [Substring] { errors.split(separator: "\n") }

  /// The folder the test bundle and the executable were built into.
  static let products = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    .deletingLastPathComponent()

  /// The repository.
  static let repository = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// Runs `tracetool` with these arguments.
  static func tool(
    _ arguments: [String], input: Data? = nil, output: URL? = nil, in directory: URL? = nil
  ) throws -> ToolRun {
    try run(
      products.appendingPathComponent("tracetool"), arguments, input: input, output: output,
      in: directory)
  }

  /// Runs a shell command that finds `tracetool` in its path.
  static func shell(_ command: String, in directory: URL? = nil) throws -> ToolRun {
    try run(URL(fileURLWithPath: "/bin/bash"), ["-c", command], in: directory)
  }

  /// Starts `tracetool` and returns once its unfinished output has appeared in `scratch`, or it has
  /// ended.
  static func start(
    _ arguments: [String], input: Pipe? = nil, in scratch: Scratch
  ) throws -> Process {
    let process = Process()
    process.executableURL = products.appendingPathComponent("tracetool")
    process.arguments = arguments
    process.currentDirectoryURL = scratch.directory
    if let input { process.standardInput = input }
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    while process.isRunning, try !scratch.names().contains(where: { $0.hasSuffix(".partial") }) {
      Thread.sleep(forTimeInterval: 0.001)
    }
    return process
  }

  private static func run(
    _ executable: URL, _ arguments: [String], input: Data? = nil, output: URL? = nil,
    in directory: URL?
  ) throws -> ToolRun {
    let scratch = try Scratch()
    // Files, not pipes: nobody has to empty them while the tool runs.
    let outputFile = try output ?? scratch.file("stdout", Data())
    let errorFile = try scratch.file("stderr", Data())
    let inputFile = try scratch.file("stdin", input ?? Data())

    let process = Process()
    process.executableURL = executable
    process.arguments = arguments
    process.currentDirectoryURL = directory ?? scratch.directory
    var environment = ProcessInfo.processInfo.environment
    environment["PATH"] = products.path + ":" + (environment["PATH"] ?? "/usr/bin:/bin")
    environment["TMPDIR"] = scratch.directory.path
    process.environment = environment
    process.standardInput = try FileHandle(forReadingFrom: inputFile)
    process.standardOutput = try FileHandle(forWritingTo: outputFile)
    process.standardError = try FileHandle(forWritingTo: errorFile)
    try process.run()
    process.waitUntilExit()

    return ToolRun(
      status: process.terminationStatus,
      wasSignalled: process.terminationReason == .uncaughtSignal,
      outputBytes: output == nil ? try Data(contentsOf: outputFile) : Data(),
      errorBytes: try Data(contentsOf: errorFile))
  }
}

/// A directory that is gone when the test is over.
final class Scratch {
  let directory: URL

  init() throws {
    directory = FileManager.default.temporaryDirectory
      .appendingPathComponent("tracetool-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: directory) }

  /// The path of something in the directory.
  func path(_ name: String) -> String { directory.appendingPathComponent(name).path }

  /// Makes a file.
  @discardableResult
  func file(_ name: String, _ content: Data) throws -> URL {
    let url = directory.appendingPathComponent(name)
    try content.write(to: url)
    return url
  }

  /// Makes a small trace, the same one every time, and returns its path.
  func smallTrace(_ name: String = "small.ptt", events: Int = 400) throws -> String {
    let result = try ToolRun.tool([
      "record", "-q", "--stage", "S1.sbi", "--workload", "munmap-churn", "--cpus", "2", "--seed",
      "1", "--events", String(events), "-o", path(name),
    ])
    guard result.status == 0 else { throw ToolFailure(result.errors) }
    return path(name)
  }

  /// The names of the files in the directory.
  func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted()
  }
}

/// A run that had to succeed and did not.
struct ToolFailure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
