import Foundation
import Testing

/// Ctrl-C and kill leave nothing half-done behind.
@Suite("Interrupts")
struct InterruptTests {
  /// Starts the tool, waits until it writes, interrupts it, and returns how it ended.
  private func interrupt(
    _ arguments: [String], input: Pipe? = nil, in scratch: Scratch, with end: (Process) -> Void
  ) throws -> (status: Int32, reason: Process.TerminationReason) {
    let process = try ToolRun.start(arguments, input: input, in: scratch)
    end(process)
    process.waitUntilExit()
    return (process.terminationStatus, process.terminationReason)
  }

  /// As with any recorder, what was recorded until then is a trace.
  @Test(arguments: [true, false])
  func aRecordingEndsThere(_ byKey: Bool) throws {
    let scratch = try Scratch()
    try scratch.file("old.ptt", Data("old".utf8))
    let result = try interrupt(
      ["record", "-q", "--events", "1000000000", "-o", "old.ptt"], in: scratch
    ) { if byKey { $0.interrupt() } else { $0.terminate() } }
    #expect(result.reason == .exit)
    #expect(result.status == 130)
    #expect(try scratch.names() == ["old.ptt"])
    let info = try ToolRun.tool(["info", "--verify", "old.ptt"], in: scratch.directory)
    #expect(info.status == 0, "\(info.errors)")
    #expect(info.output.contains("the recording was interrupted after "))
    let check = try ToolRun.tool(["check", "-q", "old.ptt"], in: scratch.directory)
    #expect(check.status == 0 || check.status == 3, "\(check.output)")
  }

  /// Half of what was to be made of other traces is no trace.
  @Test func otherVerbsLeaveNoFile() throws {
    let scratch = try Scratch()
    try scratch.file("old.ptt", Data("old".utf8))
    let trace = URL(fileURLWithPath: try scratch.smallTrace())
    let pipe = Pipe()
    try pipe.fileHandleForWriting.write(
      contentsOf: Data(contentsOf: trace).prefix(4000))
    let result = try interrupt(
      ["merge", "-q", "small.ptt", "-", "--order", "given", "-o", "old.ptt"], input: pipe,
      in: scratch
    ) { $0.interrupt() }
    #expect(result.reason == .exit)
    #expect(result.status == 130)
    #expect(try scratch.names() == ["old.ptt", "small.ptt"])
    #expect(try Data(contentsOf: scratch.directory.appendingPathComponent("old.ptt")).count == 3)
  }
}
