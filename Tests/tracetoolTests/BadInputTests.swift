import Foundation
import Testing

/// Every command that reads one trace, up to the name of the file.
let readingCommands = [
  ["info"], ["dump"], ["check"], ["replay", "--at", "20"], ["diff", "small.ptt"],
]

@Suite("Bad input and bad output")
struct BadInputTests {
  /// Checks that the run ended with the one line that bad input gets.
  private func expectOneLine(_ result: ToolRun, naming file: String, _ what: String) {
    #expect(result.status == 2, "\(what): \(result.errors)")
    #expect(!result.wasSignalled, "\(what)")
    #expect(result.errorLines.count == 1, "\(what): \(result.errors)")
    #expect(result.errors.hasPrefix("tracetool: error: "), "\(what)")
    #expect(result.errors.contains(file), "\(what): \(result.errors)")
  }

  @Test(arguments: readingCommands)
  func unreadableInput(_ verb: [String]) throws {
    let scratch = try Scratch()
    _ = try scratch.smallTrace()
    let inputs = [
      "missing.ptt": nil,
      "empty.ptt": Data(),
      "prose.txt": Data("Dear reader,\nthis is no trace.\n".utf8),
      "noise.ptt": Data((0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }),
      "zeros.ptt": Data(count: 8192),
    ]
    for (name, content) in inputs.sorted(by: { $0.key < $1.key }) {
      if let content { try scratch.file(name, content) }
      let result = try ToolRun.tool(verb + [name], in: scratch.directory)
      expectOneLine(result, naming: name, "\(verb) \(name)")
      #expect(result.output.isEmpty, "\(verb) \(name)")
    }
    let directory = try ToolRun.tool(verb + [scratch.directory.path], in: scratch.directory)
    expectOneLine(directory, naming: scratch.directory.lastPathComponent, "\(verb) DIRECTORY")
    let pipe = try ToolRun.tool(verb + ["-"], input: Data(), in: scratch.directory)
    expectOneLine(pipe, naming: "-", "\(verb) -")
  }

  @Test(arguments: readingCommands)
  func lineBreaksInNamesStayOnOneLine(_ verb: [String]) throws {
    let scratch = try Scratch()
    _ = try scratch.smallTrace()
    let result = try ToolRun.tool(verb + ["no\nsuch\u{1b}[31m"], in: scratch.directory)
    expectOneLine(result, naming: "such", "\(verb)")
    #expect(!result.errors.contains("\u{1b}"))
  }

  /// A trace whose end is missing is read as far as it goes, or refused; it never traps.
  @Test(arguments: readingCommands)
  func truncatedTrace(_ verb: [String]) throws {
    let scratch = try Scratch()
    let whole = try Data(contentsOf: URL(fileURLWithPath: scratch.smallTrace()))
    for length in [1, 7, 8, 16, 40, whole.count / 2, whole.count - 1] {
      try scratch.file("cut.ptt", whole.prefix(length))
      let result = try ToolRun.tool(verb + ["cut.ptt"], in: scratch.directory)
      #expect(!result.wasSignalled, "\(verb), \(length) bytes: \(result.errors)")
      #expect((0...3).contains(result.status), "\(verb), \(length) bytes")
      if result.status == 2 {
        expectOneLine(result, naming: "cut.ptt", "\(verb), \(length) bytes")
      } else {
        #expect(result.errors.contains("cut.ptt"), "\(length) bytes: nothing is said")
      }
    }
  }

  @Test(arguments: readingCommands)
  func bitFlips(_ verb: [String]) throws {
    let scratch = try Scratch()
    let whole = try Data(contentsOf: URL(fileURLWithPath: scratch.smallTrace()))
    try scratch.file("copy.ptt", whole)
    let verb = verb.map { $0 == "small.ptt" ? "copy.ptt" : $0 }
    let reference = try ToolRun.tool(verb + ["small.ptt"], in: scratch.directory).output
    for step in 0..<24 {
      var damaged = whole
      damaged[step * whole.count / 24] ^= 1 << (step % 8)
      try scratch.file("small.ptt", damaged)
      let result = try ToolRun.tool(verb + ["small.ptt"], in: scratch.directory)
      #expect(!result.wasSignalled, "\(verb), flip \(step): \(result.errors)")
      #expect((0...3).contains(result.status), "\(verb), flip \(step)")
      if result.status == 2 { expectOneLine(result, naming: "small.ptt", "\(verb) \(step)") }
      let isTold = !result.errors.isEmpty
      #expect(isTold || result.output == reference, "\(verb), flip \(step): silently different")
    }
  }

  @Test func verifyFindsAnyDamageInABlock() throws {
    let scratch = try Scratch()
    let whole = try Data(contentsOf: URL(fileURLWithPath: scratch.smallTrace()))
    #expect(try ToolRun.tool(["info", "--verify", scratch.path("small.ptt")]).status == 0)
    var damaged = whole
    damaged[whole.count / 2] ^= 4
    try scratch.file("damaged.ptt", damaged)
    let result = try ToolRun.tool(["info", "--verify", scratch.path("damaged.ptt")])
    expectOneLine(result, naming: "damaged.ptt", "info --verify")
  }

  @Test(arguments: [
    ["info"], ["dump"], ["dump", "--format", "ndjson"], ["info", "--format", "json"],
    ["check"], ["check", "--format", "json"], ["replay", "--at", "20"],
  ])
  func fullDiskOnStandardOutput(_ command: [String]) throws {
    let scratch = try Scratch()
    let result = try ToolRun.tool(
      command + [scratch.smallTrace()], output: URL(fileURLWithPath: "/dev/full"))
    expectOneLine(result, naming: "stdout", "\(command)")
  }

  @Test func fullDiskOnHelp() throws {
    let result = try ToolRun.tool(["--help"], output: URL(fileURLWithPath: "/dev/full"))
    expectOneLine(result, naming: "stdout", "--help")
  }

  @Test func fullDiskOnRecord() throws {
    let result = try ToolRun.tool(
      ["record", "--events", "1000", "-o", "-"], output: URL(fileURLWithPath: "/dev/full"))
    expectOneLine(result, naming: "stdout: ", "record -o -")
  }

  @Test func outputDirectoryThatIsNotThere() throws {
    let scratch = try Scratch()
    let trace = try scratch.smallTrace()
    let target = scratch.path("nowhere/out")
    for command in [
      ["record", "--events", "100"], ["info", trace], ["dump", trace], ["check", trace],
      ["diff", trace, trace], ["replay", "--at", "20", trace],
    ] {
      let result = try ToolRun.tool(command + ["-o", target])
      expectOneLine(result, naming: "nowhere/out", "\(command)")
    }
    #expect(try scratch.names() == ["small.ptt"])
  }

  /// A command that fails half way leaves the file that was there, and no other.
  @Test func failureLeavesTheOldOutput() throws {
    let scratch = try Scratch()
    let whole = try Data(contentsOf: URL(fileURLWithPath: scratch.smallTrace()))
    var damaged = whole
    damaged[whole.count / 2] ^= 4
    try scratch.file("damaged.ptt", damaged)
    try scratch.file("out", Data("precious".utf8))
    let before = try scratch.names()
    let commands = [
      ["import", scratch.path("small.ptt")], ["info", "--verify", scratch.path("damaged.ptt")],
      ["dump", scratch.path("damaged.ptt")], ["dump", scratch.path("missing.ptt")],
      ["check", scratch.path("damaged.ptt")],
      ["diff", scratch.path("small.ptt"), scratch.path("damaged.ptt")],
    ]
    for command in commands {
      let result = try ToolRun.tool(command + ["-o", scratch.path("out")])
      #expect(result.status == 2, "\(command)")
      #expect(result.errorLines.count == 1, "\(command): \(result.errors)")
    }
    let after = try Data(contentsOf: URL(fileURLWithPath: scratch.path("out")))
    #expect(after == Data("precious".utf8))
    #expect(try scratch.names() == before)
  }
}
