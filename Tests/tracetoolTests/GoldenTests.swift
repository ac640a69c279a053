import Foundation
import Testing

@Suite("Approved texts")
struct GoldenTests {
  @Test(arguments: [
    (["info"], "info.txt"), (["info", "--format", "json"], "info.json"), (["dump"], "dump.txt"),
    (["dump", "--format", "ndjson"], "dump.ndjson"),
    (["dump", "--table", "0x8a1f3#1"], "dump-life.txt"),
    (["dump", "--kind", "loss,mark"], "dump-kind.txt"),
  ])
  func printsAsApproved(_ arguments: [String], _ name: String) throws {
    let scratch = try Scratch()
    _ = try TinyTrace.write(into: scratch)
    let result = try ToolRun.tool(arguments + ["tiny.ptt"], in: scratch.directory)
    #expect(result.status == 0, "\(result.errors)")
    try expectGolden(result.output, name)
  }

  @Test func outputFileHoldsWhatStandardOutputWould() throws {
    let scratch = try Scratch()
    let trace = try TinyTrace.write(into: scratch)
    for verb in ["info", "dump"] {
      let printed = try ToolRun.tool([verb, trace])
      let written = try ToolRun.tool([verb, trace, "-o", scratch.path("out")])
      #expect(written.status == 0 && written.output.isEmpty)
      #expect(try Data(contentsOf: URL(fileURLWithPath: scratch.path("out"))) == printed.outputBytes)
    }
  }
}
