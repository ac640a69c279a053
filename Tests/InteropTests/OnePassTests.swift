import Synchronization
import Testing
import TraceFormat

@testable import Interop

/// A large file is read once: the joins rely on what a sample of it says. It imports as it does in
/// two passes, whether the sample told the truth or not.
@Suite struct OnePassTests {
  /// How an import came to its end.
  private enum Way {
    case onePass, twoPasses, startedAgain
  }

  private struct Outcome {
    var events: [Event]
    /// One for each sink that was asked for.
    var firstHeaders: [TraceHeader]
    var result: ImportResult
    /// How often the file was to be read when the import ended.
    var passes: UInt64
  }

  /// Makes a large file of each, and a sample of it small.
  private static let small = LineReader.Sampling(
    least: 0, start: 1 << 14, pieces: 24, piece: 1 << 11)

  private static func run(
    _ bytes: [UInt8], _ sampling: LineReader.Sampling?,
    beside: (@Sendable (String) -> [UInt8]?)? = nil
  ) throws -> Outcome {
    let file = try TemporaryFile(bytes)
    var options = ImportOptions()
    options.beside = beside ?? { _ in nil }
    if let sampling {
      options.mayStartAgain = true
      options.sampling = sampling
    }
    let total = Mutex<UInt64>(0)
    options.progress = { _, all in total.withLock { $0 = all } }
    var sinks: [EventArray] = []
    let result = try Importing.importTrace(path: file.path, options: options) { header in
      sinks.append(EventArray(header: header))
      return sinks[sinks.count - 1]
    }
    return Outcome(
      events: sinks[sinks.count - 1].events, firstHeaders: sinks.map(\.header), result: result,
      passes: total.withLock { $0 } / UInt64(max(bytes.count, 1)))
  }

  /// Imports `bytes` in two passes and with a sample first; returns the way the second one took.
  @discardableResult
  private static func compare(
    _ bytes: [UInt8], _ sampling: LineReader.Sampling = small,
    beside: (@Sendable (String) -> [UInt8]?)? = nil
  ) throws -> Way {
    let long = try run(bytes, nil, beside: beside)
    let short = try run(bytes, sampling, beside: beside)
    #expect(long.firstHeaders.count == 1 && long.passes == 2)
    #expect(short.events == long.events)
    #expect(short.firstHeaders.last == long.firstHeaders.last)
    #expect(short.result.header == long.result.header)
    #expect(short.result.report == long.result.report)
    guard short.passes == 2 else { return .onePass }
    return short.firstHeaders.count == 1 ? .twoPasses : .startedAgain
  }

  @Test(arguments: [
    "7.2-riscv64-kprobe-small-munmap", "7.2-amd64-small-munmap", "7.2-riscv64-kprobe-lost-mid",
    "7.2-riscv64-kprobe-lost-pipe", "6.12-riscv64-bpf-small-fork", "chain-S3-small-munmap",
  ])
  func captureImportsTheSame(_ name: String) throws {
    let folder = "\(Samples.folder)/\(name)"
    try Self.compare(Samples.text(name)) { ByteSource.small("\(folder)/\($0)") }
  }

  /// Lines of one task that is torn down again and again.
  private static func lines(_ count: Int, from start: Int = 0) -> String {
    var text = ""
    for number in start..<(start + count) {
      let time = "\(1 + number / 1000).\(String(1000 + number % 1000).dropFirst())000"
      let page = String(0x8d80_0200_0000 + (number + 1) * 64, radix: 16)
      text += """
              sh-111     (    111) [00\(number % 2)] .....    \(time): \
        mm_page_alloc: page=ffff\(page) pfn=0x\(String(number + 1, radix: 16)) order=0 \
        migratetype=0 gfp_flags=GFP_KERNEL|__GFP_ZERO
              sh-111     (    111) [00\(number % 2)] .....    \(time): \
        pt_ctor: (x+0x0/0x1) folio=0xffff\(page) idx=38 val=1

        """
    }
    return text
  }

  @Test func guessThatHoldsTakesOnePass() throws {
    #expect(try Self.compare(Array(Self.lines(2000).utf8)) == .onePass)
  }

  @Test func probeThatSpeaksLateStartsAgain() throws {
    let late =
      "              sh-111     (    111) [000] .....    9.000000: exit_mmap: (x+0x0/0x1) mm=0x1\n"
    #expect(try Self.compare(Array((Self.lines(2000) + late).utf8)) == .startedAgain)
    // Not every name that was not expected says something new.
    let ignored = late.replacing("exit_mmap: ", with: "sched_waking: ")
    #expect(try Self.compare(Array((Self.lines(2000) + ignored).utf8)) == .onePass)
  }

  @Test func lostEventsStartAgain() throws {
    // Not where the sample looks.
    let text = Self.lines(990) + "CPU:1 [LOST 7 EVENTS]\n" + Self.lines(1010, from: 990)
    let start = LineReader.Sampling(least: 0, start: 1 << 14, pieces: 0, piece: 0)
    #expect(try Self.compare(Array(text.utf8), start) == .startedAgain)
    // Where it does.
    let early = "CPU:1 [LOST 7 EVENTS]\n" + Self.lines(2000)
    #expect(try Self.compare(Array(early.utf8), start) == .twoPasses)
  }

  @Test func anotherBaseOfPagesStartsAgain() throws {
    let moved = Self.lines(4000, from: 500).replacing("page=ffff8d8", with: "page=ffffad8")
    let start = LineReader.Sampling(least: 0, start: 1 << 14, pieces: 0, piece: 0)
    #expect(try Self.compare(Array((Self.lines(500) + moved).utf8), start) == .startedAgain)
  }

  @Test func filesWithinTheTextStartAgain() throws {
    let files = "# tracetool uname: 7.2.0\n"
    let start = LineReader.Sampling(least: 0, start: 1 << 14, pieces: 0, piece: 0)
    #expect(try Self.compare(Array((Self.lines(2000) + files).utf8), start) == .startedAgain)
    #expect(try Self.compare(Array((files + Self.lines(2000)).utf8), start) == .twoPasses)
  }

  @Test func whatIsNoTraceIsRefusedAllTheSame() throws {
    let text = Self.lines(200) + String(repeating: "nothing that is an event\n", count: 9000)
    let start = LineReader.Sampling(least: 0, start: 1 << 14, pieces: 0, piece: 0)
    #expect(throws: TraceError.self) { try Self.run(Array(text.utf8), start) }
    #expect(throws: TraceError.self) { try Self.run(Array(text.utf8), nil) }
  }

  @Test func compressedTextTakesTwoPasses() throws {
    let path = Samples.path("7.2-riscv64-kprobe-small-munmap")
    var options = ImportOptions()
    options.mayStartAgain = true
    options.sampling = Self.small
    var sinks = 0
    _ = try Importing.importTrace(path: path, options: options) { header in
      sinks += 1
      return EventArray(header: header)
    }
    #expect(sinks == 1)
  }
}
