import Foundation
import Testing

@Suite("check --coverage")
struct CoverageVerbTests {
  /// Two short races, before and after the patch.
  private func traces(in scratch: Scratch) throws -> [String] {
    try ["S1.sbi", "S4"].map { stage in
      let run = try ToolRun.tool(
        [
          "record", "-q", "--stage", stage, "--workload", "reclaim-race", "--events", "3000", "-o",
          "\(stage).ptt",
        ], in: scratch.directory)
      #expect(run.status == 0, "\(run.errors)")
      return "\(stage).ptt"
    }
  }

  @Test func saysWhatWasAndWhatWasNot() throws {
    let scratch = try Scratch()
    let files = try traces(in: scratch)
    let text = try ToolRun.tool(["check", "--coverage"] + files, in: scratch.directory)
    #expect(text.status == 0, "\(text.errors)")
    try expectGolden(text.output, "coverage.txt")
    let json = try ToolRun.tool(
      ["check", "--coverage", "--format", "json"] + files, in: scratch.directory)
    let object = try JSONSerialization.jsonObject(with: json.outputBytes) as? [String: Any]
    let never = try #require(object?["never"] as? [Any])
    #expect(text.output.contains("never (\(never.count)):"))
    let strict = try ToolRun.tool(
      ["check", "--coverage", "--strict"] + files, in: scratch.directory)
    #expect(strict.status == 3)
    #expect(strict.output == text.output)
  }

  @Test func oneFileThatCannotBeRead() throws {
    let scratch = try Scratch()
    let files = try traces(in: scratch)
    let run = try ToolRun.tool(
      ["check", "--coverage", files[0], "none.ptt"], in: scratch.directory)
    #expect(run.status == 2)
    #expect(run.errorLines.count == 1)
    #expect(run.errors.contains("none.ptt"))
    #expect(run.output.contains("coverage of 1 trace,"))
  }

  @Test(arguments: [
    ["--format", "junit"], ["--only", "I13"], ["--all"], ["--cpu", "1"],
  ])
  func refusesWhatIsForJudging(_ options: [String]) throws {
    let run = try ToolRun.tool(["check", "--coverage", "none.ptt"] + options)
    #expect(run.status == 2)
    #expect(run.errors.contains("--coverage"))
  }
}
