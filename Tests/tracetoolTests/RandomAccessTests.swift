import Foundation
import Testing
import TraceFormat

/// What the index says is not wanted is not read, and the answer is the same.
@Suite("Random access")
struct RandomAccessTests {
  /// A thousand events in blocks of ten; each block has its own CPU, time and, every tenth, kind.
  private func trace(_ scratch: Scratch, clock: Clock = .nanoseconds("mono")) throws -> String {
    let path = scratch.path("long.ptt")
    let header = TraceHeader(source: "hand", producer: "a test", cpus: 4, clock: clock)
    let writer = try TraceWriter(path: path, header: header, options: .init(blockEvents: 10))
    let perEvent = clock.unitsPerSecond == nil ? UInt64(1) : 1_000_000
    for ordinal in 0..<1000 {
      try writer.append(
        Event(
          ordinal % 100 == 5 ? .tableFree : .tableInstall, time: UInt64(ordinal) * perEvent,
          cpu: UInt16(ordinal / 10 % 50), object: UInt64(ordinal % 7)))
    }
    try writer.finish()
    return path
  }

  @Test(arguments: [
    (["--ordinal", "500..509"], 1, 10), (["--ordinal", "505..514"], 2, 10),
    (["--ordinal", "990.."], 1, 10), (["--time", "0.5,0.509"], 1, 10),
    (["--time", ",0.004"], 1, 5), (["--time", "@0.9955,"], 1, 4), (["--time", "5,"], 0, 0),
    (["--cpu", "7"], 2, 20), (["--kind", "pt_free"], 10, 10),
    (["--kind", "pt_free", "--cpu", "10", "--time", "0.1,1"], 2, 2), (["--kind", "cb_end"], 0, 0),
  ])
  func onlyBlocksThatMayMatchAreRead(_ options: [String], _ blocks: Int, _ lines: Int) throws {
    let scratch = try Scratch()
    let path = try trace(scratch)
    let result = try ToolRun.tool(["dump", path, "-v"] + options)
    #expect(result.status == 0)
    #expect(result.errors.contains("read \(blocks) of 100 blocks"), "\(result.errors)")
    #expect(result.output.split(separator: "\n").count == lines)
    let piped = try ToolRun.shell(
      "cat '\(path)' | tracetool dump - " + options.joined(separator: " "))
    #expect(piped.output == result.output)
  }

  @Test func aTableIsFollowedFromTheStart() throws {
    let scratch = try Scratch()
    let path = try trace(scratch)
    let all = try ToolRun.tool(["dump", path, "--table", "0x3#0"]).output
    let late = try ToolRun.tool(["dump", path, "--table", "0x3#0", "--time", "0.9,"]).output
    #expect(!late.isEmpty && all.hasSuffix(late) && all != late)
  }

  @Test func aClockWithoutSecondsCountsTicks() throws {
    let scratch = try Scratch()
    let path = try trace(scratch, clock: Clock(name: "counter", unitsPerSecond: nil))
    let result = try ToolRun.tool(["dump", path, "-v", "--time", "20,29"])
    #expect(result.output.split(separator: "\n").count == 10)
    #expect(result.errors.contains("read 1 of 100 blocks"))
    let wrong = try ToolRun.tool(["dump", path, "--time", "1.5,2"])
    #expect(wrong.status == 2 && wrong.errorLines.count == 1)
    let backwards = try ToolRun.tool(["dump", path, "--time", "9,2"])
    #expect(backwards.status == 2 && backwards.errorLines.count == 1)
  }

  @Test func theMiddleOfALongFileIsOneBlock() throws {
    let scratch = try Scratch()
    let path = try scratch.smallTrace(events: 200_000)
    let result = try ToolRun.tool(["dump", "-v", path, "--ordinal", "100000..100009"])
    #expect(result.output.split(separator: "\n").count == 10)
    #expect(result.errors.contains("read 1 of "))
  }
}
