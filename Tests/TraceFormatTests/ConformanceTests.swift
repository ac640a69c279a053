import Foundation
import Testing

@testable import TraceFormat

/// The files under Tests/conformance/corpus, which a reader of any language must read to the same
/// events: one line per event, `[kind, time, cpu, task, context, object, arg0, arg1, level, flags,
/// generation]`.
///
/// `CORPUS=write swift test --filter ConformanceTests` makes them anew, for a new version of the format;
/// Tests/conformance/check has the second reader look at them.
@Suite struct ConformanceTests {
  /// A file of the corpus: its name, and what makes it.
  struct Sample: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let make: @Sendable () throws -> [UInt8]
  }

  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("conformance/corpus").path

  static let samples: [Sample] = [
    Sample(testDescription: "empty") { try TraceFiles.bytes([]) },
    Sample(testDescription: "one-event") { try TraceFiles.bytes([Event(.quiesce, time: 7)]) },
    plain("wild", .wild, .init(), count: 700),
    plain("wild-none", .wild, .init(codec: .none)),
    plain("wild-generations", .wild, .init(keepsGenerations: true)),
    plain("narrow", .narrow, .init()),
    plain("narrow-blocks-of-1", .narrow, .init(blockEvents: 1), count: 12),
    plain("lives", .lives, .init()),
    plain("lives-zstd19", .lives, .init(codec: .zstd(level: 19))),
    plain("lives-blocks", .lives, .init(blockEvents: 50)),
    plain("lives-snapshots", .lives, .init(blockEvents: 64, snapshots: .every(100))),
    Sample(testDescription: "names-and-texts") {
      try TraceFiles.bytes(events(.lives), options: .init(blockEvents: 70)) { writer, ordinal in
        if ordinal % 40 == 0 { try writer.setTaskName("täsk \(ordinal)", of: 100) }
        if ordinal % 90 == 0 { _ = try writer.addString("text \(ordinal) \u{1F9F9}\n") }
      }
    },
    Sample(testDescription: "losses") { try TraceFiles.bytes(losses()) },
    Sample(testDescription: "full-header") { try fullHeader() },
    Sample(testDescription: "slice") { try slice() },
    Sample(testDescription: "no-footer") {
      let bytes = try TraceFiles.bytes(events(.lives), options: .init(blockEvents: 100))
      let reader = try TraceReader(bytes: bytes)
      return Array(bytes.prefix(Int(reader.index[1].endOffset)))
    },
  ]

  private static func events(_ shape: EventStreams.Shape, _ count: Int = 300) -> [Event] {
    EventStreams.make(shape, count: count, seed: 20)
  }

  private static func plain(
    _ name: String, _ shape: EventStreams.Shape, _ options: TraceWriter.Options, count: Int = 300
  ) -> Sample {
    Sample(testDescription: name) {
      try TraceFiles.bytes(events(shape, count), options: options)
    }
  }

  /// Holes of one CPU and of all, counted or not, told of at once and late.
  private static func losses() -> [Event] {
    var events = events(.lives, 120)
    let cause = UInt64(LossCause.lostEvents.rawValue)
    func put(_ kind: EventKind, at place: Int, cpu: UInt16, count: UInt64 = 0, since: UInt64 = 0) {
      events[place] = Event(
        kind, time: events[place].time, cpu: cpu, object: cause, arg0: count, arg1: since)
    }
    put(.loss, at: 20, cpu: 1, count: 5)
    put(.lossEnd, at: 24, cpu: 1)
    put(.loss, at: 50, cpu: Event.allCPUs, count: Event.unknownCount)
    put(.lossEnd, at: 60, cpu: Event.allCPUs)
    put(.loss, at: 100, cpu: 0, count: .max - 1, since: events[90].time)
    put(.lossEnd, at: 101, cpu: 0)
    put(.loss, at: 119, cpu: 2, count: 1)
    return events
  }

  private static func fullHeader() throws -> [UInt8] {
    var header = TraceFiles.header
    header.stage = "S1.sbi"
    header.kernel = "6.12.107"
    header.arch = "riscv64"
    header.workload = "munmap-churn"
    header.seed = .max
    header.clock = Clock(name: "counter", unitsPerSecond: nil)
    header.capabilities[.tableAlloc] = .sure
    header.capabilities[.tableFree] = .mayMiss
    header.capabilities[.tableUnlink] = .inferred
    header.capabilities.misses = ["pt_free": 3]
    header.capabilities.missesAreCumulative = true
    header.capabilities.reasons = ["pt_free": "a kprobe may miss"]
    var machine = MachineFacts()
    machine.levels = ["pte", "pmd", "pgd"]
    machine.linearMap = .init(address: 0xff60_0000_0000_0000, pfn: 0x80000)
    machine.batchCapacity = 509
    machine.observesContext = true
    machine.observesEnqueue = false
    machine.observesFreeFunction = true
    header.machine = machine
    header.counts = ["lines": 12, "holes": .max]
    header.remarks = ["a remark", "\"quoted\" \\ and \u{7F}"]
    let output = MemoryOutput()
    let writer = try TraceWriter(output: output, header: header, options: .init())
    for event in events(.lives, 20) { try writer.append(event) }
    try writer.finish()
    return output.bytes
  }

  private static func slice() throws -> [UInt8] {
    let folder = TemporaryFolder()
    try folder.write(
      TraceFiles.bytes(events(.lives), options: .init(blockEvents: 50)), to: "whole.ptt")
    _ = try TraceSlice.cut(
      .ordinals(123...222), of: folder.file("whole.ptt"), to: folder.file("part.ptt"))
    return [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder.file("part.ptt"))))
  }

  /// The events of a file as the oracle has them.
  private static func oracle(_ bytes: [UInt8]) throws -> String {
    let reader = try TraceReader(bytes: bytes)
    var lines = ""
    var batch = EventBatch()
    while try reader.next(into: &batch) {
      for event in batch.events {
        let fields: [any FixedWidthInteger] = [
          event.kind.rawValue, event.time, event.cpu, event.task, event.context.rawValue,
          event.object, event.arg0, event.arg1, event.level.rawValue, event.flags.rawValue,
          event.generation,
        ]
        lines += "[" + fields.map { "\($0)" }.joined(separator: ",") + "]\n"
      }
    }
    return lines
  }

  @Test(arguments: samples) func filesReadAsTheyDid(_ sample: Sample) throws {
    let path = "\(Self.folder)/\(sample.testDescription)"
    if ProcessInfo.processInfo.environment["CORPUS"] == "write" {
      let bytes = try sample.make()
      try Data(bytes).write(to: URL(fileURLWithPath: path + ".ptt"))
      try Data(Self.oracle(bytes).utf8).write(to: URL(fileURLWithPath: path + ".json"))
    }
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path + ".ptt")))
    let expected = String(
      decoding: try Data(contentsOf: URL(fileURLWithPath: path + ".json")), as: UTF8.self)
    // Hundreds of lines, of which one differs: say which.
    let (read, told) = (
      try Self.oracle(bytes).split(separator: "\n"), expected.split(separator: "\n")
    )
    #expect(read.count == told.count)
    #expect(zip(read, told).first { $0 != $1 } == nil)
  }

  /// No file lies about that nobody looks at, and each kind of event is in one.
  @Test func theCorpusIsWhole() throws {
    let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder)
    let names = Self.samples.map(\.testDescription)
    #expect(Set(files) == Set(names.flatMap { ["\($0).ptt", "\($0).json"] }))
    let wild = try String(contentsOfFile: "\(Self.folder)/wild.json", encoding: .utf8)
    for kind in EventKind.allCases {
      #expect(wild.contains("[\(kind.rawValue),"), "no \(kind) in the corpus")
    }
  }
}
