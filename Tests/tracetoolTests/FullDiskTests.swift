import Foundation
import Testing

/// Whatever cannot be written is one line and exit code 2; what was there stays, and nothing else.
@Suite("Full disks")
struct FullDiskTests {
  /// Every verb that writes, for two traces `a.ptt` and `b.ptt`, a damaged one `bad.ptt`, and a
  /// capture, all but the place to write to.
  static let verbs = [
    "record --events 2000", "import {capture}", "import --follow - < {text}",
    "slice a.ptt --ordinal 100..", "merge --order given a.ptt b.ptt", "recover bad.ptt",
    "export a.ptt --format csv", "export a.ptt --format ndjson", "dump a.ptt",
    "dump a.ptt --format ndjson --header", "info a.ptt", "check a.ptt", "check a.ptt --format json",
    "check a.ptt --coverage", "check --list", "diff a.ptt b.ptt", "fingerprint a.ptt",
    "replay a.ptt --at 5", "record --list-stages",
  ]

  private static func shell(_ command: String, in scratch: Scratch) throws -> ToolRun {
    let captures = ToolRun.repository.appendingPathComponent("sample-traces/captures").path
    return try ToolRun.shell(
      command
        .replacingOccurrences(of: "{capture}", with: "'\(captures)/6.12-amd64-small-collapse'")
        .replacingOccurrences(of: "{text}", with: "text.txt"),
      in: scratch.directory)
  }

  private static func scratch() throws -> Scratch {
    let scratch = try Scratch()
    let trace = try scratch.smallTrace("a.ptt")
    try scratch.file("b.ptt", Data(contentsOf: URL(fileURLWithPath: trace)))
    var bytes = try Data(contentsOf: URL(fileURLWithPath: trace))
    bytes[bytes.count / 2] ^= 4
    try scratch.file("bad.ptt", bytes)
    let line =
      "  ptwork-164     [000] .....    12.100000: mm_page_alloc: page=0xff1c000002200000 "
      + "pfn=0x88000 order=0 migratetype=0 gfp_flags=GFP_KERNEL\n"
    try scratch.file("text.txt", Data(line.utf8))
    try scratch.file("old", Data("old".utf8))
    try FileManager.default.createDirectory(
      atPath: scratch.path("tmp"), withIntermediateDirectories: false)
    return scratch
  }

  @Test func aFullDeviceIsOneLine() throws {
    let scratch = try Self.scratch()
    for verb in Self.verbs {
      let result = try Self.shell("tracetool \(verb) -q -o /dev/full", in: scratch)
      #expect(result.status == 2, "\(verb)")
      #expect(
        result.errors
          == "tracetool: error: /dev/full: cannot write: No space left on device; free some space "
          + "or write elsewhere\n", "\(verb)")
    }
    for verb in ["dump a.ptt", "--help", "record -q --events 10 -o -", "check a.ptt"] {
      let result = try Self.shell("tracetool \(verb) > /dev/full", in: scratch)
      #expect(result.status == 2)
      #expect(result.errors.hasPrefix("tracetool: error: stdout: cannot write: No space left"))
      #expect(result.errorLines.count == 1, "\(verb)")
    }
  }

  /// As on a disk that fills up: the file can be made, and no byte of it written.
  @Test func aFileThatCannotGrowLeavesTheOldOne() throws {
    let scratch = try Self.scratch()
    let before = try scratch.names()
    for verb in Self.verbs {
      let result = try Self.shell(
        """
        export TMPDIR=tmp; (ulimit -f 0; exec tracetool \(verb) -q -o old) 2>&1 | cat
        exit ${PIPESTATUS[0]}
        """, in: scratch)
      #expect(result.status == 2, "\(verb)")
      #expect(
        result.output
          == "tracetool: error: old: cannot write: File too large; raise the limit (ulimit -f) "
          + "or write elsewhere\n", "\(verb)")
      #expect(try scratch.names() == before, "\(verb)")
      #expect(try Data(contentsOf: scratch.directory.appendingPathComponent("old")).count == 3)
    }
    // Both need a temporary file first.
    for verb in ["import -", "check {capture}"] {
      let result = try Self.shell(
        """
        export TMPDIR=tmp; (ulimit -f 0; cat text.txt | tracetool \(verb) -q -o old) 2>&1 | cat
        exit ${PIPESTATUS[0]}
        """, in: scratch)
      #expect(result.status == 2 && result.output.contains("File too large"), "\(result.output)")
      #expect(result.output.split(separator: "\n").count == 1)
      #expect(try scratch.names() == before)
      #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path("tmp")).isEmpty)
    }
  }
}
