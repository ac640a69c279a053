import Foundation
import Testing

/// docs/MODELS.md is true: its commands work, and what can go wrong says where.
@Suite("Models on the command line")
struct ModelVerbTests {
  private static let models = ToolRun.repository.appendingPathComponent("Models").path

  @Test func everyCommandOfThePageWorks() throws {
    let page = try String(
      contentsOf: ToolRun.repository.appendingPathComponent("docs/MODELS.md"), encoding: .utf8)
    let blocks = page.matches(of: /(?s)```sh\n(.*?)```/).map { String($0.output.1) }
    #expect(blocks.count == 4)
    let scratch = try Scratch()
    try FileManager.default.createSymbolicLink(
      atPath: scratch.path("Models"), withDestinationPath: Self.models)
    let result = try ToolRun.shell(
      "set -e\n" + blocks.joined(separator: "\n"), in: scratch.directory)
    #expect(result.status == 0, "\(result.output)\(result.errors)")
    #expect(result.output.contains("event pt_dtor not expected in the state unlinked"))
    #expect(result.errors.isEmpty)
  }

  @Test func thePageNamesEveryShippedModel() throws {
    let page = try String(
      contentsOf: ToolRun.repository.appendingPathComponent("docs/MODELS.md"), encoding: .utf8)
    for name in try FileManager.default.contentsOfDirectory(atPath: Self.models) {
      #expect(page.contains("| `\(name)` |"), "\(name)")
    }
  }

  @Test(arguments: [
    (["--model", "none.dot"], "none.dot: no such file"),
    (["--model", "."], ".: is a directory"),
    (["--model", "bad.dot"], "bad.dot:5:24: no event is called 'pt_nothing'"),
    (["--model", "bad.txt"], "bad.txt: is no model by its name"),
    (
      ["--model", "good.ltl", "--bind", "reader"],
      "good.ltl:1:16: 'PT_CTOR' never concerns a reader"
    ),
    (
      ["--model", "good.ltl", "--model", "good.ltl"], "good.ltl: a second model of the name 'good'"
    ),
    (["--model", "good.ltl", "--expect", "other"], "other: no such invariant"),
  ])
  func errorsSayWhere(_ arguments: [String], _ message: String) throws {
    let scratch = try Scratch()
    _ = try scratch.smallTrace()
    try scratch.file(
      "bad.dot",
      Data(
        """
        digraph state_automaton {
        	{node [shape = circle] "a"};
        	{node [shape = plaintext] "__init_a"};
        	"__init_a" -> "a";
        	"a" -> "a" [ label = "pt_nothing" ];
        }
        """.utf8))
    try scratch.file("bad.txt", Data("RULE = PT_CTOR\n".utf8))
    try scratch.file("good.ltl", Data("RULE = always (PT_CTOR imply eventually PT_DTOR)\n".utf8))
    let result = try ToolRun.tool(["check", "small.ptt"] + arguments, in: scratch.directory)
    #expect(result.status == 2)
    #expect(result.errors.contains("error: \(message)"), "\(result.errors)")
    #expect(result.errorLines.count == 1 && result.output.isEmpty)
  }

  @Test(arguments: [
    ["--bind", "table"], ["--model", "m.ltl", "--bind", "page"], ["--define", "x"],
  ])
  func usageErrorsExitTwo(_ arguments: [String]) throws {
    #expect(try ToolRun.tool(["check", "x.ptt"] + arguments).status == 2)
  }

  /// A model is one verdict among the others, in text, JSON and exit code.
  @Test func verdictsOfModelsCount() throws {
    let scratch = try Scratch()
    _ = try scratch.smallTrace()
    let model = ["--model", Self.models + "/pt_s3.dot"]
    func status(_ arguments: [String]) throws -> Int32 {
      try ToolRun.tool(["check", "small.ptt"] + model + arguments, in: scratch.directory).status
    }
    #expect(try status(["--only", "pt_s3"]) == 1)
    #expect(try status(["--expect", "I09,I13,I14,I38,pt_s3"]) == 0)
    #expect(try status(["--expect", "I09,I13,I14,I38"]) == 1)
    #expect(try status(["--only", "pt_s3", "--ordinal", "0..20"]) == 0)
    let result = try ToolRun.tool(
      ["check", "small.ptt", "--format", "json", "--only", "pt_s3"] + model, in: scratch.directory)
    let object = try JSONSerialization.jsonObject(with: result.outputBytes) as? [String: Any]
    let verdicts = try #require(object?["verdicts"] as? [[String: Any]])
    #expect(verdicts.count == 1 && verdicts[0]["id"] as? String == "pt_s3")
    let findings = try #require(object?["findings"] as? [[String: Any]])
    #expect(findings[0]["cause"] as? String == "event pt_dtor not expected in the state unlinked")
  }
}
