import Testing
import TraceFormat

@testable import Interop

/// Input that is no trace: one clear error each, never a trap.
@Suite struct RefusalTests {
  private func refuse(_ bytes: [UInt8]) throws -> TraceError {
    let file = try TemporaryFile(bytes)
    return try #require(throws: TraceError.self) {
      _ = try Samples.importPath(file.path, ImportOptions())
    }
  }

  @Test func namesWhatIsWrong() throws {
    #expect(try refuse([]).what.contains("empty"))
    #expect(try refuse(Array("Dear diary,\ntoday nothing.\n".utf8)).what.contains("no trace"))
    #expect(try refuse([0x7F, 0x45, 0x4C, 0x46, 0, 0, 1]).what.contains("binary"))
    let dat = [0x17, 0x08, 0x44] + Array("tracing7\0".utf8)
    #expect(try refuse(dat).what.contains("trace.dat"))
    #expect(try refuse([0x28, 0xB5, 0x2F, 0xFD, 1, 2, 3]).what.contains("zstd"))
    let graph = "# tracer: function_graph\n#\n 0)   |  do_it() {\n 0)   1.0 us  |  }\n"
    #expect(try refuse(Array(graph.utf8)).what.contains("function tracer"))
  }

  @Test func refusesDirectoryAndMissingFile() throws {
    for (path, what) in [("/", "directory"), ("/nonexistent/trace.txt", "cannot be opened")] {
      let error = try #require(throws: TraceError.self) {
        _ = try Samples.importPath(path, ImportOptions())
      }
      #expect(error.what.contains(what))
      #expect(error.file == path)
    }
  }

  @Test func refusesTheFunctionTracer() throws {
    let error = try #require(throws: TraceError.self) {
      _ = try Samples.importCapture("6.12-riscv64-functracer")
    }
    #expect(error.what.contains("function tracer"))
  }

  @Test func cutOffCompressedFileIsAnError() throws {
    let whole = try TemporaryFile.bytes(of: Samples.path("7.2-riscv64-kprobe-small-munmap"))
    for count in [whole.count / 2, whole.count - 1] {
      #expect(try refuse(Array(whole[..<count])).what.contains("zstd"))
    }
  }

  @Test func cutOffTextImportsUpToItsEnd() throws {
    let whole = Samples.text("7.2-riscv64-kprobe-small-munmap")
    let file = try TemporaryFile(Array(whole[..<(whole.count / 3)]))
    let imported = try Samples.importPath(file.path, ImportOptions())
    #expect(imported.count(.tableConstruct) > 10)
    #expect(imported.report.badLines <= 1)
  }

  /// `mm=0x12` of a line that ends here may be the half of `mm=0x1234`.
  @Test func aNumberCutInTwoIsNotBelieved() throws {
    let line = "sh-1 [000] ..... 1.000001: exit_mmap: (x+0x0/0x1) mm=0x1234\n"
    let whole = Array((line + line).utf8)
    for (count, events) in [(whole.count, 2), (whole.count - 1, 1), (whole.count - 3, 1)] {
      let file = try TemporaryFile(Array(whole[..<count]))
      let imported = try Samples.importPath(file.path, ImportOptions())
      #expect(imported.count(.mmExit) == events)
      #expect(imported.report.badLines == 2 - events)
    }
  }

  @Test(arguments: 0..<8)
  func damagedTextNeverTraps(seed: Int) throws {
    var bytes = Samples.text("chain-S3-small-munmap")
    var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 &+ 1
    for _ in 0..<2000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let place = Int(truncatingIfNeeded: state >> 33) % bytes.count
      let letters = Array("0123456789abcdefx=:[]() -\n".utf8)
      bytes[place] = letters[Int(truncatingIfNeeded: state >> 40) % letters.count]
    }
    let file = try TemporaryFile(bytes)
    let imported = try Samples.importPath(file.path, ImportOptions())
    #expect(imported.report.badLines > 0)
    #expect(imported.report.events > 1000)
  }

  @Test func emptyTraceWithHeadingIsATrace() throws {
    let imported = try Samples.importText(
      "# tracer: nop\n#\n# entries-in-buffer/entries-written: 0/0   #P:4\n")
    #expect(imported.trace.events.isEmpty)
    #expect(imported.header.cpus == 4)
  }

  @Test func unknownEventsAreCountedByName() throws {
    let imported = try Samples.importText(
      """
      sh-1 [000] ..... 1.000001: exit_mmap: (x+0x0/0x1) mm=0x1
      sh-1 [000] ..... 1.000002: my_probe: (x+0x0/0x1) a=1
      sh-1 [000] ..... 1.000003: bpf_trace_printk: hello there
      sh-1 [000] ..... 1.000004: my_probe: (x+0x0/0x1) a=2
      sh-1 [000] ..... 1.000005: tracing_mark_write: phase two
      """)
    #expect(imported.names() == ["mm_exit", "mark"])
    #expect(imported.trace.string(imported.trace.events[1].object) == "phase two")
    #expect(imported.report.unknown.map(\.name) == ["hello", "my_probe"])
    #expect(imported.report.unknown.map(\.count) == [1, 2])
    #expect(imported.report.unknown[1].firstLine == 2)
  }
}
