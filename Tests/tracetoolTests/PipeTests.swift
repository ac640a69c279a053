import Foundation
import Testing

@Suite("Pipes and determinism")
struct PipeTests {
  @Test func recordIntoInfoThroughAPipe() throws {
    let scratch = try Scratch()
    let trace = try scratch.smallTrace()
    let piped = try ToolRun.shell(
      """
      set -o pipefail; tracetool record -q --stage S1.sbi --workload munmap-churn --cpus 2 \
      --seed 1 --events 400 -o - | tracetool dump -
      """)
    #expect(piped.status == 0, "\(piped.errors)")
    #expect(piped.output == (try ToolRun.tool(["dump", trace]).output))
    #expect(!piped.output.isEmpty)
  }

  @Test func aReaderThatLeavesEndsQuietly() throws {
    let scratch = try Scratch()
    let trace = try scratch.smallTrace(events: 20_000)
    let result = try ToolRun.shell("tracetool dump '\(trace)' | head -n 1")
    #expect(result.status == 0)
    #expect(result.output.split(separator: "\n").count == 1)
    #expect(result.errors.isEmpty)
  }

  /// As any program that never heard of SIGPIPE, whether or not it was told to ignore it.
  @Test(arguments: ["", "trap '' PIPE; "])
  func everyVerbLeavesWithItsReader(_ before: String) throws {
    let scratch = try Scratch()
    _ = try scratch.smallTrace("a.ptt", events: 60_000)
    for verb in [
      "dump a.ptt", "dump a.ptt --format ndjson", "export a.ptt --format csv",
      "record --events 100000000 -o -", "slice a.ptt --ordinal 0.. --codec none -o -",
      "merge a.ptt a.ptt --codec none -o -", "recover a.ptt --codec none -o -",
    ] {
      let result = try ToolRun.shell(
        "\(before)tracetool \(verb) -q | head -c 10 > /dev/null; echo ${PIPESTATUS[0]}",
        in: scratch.directory)
      #expect(result.output == "141\n", "\(verb)")
      #expect(result.errors.isEmpty, "\(verb): \(result.errors)")
      #expect(try scratch.names() == ["a.ptt"])
    }
  }

  @Test func sameArgumentsGiveTheSameBytes() throws {
    let scratch = try Scratch()
    let one = try Data(contentsOf: URL(fileURLWithPath: scratch.smallTrace("one.ptt")))
    let two = try Data(contentsOf: URL(fileURLWithPath: scratch.smallTrace("two.ptt")))
    #expect(!one.isEmpty)
    #expect(one == two)
    let printed = try ToolRun.tool(["info", "--format", "json", scratch.path("one.ptt")])
    for _ in 0..<3 {
      let again = try ToolRun.tool(["info", "--format", "json", scratch.path("one.ptt")])
      #expect(again.output == printed.output)
    }
  }

  @Test func anotherSeedGivesOtherBytes() throws {
    let scratch = try Scratch()
    for seed in ["1", "2"] {
      let result = try ToolRun.tool([
        "record", "-q", "--events", "400", "--seed", seed, "-o", scratch.path("\(seed).ptt"),
      ])
      #expect(result.status == 0, "\(result.errors)")
    }
    let one = try Data(contentsOf: URL(fileURLWithPath: scratch.path("1.ptt")))
    let two = try Data(contentsOf: URL(fileURLWithPath: scratch.path("2.ptt")))
    #expect(one != two)
  }

  @Test func recordSaysOneLineUnlessQuiet() throws {
    let scratch = try Scratch()
    let arguments = ["record", "--events", "100", "-o", scratch.path("a.ptt")]
    #expect(try ToolRun.tool(arguments).errorLines.count == 1)
    #expect(try ToolRun.tool(arguments + ["-q"]).errors.isEmpty)
  }

  @Test func filtersOfDump() throws {
    let scratch = try Scratch()
    let trace = try scratch.smallTrace()
    let lines = try ToolRun.tool(["dump", trace]).output.split(separator: "\n")
    let some = try ToolRun.tool(["dump", trace, "--ordinal", "10..19"]).output
    #expect(some.split(separator: "\n") == Array(lines[10...19]))
    let frees = try ToolRun.tool(["dump", trace, "--kind", "pt_free,pt_dtor"]).output
    #expect(
      frees.split(separator: "\n")
        == lines.filter { $0.contains(" pt_free: ") || $0.contains(" pt_dtor: ") })
    let table = try #require(lines.first { $0.contains(" pt_free: ") }?.firstMatch(of: /pfn=(\S+)/))
    let life = try ToolRun.tool(["dump", trace, "--table", String(table.1)]).output
    let own = lines.filter { $0.contains("pfn=\(table.1) ") }
    #expect(own.count > 1)
    for line in own { #expect(life.contains(line)) }
  }

  @Test func everyLineOfNDJSONIsAnObject() throws {
    let scratch = try Scratch()
    let result = try ToolRun.tool(["dump", "--format", "ndjson", scratch.smallTrace()])
    let lines = result.output.split(separator: "\n")
    #expect(lines.count >= 400)
    for (ordinal, line) in lines.enumerated() {
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      #expect(object?["ordinal"] as? Int == ordinal)
      #expect(object?["event"] is String)
    }
  }
}
