import Foundation
import Testing

@Suite("-j")
struct JobOptionTests {
  /// Files and texts are the same with any number of threads.
  @Test func nothingThatComesOutDependsOnIt() throws {
    let scratch = try Scratch()
    func run(_ line: String, _ status: Int32 = 0) throws -> ToolRun {
      let result = try ToolRun.tool(
        line.split(separator: " ").map(String.init), in: scratch.directory)
      #expect(result.status == status, "\(line): \(result.errors)")
      return result
    }
    func bytes(_ name: String) throws -> Data {
      try Data(contentsOf: URL(fileURLWithPath: scratch.path(name)))
    }
    // Snapshots end blocks, so that there are many.
    let record = "record -q --stage S1.sbi --events 9000 --snapshot-every 1000"
    _ = try run("\(record) -o a.ptt")
    for jobs in [2, 5, 0] {
      _ = try run("\(record) -j \(jobs) -o b.ptt")
      #expect(try bytes("a.ptt") == bytes("b.ptt"), "-j \(jobs)")
      for verb in ["dump a.ptt", "info --verify a.ptt", "export --format csv a.ptt"] {
        let (alone, both) = (try run(verb), try run("\(verb) -j \(jobs)"))
        #expect(alone.output == both.output, "\(verb) -j \(jobs)")
      }
    }
    for verb in ["slice a.ptt --ordinal 2500..7400", "merge a.ptt b.ptt --order given"] {
      _ = try run("\(verb) -q --snapshot-every 500 -o one.ptt")
      _ = try run("\(verb) -q --snapshot-every 500 -j 3 -o two.ptt")
      #expect(try bytes("one.ptt") == bytes("two.ptt"), "\(verb)")
    }
    var damaged = try bytes("a.ptt")
    damaged[damaged.count / 2] ^= 1
    try damaged.write(to: URL(fileURLWithPath: scratch.path("bad.ptt")))
    let (alone, both) = (try run("dump bad.ptt", 2), try run("dump -j 4 bad.ptt", 2))
    #expect(alone.output == both.output && alone.errors == both.errors)
    #expect(!alone.output.isEmpty)
    _ = try run("recover -q bad.ptt -o one.ptt", 3)
    _ = try run("recover -q bad.ptt -j 3 -o two.ptt", 3)
    #expect(try bytes("one.ptt") == bytes("two.ptt"))
  }

  /// Verdicts are the same with any number of threads, of a part of a trace as of the whole.
  @Test(arguments: [
    "check a.ptt --all --format json", "check a.ptt --all --ordinal 2500..7400",
    "check a.ptt --only I13 --time 0,1", "check --coverage a.ptt", "fingerprint a.ptt",
    "diff a.ptt b.ptt", "replay a.ptt --at 6400",
  ])
  func noVerdictDependsOnIt(_ line: String) throws {
    let scratch = try Scratch()
    func run(_ line: String) throws -> ToolRun {
      try ToolRun.tool(line.split(separator: " ").map(String.init), in: scratch.directory)
    }
    for (name, stage) in [("a.ptt", "S1.sbi"), ("b.ptt", "S3.sbi")] {
      _ = try run("record -q --stage \(stage) --events 9000 --snapshot-every 1000 -o \(name)")
    }
    let alone = try run(line)
    #expect(!alone.output.isEmpty && alone.status != 2, "\(alone.errors)")
    for jobs in [2, 5] {
      let both = try run("\(line) -j \(jobs)")
      #expect(both.output == alone.output, "-j \(jobs)")
      #expect(both.status == alone.status && both.errors == alone.errors)
    }
  }

  @Test(arguments: ["-1", "65", "x", ""])
  func othersAreRefused(_ jobs: String) throws {
    let scratch = try Scratch()
    let result = try ToolRun.tool(
      ["record", "-q", "--jobs=" + jobs, "-o", "a.ptt"], in: scratch.directory)
    #expect(result.status == 2)
    #expect(try scratch.names().isEmpty)
  }
}
