import Foundation
import Testing

@Suite("Verdicts and exit codes")
struct VerdictTests {
  private static let runs: [([String], Int32)] = [
    (["check", "old.ptt"], 1),
    (["check", "new.ptt"], 0),
    (["check", "old.ptt", "--expect", "I09,I13,I14,I38"], 0),
    (["check", "old.ptt", "--expect", "I13"], 1),
    (["check", "old.ptt", "--skip", "I09,I13,I14,I38"], 0),
    (["check", "new.ptt", "--only", "I13"], 0),
    (["check", "new.ptt", "--expect", "I09,I13,I14,I38"], 1),
    (["check", "new.ptt", "old.ptt"], 1),
    (["check", "new.ptt", "missing.ptt"], 2),
    (["check", "new.ptt", "--bisect"], 0),
    (["check", "old.ptt", "--bisect", "-q"], 1),
    (["check", "missing.ptt", "--bisect"], 128),
    (["check", "new.ptt", "--frobnicate", "--bisect"], 128),
    (["check", "new.ptt", "--only", "I99", "--bisect"], 128),
    (["check", "new.ptt", "--only", "I25", "--skip", "I25", "--bisect"], 125),
    (["check", "new.ptt", "--kselftest"], 0),
    (["check", "old.ptt", "--kselftest"], 1),
    (["check", "old.ptt", "--kselftest", "--expect", "I09,I13,I14,I38"], 2),
    (["check", "missing.ptt", "--kselftest"], 1),
    (["check", "new.ptt", "--only", "I25", "--skip", "I25", "--kselftest"], 4),
    (["check", "missing.ptt", "--format", "junit"], 2),
    (["diff", "old.ptt", "new.ptt"], 1),
    (["diff", "old.ptt", "old.ptt"], 0),
    (["replay", "old.ptt", "--at", "100"], 0),
  ]

  /// The same workload and seed at the stage before and at the stage after the patch.
  private func pair() throws -> Scratch {
    let scratch = try Scratch()
    for (stage, name) in [("S1.sbi", "old.ptt"), ("deab5a355e52", "new.ptt")] {
      let result = try ToolRun.tool([
        "record", "-q", "--stage", stage, "--workload", "munmap-churn", "--seed", "3", "--events",
        "3000", "-o", scratch.path(name),
      ])
      guard result.status == 0 else { throw ToolFailure(result.errors) }
    }
    return scratch
  }

  @Test(arguments: runs)
  func exitCode(_ arguments: [String], _ status: Int32) throws {
    let scratch = try pair()
    let result = try ToolRun.tool(arguments, in: scratch.directory)
    #expect(result.status == status, "\(result.output)\(result.errors)")
  }

  @Test func checkAsJSONNamesTheViolated() throws {
    let scratch = try pair()
    let result = try ToolRun.tool(["check", "old.ptt", "--format", "json"], in: scratch.directory)
    let object = try JSONSerialization.jsonObject(with: result.outputBytes) as? [String: Any]
    let verdicts = try #require(object?["verdicts"] as? [[String: Any]])
    let violated = verdicts.filter { $0["verdict"] as? String == "violated" }
      .compactMap { $0["id"] as? String }
    #expect(violated == ["I09", "I13", "I14", "I38"])
    #expect(object?["stage"] as? String == "S1.sbi")
    #expect(object?["file"] as? String == "old.ptt")
  }

  @Test func diffSaysFirstWhatMoved() throws {
    let scratch = try pair()
    let result = try ToolRun.tool(["diff", "old.ptt", "new.ptt"], in: scratch.directory)
    let first = try #require(result.output.split(separator: "\n").first)
    #expect(first.hasPrefix("destructor moved: before the table was queued"))
    #expect(first.contains("after the grace period"))
  }

  /// A finding names commands that show it; they work.
  @Test func everyPlaceToLookIsThere() throws {
    let scratch = try pair()
    let result = try ToolRun.tool(["check", "old.ptt"], in: scratch.directory)
    let commands = result.output.matches(
      of: /tracetool (?:replay|dump) \S+ --(?:at|table|ordinal) \S+/
    )
    .map { String($0.output) }
    #expect(commands.count >= 6)
    for command in Set(commands).sorted() {
      let shown = try ToolRun.shell(command, in: scratch.directory)
      #expect(shown.status == 0, "\(command): \(shown.errors)")
      #expect(!shown.output.isEmpty, "\(command)")
    }
  }

  /// Every form on stdout, and nothing else; the exit code does not depend on the form.
  @Test(arguments: [
    ("text", "old.ptt: "), ("json", "{"), ("ktap", "KTAP version 1\n1..1\n"), ("junit", "<?xml "),
    ("sarif", "{"), ("markdown", "## "),
  ])
  func everyForm(_ form: String, _ start: String) throws {
    let scratch = try pair()
    let result = try ToolRun.tool(["check", "old.ptt", "--format", form], in: scratch.directory)
    #expect(result.status == 1)
    #expect(result.errors.isEmpty)
    #expect(result.output.hasPrefix(start), "\(result.output.prefix(40))")
    #expect(result.output.contains("I13"))
  }

  @Test func quietIsOneLineForEachTrace() throws {
    let scratch = try pair()
    let result = try ToolRun.tool(["check", "-q", "old.ptt", "new.ptt"], in: scratch.directory)
    let lines = result.output.split(separator: "\n")
    #expect(lines.count == 2)
    #expect(lines[0].hasPrefix("old.ptt: ") && lines[0].contains("I13 "))
    #expect(lines[1].hasPrefix("new.ptt: ") && !lines[1].contains("("))
  }

  @Test func listSaysWhatIsChecked() throws {
    let text = try ToolRun.tool(["check", "--list"])
    #expect(text.status == 0)
    #expect(text.output.contains(/I13  critical  any +✗ +✗ +✗ +✗ +✗ +B +✗ +B +✓/))
    let json = try ToolRun.tool(["check", "--list", "--format", "json"])
    let items = try #require(
      try JSONSerialization.jsonObject(with: json.outputBytes) as? [[String: Any]])
    let ids = items.compactMap { $0["id"] as? String }
    #expect(ids.count == items.count && ids.contains("I13"))
    let scratch = try Scratch()
    let arguments = ["check", "--list", "--format", "markdown", "-o", scratch.path("list.md")]
    #expect(try ToolRun.tool(arguments).status == 0)
    let committed = ToolRun.repository.appendingPathComponent("docs/INVARIANTS.md")
    #expect(
      try Data(contentsOf: URL(fileURLWithPath: scratch.path("list.md")))
        == Data(contentsOf: committed))
  }

  @Test func checkReadsAPipe() throws {
    let scratch = try pair()
    let piped = try ToolRun.shell("cat old.ptt | tracetool check -", in: scratch.directory)
    #expect(piped.status == 1)
    #expect(piped.output.contains("I13  VIOLATED"))
  }
}
