import Foundation
import Testing

@Suite("Import of captures")
struct ImportTests {
  private static let capture = ToolRun.repository
    .appendingPathComponent("sample-traces/captures/chain-S1-small-munmap")

  @Test func reportsWhatItMet() throws {
    let scratch = try Scratch()
    let target = scratch.path("a.ptt")
    let result = try ToolRun.tool(["import", Self.capture.path, "-o", target])
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.isEmpty)
    #expect(result.errors.contains("6171 lines, 6159 of them events"), "\(result.errors)")
    let detailed = try ToolRun.tool(["import", "-v", Self.capture.path, "-o", target])
    #expect(detailed.errorLines.count > result.errorLines.count)
    let quiet = try ToolRun.tool(["import", "-q", Self.capture.path, "-o", target])
    #expect(quiet.errors.isEmpty)
  }

  @Test func sameCaptureGivesTheSameBytes() throws {
    let scratch = try Scratch()
    var files: [Data] = []
    for name in ["a.ptt", "b.ptt"] {
      let result = try ToolRun.tool(["import", "-q", Self.capture.path, "-o", scratch.path(name)])
      #expect(result.status == 0, "\(result.errors)")
      files.append(try Data(contentsOf: URL(fileURLWithPath: scratch.path(name))))
    }
    #expect(files[0] == files[1])
  }

  /// Every verb reads a capture as it reads the trace imported from it, and leaves nothing in
  /// TMPDIR.
  @Test(arguments: [
    ["check"], ["dump"], ["replay", "--at", "176"], ["check", "--format", "json"],
  ])
  func capturesAreReadDirectly(_ command: [String]) throws {
    let scratch = try Scratch()
    let target = scratch.path("a.ptt")
    #expect(try ToolRun.tool(["import", "-q", Self.capture.path, "-o", target]).status == 0)
    let imported = try ToolRun.tool(command + [target])
    let folder = Self.capture.path
    for path in [folder, folder + "/", folder + "/trace.txt.zst"] {
      let direct = try ToolRun.shell(
        "TMPDIR='\(scratch.directory.path)' tracetool \(command.joined(separator: " ")) '\(path)'")
      #expect(direct.status == imported.status, "\(direct.errors)")
      let same = direct.output.replacing(path, with: target)
      // JSON may write a slash as it likes.
      #expect(same.replacing("\\/", with: "/") == imported.output.replacing("\\/", with: "/"))
    }
    #expect(try scratch.names() == ["a.ptt"])
  }

  @Test func textComesThroughAPipe() throws {
    let scratch = try Scratch()
    let source = Self.capture.appendingPathComponent("trace.txt.zst").path
    let piped = try ToolRun.shell(
      "cat '\(source)' | tracetool import -q - -o - | tracetool check - --only I13",
      in: scratch.directory)
    #expect(piped.status == 1, "\(piped.errors)")
    #expect(piped.output.contains("I13  VIOLATED"))
  }

  @Test func unknownLinesAreCountedAndStrictRefusesThem() throws {
    let scratch = try Scratch()
    let text = """
      # tracer: nop
      #
                    sh-56      [001] .....    17.262940: mm_page_alloc: page=ff1c000000075e40 \
      pfn=0x81d79 order=0 migratetype=0 gfp_flags=GFP_KERNEL|__GFP_ZERO
                    sh-56      [001] .....    17.262941: nobody_knows: x=1
                    sh-56      [001] .....    17.262942: nobody_knows: x=2

      """
    try scratch.file("trace.txt", Data(text.utf8))
    let plain = try ToolRun.tool(["import", "trace.txt", "-o", "a.ptt"], in: scratch.directory)
    #expect(plain.status == 0, "\(plain.errors)")
    #expect(plain.errors.contains("not understood: 2 × nobody_knows"), "\(plain.errors)")
    let before = try Data(contentsOf: URL(fileURLWithPath: scratch.path("a.ptt")))
    let strict = try ToolRun.tool(
      ["import", "--strict", "trace.txt", "-o", "a.ptt"], in: scratch.directory)
    #expect(strict.status == 2)
    #expect(strict.errorLines.count == 1)
    #expect(strict.errors.contains("nobody_knows"))
    #expect(try Data(contentsOf: URL(fileURLWithPath: scratch.path("a.ptt"))) == before)
    #expect(try scratch.names() == ["a.ptt", "trace.txt"])
  }

  @Test func aDirectoryWithoutATraceIsRefused() throws {
    let scratch = try Scratch()
    let result = try ToolRun.tool(["import", scratch.directory.path, "-o", scratch.path("a.ptt")])
    #expect(result.status == 2)
    #expect(result.errorLines.count == 1)
    #expect(result.errors.contains("trace.txt"))
  }

  /// Whoever records notes what he knows; nothing of it is guessed.
  @Test func stageAndKernelAreNotedOnlyWhenGiven() throws {
    let scratch = try Scratch()
    let target = scratch.path("a.ptt")
    let import_ = ["import", "-q", Self.capture.path, "-o", target]
    _ = try ToolRun.tool(import_)
    #expect(try ToolRun.tool(["info", target]).output.contains("stage       not declared\n"))
    _ = try ToolRun.tool(import_ + ["--stage", "S1.sbi", "--kernel", "6.12.107"])
    let told = try ToolRun.tool(["info", target]).output
    #expect(told.contains("stage       S1.sbi\n"))
    #expect(told.contains("kernel      6.12.107"))
  }
}
