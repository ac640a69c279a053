import Testing

@testable import TraceFormat

/// What is written is what is read: events, generations, names, strings, header.
@Suite struct RoundTripTests {
  @Test(
    arguments: EventStreams.Shape.allCases,
    [
      TraceWriter.Options(), .init(blockEvents: 1), .init(blockEvents: 7),
      .init(blockEvents: 100, codec: .none), .init(blockEvents: 65_536, codec: .zstd(level: 1)),
    ])
  func eventsSurvive(_ shape: EventStreams.Shape, _ options: TraceWriter.Options) throws {
    for seed in UInt64(1)...2 {
      let events = EventStreams.make(shape, count: 1500, seed: seed)
      let bytes = try TraceFiles.bytes(events, options: options)
      let outcome = TraceFiles.read(bytes)
      #expect(outcome.error == nil, "seed \(seed)")
      #expect(outcome.isComplete)
      #expect(outcome.events == TraceFiles.numbered(events), "seed \(seed)")
    }
  }

  @Test func aLongStreamOfWildEventsSurvives() throws {
    let events = EventStreams.make(.wild, count: 70_000, seed: 99)
    let outcome = TraceFiles.read(try TraceFiles.bytes(events))
    #expect(outcome.events == TraceFiles.numbered(events))
  }

  @Test func anEmptyTraceIsATrace() throws {
    let outcome = TraceFiles.read(try TraceFiles.bytes([]))
    #expect(outcome.error == nil)
    #expect(outcome.isComplete)
    #expect(outcome.events.isEmpty)
  }

  @Test(arguments: EventStreams.Shape.allCases)
  func sameInputMakesSameBytes(_ shape: EventStreams.Shape) throws {
    let events = EventStreams.make(shape, count: 3000, seed: 5)
    let first = try TraceFiles.bytes(events, options: .init(blockEvents: 512))
    let renumbered = TraceFiles.numbered(events)
    #expect(try TraceFiles.bytes(renumbered, options: .init(blockEvents: 512)) == first)
  }

  @Test(arguments: EventStreams.Shape.allCases)
  func eachBlockDecodesAlone(_ shape: EventStreams.Shape) throws {
    let events = TraceFiles.numbered(EventStreams.make(shape, count: 1000, seed: 8))
    let bytes = try TraceFiles.bytes(events, options: .init(blockEvents: 64))
    let entries = try TraceReader(bytes: bytes).index
    #expect(entries.count == 16)
    for entry in entries {
      // A reader that has seen nothing but this block.
      let reader = try TraceReader(bytes: bytes)
      try reader.seek(toOrdinal: entry.firstOrdinal)
      var batch = EventBatch()
      #expect(try reader.next(into: &batch))
      let first = Int(entry.firstOrdinal)
      #expect(batch.firstOrdinal == entry.firstOrdinal)
      #expect(batch.events == Array(events[first..<(first + Int(entry.eventCount))]))
    }
  }

  @Test func theFooterCompletesTheHeader() throws {
    let folder = TemporaryFolder()
    let writer = try TraceWriter(path: folder.file("a.ptt"), header: TraceFiles.header)
    try writer.append(Event(.quiesce, time: 1))
    var completed = TraceFiles.header
    completed.counts["lines"] = .max
    completed.remarks = ["done / \"quoted\" é"]
    completed.capabilities[.tableFree] = .mayMiss
    try writer.finish(header: completed)
    let reader = try TraceReader(path: folder.file("a.ptt"))
    #expect(reader.header == completed)
    #expect(reader.eventCount == 1)
    #expect(reader.blockCount == 1)
    #expect(reader.fileSize == writer.byteCount)
    #expect(reader.warning == nil)
  }

  @Test(arguments: [1, 3, 1000])
  func namesHoldFromTheirEventOn(blockEvents: Int) throws {
    let events = (0..<20).map { Event(.quiesce, time: UInt64($0), task: UInt32($0 % 2)) }
    let bytes = try TraceFiles.bytes(events, options: .init(blockEvents: blockEvents)) {
      if $1 == 4 { try $0.setTaskName("bash", of: 1) }
      if $1 == 9 { try $0.setTaskName("ls", of: 1) }
      if $1 == 11 { try $0.setTaskName("idle", of: 77) }
    }
    let reader = try TraceReader(bytes: bytes)
    var batch = EventBatch()
    while try reader.next(into: &batch) {
      for index in batch.events.indices where batch.events[index].task == 1 {
        let ordinal = Int(batch.firstOrdinal) + index
        let expected = ordinal < 4 ? nil : ordinal < 9 ? "bash" : "ls"
        #expect(reader.taskName(1) == expected, "event \(ordinal)")
      }
    }
    #expect(reader.taskName(77) == "idle")
    #expect(reader.taskName(5) == nil)
  }

  @Test func stringsAreFoundByIndex() throws {
    let events = (0..<10).map { Event(.mark, time: 0, object: UInt64($0)) }
    let bytes = try TraceFiles.bytes(events, options: .init(blockEvents: 2)) {
      let index = try $0.addString("text \($1) ü\n")
      #expect(index == UInt64($1))
    }
    let reader = try TraceReader(bytes: bytes)
    var batch = EventBatch()
    while try reader.next(into: &batch) {
      for event in batch.events {
        #expect(reader.string(event.object) == "text \(event.object) ü\n")
      }
    }
    #expect(reader.string(10) == nil)
    let late = try TraceReader(bytes: bytes)
    try late.seek(toOrdinal: 9)
    #expect(late.string(0) == "text 0 ü\n")
    #expect(late.string(9) == "text 9 ü\n")
  }

  @Test func tooLongTextsAreRefused() throws {
    let writer = try TraceWriter(
      output: MemoryOutput(), header: TraceFiles.header, options: .init())
    #expect(throws: TraceError.self) {
      try writer.setTaskName(String(repeating: "x", count: 65), of: 1)
    }
    #expect(throws: TraceError.self) {
      _ = try writer.addString(String(repeating: "x", count: 65_536))
    }
    var header = TraceFiles.header
    header.remarks = [String(repeating: "x", count: 1 << 20)]
    #expect(throws: TraceError.self) {
      _ = try TraceWriter(output: MemoryOutput(), header: header, options: .init())
    }
  }

  @Test func manyTextsEndABlock() throws {
    let text = String(repeating: "y", count: 60_000)
    let events = (0..<40).map { Event(.mark, time: 0, object: UInt64($0)) }
    let bytes = try TraceFiles.bytes(events) { writer, _ in _ = try writer.addString(text) }
    let reader = try TraceReader(bytes: bytes)
    #expect(reader.blockCount! > 1)
    #expect(TraceFiles.read(bytes).events == events)
  }

  @Test func memoryOfAReaderIsThatOfABlock() throws {
    func room(blocks: Int) throws -> Int {
      let events = EventStreams.make(.lives, count: blocks * 200, seed: 1)
      let bytes = try TraceFiles.bytes(events, options: .init(blockEvents: 200))
      let reader = try TraceReader(bytes: bytes)
      var batch = EventBatch()
      while try reader.next(into: &batch) {}
      #expect(batch.events.capacity <= TraceReader.batchEvents)
      return reader.bufferedBytes
    }
    let few = try room(blocks: 4)
    #expect(few > 0)
    #expect(try room(blocks: 100) <= 2 * few)
  }

  @Test func generationsAgreeWithTheTracker() {
    let events = EventStreams.make(.narrow, count: 5000, seed: 2)
    var tracker = GenerationTracker()
    let got = events.map { tracker.generation(of: $0) }
    #expect(got == TraceFiles.numbered(events).map(\.generation))
  }

  /// Sections that open and end in any order, many of them at a time.
  @Test func sectionsAreNumberedThroughTheTrace() throws {
    var events: [Event] = []
    var state: UInt64 = 1
    for time in 0..<6000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let kind: EventKind = state >> 60 < 8 ? .readerEnter : .readerExit
      events.append(Event(kind, time: UInt64(time), object: state >> 40 & 511))
    }
    let expected = TraceFiles.numbered(events)
    var tracker = GenerationTracker()
    #expect(expected.map(\.generation) == events.map { tracker.generation(of: $0) })
    let bytes = try TraceFiles.bytes(events, options: .init(blockEvents: 64))
    #expect(TraceFiles.read(bytes).events == expected)
  }

  /// More shapes than a list of followers can name, and tables in far apart runs.
  @Test func manyShapesAndFarTablesSurvive() throws {
    let events = (0..<70_000).map { number in
      let far = UInt64(number % 97) &* 0x9e37_79b9_7f4a_7c15
      return Event(
        EventKind(rawValue: UInt8(1 + number & 15))!, time: UInt64(number),
        context: ExecutionContext(rawValue: UInt8(number >> 4 & 3))!,
        object: far &+ UInt64(number % 61), level: TableLevel(rawValue: UInt8(number >> 6 & 3))!,
        flags: EventFlags(rawValue: UInt8(truncatingIfNeeded: number >> 8)))
    }
    let many =
      events
      + (0..<9000).map { number in
        var event = events[number * 7]
        event.arg1 = UInt64(number % 5)
        return event
      }
    let isSame = TraceFiles.read(try TraceFiles.bytes(many)).events == TraceFiles.numbered(many)
    #expect(isSame)
  }
}
