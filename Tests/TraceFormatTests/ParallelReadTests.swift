import Testing

@testable import TraceFormat

/// Reading ahead on other threads shows what reading on one does.
@Suite struct ParallelReadTests {
  /// Everything a caller can see of a trace.
  private struct View: Equatable {
    struct Batch: Equatable {
      let firstOrdinal: UInt64
      let events: [Event]
      let names: [String?]
      let text: String?
    }

    var batches: [Batch] = []
    var error: TraceError?
    var warning: String?
    var isComplete = false
    var header: TraceHeader?
    var blocks = 0
  }

  private static func view(
    _ input: @autoclosure () throws -> TraceInput, workers: Int,
    _ prepare: (TraceReader) throws -> Void = { _ in }
  ) -> View {
    var view = View()
    do {
      let reader = try TraceReader(try input())
      reader.workers = workers
      try prepare(reader)
      var batch = EventBatch()
      defer {
        view.warning = reader.warning
        view.isComplete = reader.isComplete
        view.header = reader.header
        view.blocks = reader.blocksDecoded
      }
      while try reader.next(into: &batch) {
        view.batches.append(
          View.Batch(
            firstOrdinal: batch.firstOrdinal, events: batch.events,
            names: [100, 4, 7].map(reader.taskName), text: reader.string(1)))
      }
      #expect(try !reader.next(into: &batch))
    } catch {
      view.error = (error as! TraceError)
    }
    return view
  }

  private static func trace(
    _ events: [Event], blockEvents: Int, snapshots: TraceWriter.Snapshots = .none
  ) throws -> [UInt8] {
    let options = TraceWriter.Options(blockEvents: blockEvents, snapshots: snapshots)
    return try TraceFiles.bytes(events, options: options) {
      if $1 % 67 == 5 { try $0.setTaskName("name \($1)", of: $1 % 2 == 0 ? 100 : 4) }
      if $1 % 150 == 20 { _ = try $0.addString("text \($1)") }
    }
  }

  @Test(arguments: EventStreams.Shape.allCases, [0, 1, 90, 2000])
  func anyNumberOfWorkersShowsTheSame(_ shape: EventStreams.Shape, count: Int) throws {
    let events = EventStreams.make(shape, count: count, seed: 11)
    let bytes = try Self.trace(events, blockEvents: 90, snapshots: .every(400))
    let alone = Self.view(TraceInput(bytes: bytes, name: "t"), workers: 1)
    #expect(alone.batches.reduce(0) { $0 + $1.events.count } == count)
    #expect(alone.error == nil)
    for workers in [2, 3, 8] {
      #expect(Self.view(TraceInput(bytes: bytes, name: "t"), workers: workers) == alone)
    }
  }

  @Test func aBlockOfManyBatchesIsCutAlike() throws {
    let events = EventStreams.make(.lives, count: 30_000, seed: 3)
    let bytes = try TraceFiles.bytes(events, options: .init(blockEvents: 20_000)) {
      if $1 == 6000 || $1 == 6001 { try $0.setTaskName("name \($1)", of: 100) }
    }
    let alone = Self.view(TraceInput(bytes: bytes, name: "t"), workers: 1)
    #expect(alone.batches.count > 8)
    #expect(Self.view(TraceInput(bytes: bytes, name: "t"), workers: 2) == alone)
  }

  @Test func blocksPassedOverWhileOneIsDeliveredDoNotMoveIt() throws {
    let events = EventStreams.make(.lives, count: 60_000, seed: 4)
    let bytes = try TraceFiles.bytes(events, options: .init(blockEvents: 9000)) { _, _ in }
    func view(_ workers: Int) throws -> View {
      Self.view(TraceInput(bytes: bytes, name: "t"), workers: workers) { reader in
        reader.wantsBlock = { $0.firstOrdinal % 18_000 == 0 }
      }
    }
    let alone = try view(1)
    #expect(alone.batches.map(\.firstOrdinal).contains(18_000 + 2 * 4096))
    #expect(!alone.batches.map(\.firstOrdinal).contains(9000))
    for workers in [2, 3] { #expect(try view(workers) == alone) }
  }

  @Test func damageIsTheSameErrorBehindTheSameEvents() throws {
    let events = EventStreams.make(.lives, count: 300, seed: 5)
    let whole = try Self.trace(events, blockEvents: 40, snapshots: .every(120))
    var random = SplitMix64(seed: 9)
    var errors = 0
    for round in 0..<300 {
      var bytes = whole
      if round % 3 == 0 {
        bytes.removeLast(Int.random(in: 1..<bytes.count, using: &random))
      } else {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= 1 << UInt8(round % 8)
      }
      let alone = Self.view(TraceInput(bytes: bytes, name: "t"), workers: 1)
      if alone.error != nil { errors += 1 }
      let both = Self.view(TraceInput(bytes: bytes, name: "t"), workers: 1 + round % 4)
      #expect(both == alone, "round \(round)")
    }
    #expect(errors > 200)
  }

  /// Checksums that are right over columns that are not.
  @Test func noiseIsTheSameErrorToo() throws {
    var random = SplitMix64(seed: 21)
    for round in 0..<400 {
      let count = Int.random(in: 1...40, using: &random)
      var entry = IndexEntry(offset: 0)
      entry.eventCount = UInt32(count)
      var bytes = try FileHeader.bytes(TraceFiles.header)
      bytes += BlockPacker(codec: .none).pack(
        NoiseColumns.make(events: count, &random), timeBase: random.next(), entry: &entry)
      let alone = Self.view(TraceInput(bytes: bytes, name: "t"), workers: 1)
      #expect(
        Self.view(TraceInput(bytes: bytes, name: "t"), workers: 2) == alone, "round \(round)")
    }
  }

  @Test func selectionsSeeksAndColumnsCountAsBefore() throws {
    let events = EventStreams.make(.lives, count: 900, seed: 6)
    let bytes = try Self.trace(events, blockEvents: 100)
    func view(_ workers: Int, _ prepare: @escaping (TraceReader) throws -> Void) -> View {
      Self.view(TraceInput(bytes: bytes, name: "t"), workers: workers, prepare)
    }
    let preparations: [(TraceReader) throws -> Void] = [
      { $0.wantsBlock = { $0.firstOrdinal % 200 == 0 } },
      { $0.wantsBlock = { $0.firstOrdinal < 500 } },
      { $0.columns = [.time, .names] },
      { try $0.seek(toOrdinal: 437) },
      { try $0.seek(toOrdinal: 900) },
      {
        // Changed in the middle, while others are ahead.
        var batch = EventBatch()
        for _ in 0..<3 { _ = try $0.next(into: &batch) }
        $0.wantsBlock = { $0.firstOrdinal >= 600 }
        $0.columns = [.time]
      },
      {
        var batch = EventBatch()
        while try $0.next(into: &batch) {}
        try $0.seek(toOrdinal: 250)
      },
    ]
    for (number, prepare) in preparations.enumerated() {
      let alone = view(1, prepare)
      for workers in [2, 5] { #expect(view(workers, prepare) == alone, "\(number)") }
    }
  }

  /// Readers that are let go of while blocks are being decoded for them.
  @Test func aReaderMayBeAbandoned() throws {
    let events = EventStreams.make(.lives, count: 4000, seed: 2)
    let bytes = try Self.trace(events, blockEvents: 200)
    for round in 0..<50 {
      let reader = try TraceReader(bytes: bytes)
      reader.workers = 4
      var batch = EventBatch()
      for _ in 0..<(round % 7) { _ = try reader.next(into: &batch) }
    }
  }
}
