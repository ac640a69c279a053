import Foundation
import Testing

/// A command of README.md and how it has to end.
struct ReadmeCommand: CustomTestStringConvertible {
  let text: String
  let status: Int32

  var testDescription: String { text }

  /// Every command of the `sh` blocks, in order.
  static func all() throws -> [ReadmeCommand] {
    try lines(ofBlocks: "sh").filter { !$0.hasPrefix("#") }.map { line in
      let exit = line.firstMatch(of: /# exits ([0-9]+)$/).flatMap { Int32($0.1) }
      return ReadmeCommand(text: line, status: exit ?? 0)
    }
  }

  /// The lines of every block that is marked with `language`.
  static func lines(ofBlocks language: String) throws -> [String] {
    let readme = try String(
      contentsOf: ToolRun.repository.appendingPathComponent("README.md"), encoding: .utf8)
    var lines: [String] = []
    var block: Substring?
    for line in readme.split(separator: "\n") {
      if line.hasPrefix("```") {
        block = block == nil ? line.dropFirst(3) : nil
      } else if let block, block == language {
        lines.append(String(line))
      }
    }
    return lines
  }
}

@Suite("README")
struct ReadmeTests {
  /// The commands build on each other, so one test runs them all, in a folder of its own.
  /// `make` and `export` are for .ci/run: a test cannot build what it is part of.
  @Test func everyCommandWorks() throws {
    let scratch = try Scratch()
    try FileManager.default.createSymbolicLink(
      at: scratch.directory.appendingPathComponent("sample-traces"),
      withDestinationURL: ToolRun.repository.appendingPathComponent("sample-traces"))
    let commands = try ReadmeCommand.all().filter { $0.text.hasPrefix("tracetool ") }
    #expect(commands.count >= 10)
    var shown: Set<Substring> = []
    for command in commands {
      let result = try ToolRun.shell(command.text, in: scratch.directory)
      #expect(result.status == command.status, "\(command.text): \(result.errors)")
      let isSilent = result.output.isEmpty && result.errors.isEmpty
      #expect(!isSilent, "\(command.text) prints nothing")
      shown.formUnion(result.output.split(separator: "\n"))
    }
    let excerpts = try ReadmeCommand.lines(ofBlocks: "text")
    #expect(!excerpts.isEmpty)
    for line in excerpts { #expect(shown.contains(line[...]), "no command prints: \(line)") }
  }

  /// What a newcomer and a CI job type is there, and make knows it.
  @Test func makeTargetsExist() throws {
    let makefile = try String(
      contentsOf: ToolRun.repository.appendingPathComponent("Makefile"), encoding: .utf8)
    let targets = try ReadmeCommand.all().filter { $0.text.hasPrefix("make ") }
      .map { $0.text.dropFirst(5) }
    #expect(Set(targets).isSuperset(of: ["demo", "test", "build"]))
    for target in targets { #expect(makefile.contains("\n\(target):"), "make \(target)") }
  }

  @Test(arguments: ["README.md", "ARCHITECTURE.md"])
  func everyLinkedFileExists(_ text: String) throws {
    let content = try String(
      contentsOf: ToolRun.repository.appendingPathComponent(text), encoding: .utf8)
    for match in content.matches(of: /\]\(([^):#]+)\)/) {
      let target = ToolRun.repository.appendingPathComponent(String(match.1))
      #expect(FileManager.default.fileExists(atPath: target.path), "\(text): \(match.1)")
    }
  }
}
