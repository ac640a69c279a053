import Foundation
import Testing

@Suite("--codec")
struct CodecOptionTests {
  private static let record = ["record", "-q", "--stage", "S1.sbi", "--events", "2000"]

  /// A trace without compression has the same events, is larger, and is found by plain tools.
  @Test func noneIsReadLikeZstd() throws {
    let scratch = try Scratch()
    func run(_ arguments: [String]) throws -> ToolRun {
      let result = try ToolRun.tool(arguments, in: scratch.directory)
      #expect(result.status == 0, "\(arguments): \(result.errors)")
      return result
    }
    for codec in ["zstd", "zstd:19", "none"] {
      _ = try run(Self.record + ["--codec", codec, "-o", "\(codec).ptt"])
      _ = try run(["slice", "-q", "zstd.ptt", "--ordinal", "..", "--codec", codec, "-o", "s.ptt"])
      #expect(try run(["dump", "\(codec).ptt"]).output == run(["dump", "zstd.ptt"]).output)
      #expect(try run(["dump", "s.ptt"]).output == run(["dump", "zstd.ptt"]).output)
    }
    func size(_ name: String) throws -> Int {
      try Data(contentsOf: URL(fileURLWithPath: scratch.path(name))).count
    }
    #expect(try size("none.ptt") > size("zstd.ptt"))
    #expect(try size("zstd:19.ptt") < size("zstd.ptt"))
    // The last slice of the loop is one without compression.
    #expect(try size("s.ptt") > size("zstd.ptt"))
  }

  @Test(arguments: ["zstd:0", "zstd:20", "zstd:", "zstd:x", "lz4", ""])
  func othersAreRefused(_ codec: String) throws {
    let scratch = try Scratch()
    let arguments = Self.record + ["--codec", codec, "-o", "out.ptt"]
    let result = try ToolRun.tool(arguments, in: scratch.directory)
    #expect(result.status == 2)
    #expect(try scratch.names().isEmpty)
  }
}
