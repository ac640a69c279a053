import Foundation
import Testing
import TraceFormat

@Suite("recover")
struct RecoverTests {
  @Test func intactFilesComeBackWithExit0() throws {
    let scratch = try Scratch()
    let trace = try scratch.smallTrace()
    let result = try ToolRun.tool(["recover", trace, "-o", scratch.path("saved.ptt")])
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.errorLines.count == 1)
    let dump = try ToolRun.tool(["dump", trace]).output
    #expect(try ToolRun.tool(["dump", scratch.path("saved.ptt")]).output == dump)
  }

  @Test func damageIsToldAndExits3() throws {
    let scratch = try Scratch()
    let path = try TinyTrace.write(into: scratch)
    let reader = try TraceReader(path: path)
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    bytes[Int(reader.index[0].offset) + Int(reader.index[0].length) - 2] ^= 4
    try scratch.file("bad.ptt", bytes)
    let arguments = ["recover", "bad.ptt", "-o", "saved.ptt"]
    let result = try ToolRun.tool(arguments, in: scratch.directory)
    #expect(result.status == 3)
    #expect(result.output.isEmpty)
    #expect(result.errors.contains("lost \(reader.eventCount!) events from event 0 on"))
    let dump = try ToolRun.tool(["dump", "saved.ptt"], in: scratch.directory)
    #expect(dump.status == 0 && dump.output.contains("damaged file"), "\(dump.output)")
    let check = try ToolRun.tool(["check", "saved.ptt"], in: scratch.directory)
    #expect(check.status != 1 && check.status != 2, "\(check.errors)")
    #expect(try ToolRun.tool(arguments + ["-q"], in: scratch.directory).errors.isEmpty)
  }

  @Test func whatCannotBeRecoveredIsOneLine() throws {
    let scratch = try Scratch()
    try scratch.file("text.txt", Data("Dear reader\n".utf8))
    for file in ["missing.ptt", "text.txt", "-", "."] {
      let result = try ToolRun.tool(["recover", file, "-o", "out.ptt"], in: scratch.directory)
      #expect(result.status == 2)
      #expect(result.errorLines.count == 1 && result.errors.hasPrefix("tracetool: error: "))
    }
    #expect(try scratch.names() == ["text.txt"])
  }
}
