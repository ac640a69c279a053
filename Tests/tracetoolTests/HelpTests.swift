import Foundation
import Testing

/// Every verb of the tool, as its own help lists them.
func listedVerbs() throws -> [String] {
  let help = try ToolRun.tool(["--help"])
  guard let start = help.output.range(of: "SUBCOMMANDS:\n") else { return [] }
  return help.output[start.upperBound...].split(separator: "\n", omittingEmptySubsequences: false)
    .prefix { !$0.isEmpty }
    .filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") }
    .compactMap { $0.split(separator: " ").first.map(String.init) }
}

@Suite("Help and usage")
struct HelpTests {
  private static let verbs = [
    "record", "import", "check", "diff", "replay", "info", "dump", "recover", "slice",
    "merge", "export",
  ]

  @Test func everyVerbHasAnExample() throws {
    let verbs = try listedVerbs()
    #expect(Set(verbs).isSuperset(of: Self.verbs))
    for verb in verbs {
      for arguments in [[verb, "--help"], ["help", verb], [verb, "-h"]] {
        let help = try ToolRun.tool(arguments)
        #expect(help.status == 0, "\(arguments)")
        #expect(help.errors.isEmpty, "\(arguments)")
        #expect(help.output.contains("EXAMPLES:\n  tracetool \(verb) "), "\(arguments)")
      }
    }
  }

  @Test func versionIsOneLine() throws {
    let result = try ToolRun.tool(["--version"])
    #expect(result.status == 0)
    #expect(result.output.wholeMatch(of: /[0-9]+\.[0-9]+\.[0-9]+\n/) != nil)
  }

  @Test func noArgumentsPrintsHelp() throws {
    let result = try ToolRun.tool([])
    #expect(result.status == 0)
    #expect(result.output.contains("SUBCOMMANDS:"))
  }

  @Test(arguments: [
    ["frobnicate"],
    ["--frobnicate"],
    ["info"],
    ["info", "a.ptt", "b.ptt"],
    ["info", "a.ptt", "--format", "xml"],
    ["info", "a.ptt", "-q", "-v"],
    ["dump", "a.ptt", "--ordinal", "9..3"],
    ["dump", "a.ptt", "--ordinal", "-3"],
    ["dump", "a.ptt", "--kind", "pt_nonsense"],
    ["dump", "a.ptt", "--table", "xyz"],
    ["dump", "a.ptt", "--cpu", "70000"],
    ["dump", "a.ptt", "--time", "5"],
    ["dump", "a.ptt", "--time", "a,b"],
    ["dump", "a.ptt", "--time=-1,2"],
    ["check"],
    ["check", "a.ptt", "--format", "xml"],
    ["check", "a.ptt", "--format", "markdown"],
    ["check", "a.ptt", "--list"],
    ["check", "a.ptt", "--only", ""],
    ["check", "a.ptt", "--max-findings", "-1"],
    ["diff", "a.ptt"],
    ["diff", "-", "-"],
    ["replay", "a.ptt"],
    ["replay", "a.ptt", "--at", "yesterday"],
    ["replay", "a.ptt", "--at", "3", "--table", "0x1"],
    ["record"],
    ["record", "-o", "x.ptt", "--stage", "S99"],
    ["record", "-o", "x.ptt", "--workload", "nothing"],
    ["record", "-o", "x.ptt", "--cpus", "0"],
    ["record", "-o", "x.ptt", "--cpus", "many"],
    ["record", "-o", "x.ptt", "--mode", "sv99"],
    ["import"],
    ["import", "trace.txt"],
    ["import", "-o", "x.ptt"],
    ["recover"],
    ["recover", "a.ptt"],
    ["slice", "a.ptt", "-o", "x.ptt"],
    ["slice", "a.ptt", "--ordinal", "1..2", "--time", "1,2", "-o", "x.ptt"],
    ["slice", "a.ptt", "--ordinal", "1..2"],
    ["merge", "a.ptt", "-o", "x.ptt"],
    ["merge", "a.ptt", "b.ptt"],
    ["merge", "-", "-", "-o", "x.ptt"],
    ["merge", "a.ptt", "b.ptt", "--order", "size", "-o", "x.ptt"],
  ])
  func usageErrorIsOneLineAndExit2(_ arguments: [String]) throws {
    let scratch = try Scratch()
    let result = try ToolRun.tool(arguments, in: scratch.directory)
    #expect(result.status == 2)
    #expect(!result.wasSignalled)
    #expect(result.output.isEmpty)
    #expect(result.errorLines.count == 1, "\(result.errors)")
    #expect(result.errors.hasPrefix("tracetool: error: "))
    #expect(result.errors.contains("--help"), "\(result.errors)")
    #expect(try scratch.names().isEmpty)
  }
}
