import Foundation
import Glibc
import Testing

/// SIGKILL at some instant: what the tool had handed to the system is a trace.
@Suite("Crashes")
struct CrashTests {
  /// Events from one flush to the next.
  private static let interval = 500

  /// Starts the tool, kills it `delay` microseconds after its unfinished file has appeared, and
  /// returns the name of that file; nil if the tool was faster.
  private func crash(
    _ arguments: [String], after delay: UInt32, in scratch: Scratch
  ) throws -> String? {
    let process = try ToolRun.start(arguments, in: scratch)
    usleep(delay)
    _ = kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    return try scratch.names().first { $0.hasSuffix(".partial") }
  }

  /// Compares what every verb makes of the unfinished file with `whole`, the lines of all events.
  /// Returns the number of its events.
  private func expectPrefix(
    _ partial: String, of whole: [Substring], in scratch: Scratch
  ) throws -> Int {
    let directory = scratch.directory
    let dump = try ToolRun.tool(["dump", partial], in: directory)
    // Killed inside a write, it ends in a damaged block; before the first, it is empty.
    #expect(dump.status == 0 || dump.status == 2)
    #expect(dump.errorLines.count == 1, "\(dump.errors)")
    let lines = dump.output.split(separator: "\n")
    #expect(lines.elementsEqual(whole.prefix(lines.count)))
    #expect(lines.count % Self.interval == 0, "\(lines.count)")
    let verified = try ToolRun.tool(["info", "--verify", partial], in: directory)
    #expect(verified.status == 2 && verified.errorLines.count == 1, "\(verified.errors)")
    guard dump.status == 0 else { return lines.count }
    let recovery = try ToolRun.tool(["recover", partial, "-o", "saved.ptt"], in: directory)
    #expect(recovery.status == 0, "\(recovery.errors)")
    #expect(recovery.errors.contains("kept \(lines.count) events"), "\(recovery.errors)")
    let saved = try ToolRun.tool(["dump", "saved.ptt"], in: directory)
    #expect(saved.errors.isEmpty && saved.output == dump.output)
    return lines.count
  }

  @Test func aKilledRecordingIsReadableUpToItsLastBlock() throws {
    let arguments = [
      "record", "-q", "--stage", "S4", "--workload", "fork-exit", "--seed", "9",
      "--snapshot-every", String(Self.interval), "--events",
    ]
    let reference = try Scratch()
    let made = try ToolRun.tool(arguments + ["40000", "-o", reference.path("whole.ptt")])
    #expect(made.status == 0, "\(made.errors)")
    let whole = try ToolRun.tool(["dump", reference.path("whole.ptt")]).output
      .split(separator: "\n")
    var events = 0
    for delay: UInt32 in [0, 61_000, 180_000, 390_000] {
      let scratch = try Scratch()
      try scratch.file("a.ptt", Data("old".utf8))
      let partial = try #require(
        try crash(
          arguments + ["100000000", "-o", "a.ptt"], after: delay, in: scratch))
      events += try expectPrefix(partial, of: whole, in: scratch)
      let check = try ToolRun.tool(["check", "-q", partial], in: scratch.directory)
      #expect(check.status != 1, "\(check.output)")
      #expect(try Data(contentsOf: scratch.directory.appendingPathComponent("a.ptt")).count == 3)
    }
    #expect(events > 0)
  }

  @Test func aKilledImportIsReadableUpToItsLastBlock() throws {
    let capture = ToolRun.repository
      .appendingPathComponent("sample-traces/captures/6.12-amd64-small-collapse").path
    let arguments = ["import", "-q", capture, "--snapshot-every", String(Self.interval), "-o"]
    let reference = try Scratch()
    let made = try ToolRun.tool(arguments + [reference.path("whole.ptt")])
    #expect(made.status == 0, "\(made.errors)")
    let whole = try ToolRun.tool(["dump", reference.path("whole.ptt")]).output
      .split(separator: "\n")
    for delay: UInt32 in [0, 24_000, 170_000] {
      let scratch = try Scratch()
      guard let partial = try crash(arguments + ["a.ptt"], after: delay, in: scratch) else {
        continue
      }
      _ = try expectPrefix(partial, of: whole, in: scratch)
      #expect(try !scratch.names().contains("a.ptt"))
    }
  }
}
