import Foundation
import Testing

/// Ctrl-C and kill leave nothing half-done.
@Suite("Interrupts")
struct InterruptTests {
  /// Starts the tool, waits until it writes, interrupts it, and returns how it ended.
  private func interrupt(
    _ arguments: [String], in scratch: Scratch, with end: (Process) -> Void
  ) throws -> (status: Int32, reason: Process.TerminationReason) {
    let process = Process()
    process.executableURL = ToolRun.products.appendingPathComponent("tracetool")
    process.arguments = arguments
    process.currentDirectoryURL = scratch.directory
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    while process.isRunning, try !scratch.names().contains(where: { $0.hasSuffix(".partial") }) {
      usleep(2000)
    }
    end(process)
    process.waitUntilExit()
    return (process.terminationStatus, process.terminationReason)
  }

  @Test(arguments: [true, false])
  func aRecordingLeavesNoFile(_ byKey: Bool) throws {
    let scratch = try Scratch()
    try scratch.file("old.ptt", Data("old".utf8))
    let result = try interrupt(
      ["record", "-q", "--events", "1000000000", "-o", "old.ptt"], in: scratch
    ) { if byKey { $0.interrupt() } else { $0.terminate() } }
    #expect(result.reason == .exit)
    #expect(result.status == 130)
    #expect(try scratch.names() == ["old.ptt"])
    #expect(try Data(contentsOf: scratch.directory.appendingPathComponent("old.ptt")).count == 3)
  }
}
