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
    // How small the file is is the codec's business.
    let text = result.output
      .replacing(/[0-9]+ bytes,/, with: "N bytes,")
      .replacing(/[0-9.]+ bytes per/, with: "N bytes per")
      .replacing(/"bytes": [0-9]+/, with: "\"bytes\": 0")
      .replacing(/"bytesPerEvent": [0-9.]+/, with: "\"bytesPerEvent\": 0")
    try expectGolden(text, name)
  }

  @Test func columnsAddUpToTheFile() throws {
    let scratch = try Scratch()
    let trace = try TinyTrace.write(into: scratch)
    let printed = try ToolRun.tool(["info", "--columns", "--format", "json", trace])
    let info = try #require(
      try JSONSerialization.jsonObject(with: printed.outputBytes) as? [String: Any])
    let columns = try #require(info["columns"] as? [[String: Any]])
    #expect(columns.compactMap { $0["bytes"] as? Int }.reduce(0, +) == info["bytes"] as? Int)
    #expect(columns.contains { $0["name"] as? String == "time" })
    let text = try ToolRun.tool(["info", "--columns", trace]).output
    #expect(text.contains("\ncolumn ") && text.contains("\naround "))
    #expect(!(try ToolRun.tool(["info", trace]).output.contains("\ncolumn ")))
  }

  @Test func outputFileHoldsWhatStandardOutputWould() throws {
    let scratch = try Scratch()
    let trace = try TinyTrace.write(into: scratch)
    for verb in ["info", "dump"] {
      let printed = try ToolRun.tool([verb, trace])
      let written = try ToolRun.tool([verb, trace, "-o", scratch.path("out")])
      #expect(written.status == 0 && written.output.isEmpty)
      let file = try Data(contentsOf: URL(fileURLWithPath: scratch.path("out")))
      #expect(file == printed.outputBytes)
    }
  }
}
