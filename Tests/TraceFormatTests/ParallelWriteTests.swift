import Testing

@testable import TraceFormat

/// Blocks made on other threads are the blocks one thread makes.
@Suite struct ParallelWriteTests {
  private static func bytes(
    _ events: [Event], workers: Int, blockEvents: Int = 90, keepsGenerations: Bool = false,
    snapshots: TraceWriter.Snapshots = .none
  ) throws -> [UInt8] {
    let options = TraceWriter.Options(
      blockEvents: blockEvents, keepsGenerations: keepsGenerations, snapshots: snapshots,
      workers: workers)
    return try TraceFiles.bytes(events, options: options) {
      if $1 % 67 == 5 { try $0.setTaskName("name \($1)", of: $1 % 2 == 0 ? 100 : 4) }
      if $1 % 150 == 20 { _ = try $0.addString("text \($1)") }
      if $1 % 400 == 399 { try $0.flushBlock() }
    }
  }

  @Test(arguments: EventStreams.Shape.allCases, [0, 1, 90, 2000])
  func theBytesAreTheSame(_ shape: EventStreams.Shape, count: Int) throws {
    let events = EventStreams.make(shape, count: count, seed: 17)
    for keeps in [false, true] {
      for snapshots in [TraceWriter.Snapshots.none, .every(300)] {
        func bytes(_ workers: Int) throws -> [UInt8] {
          try Self.bytes(
            events, workers: workers, keepsGenerations: keeps, snapshots: snapshots)
        }
        let alone = try bytes(1)
        for workers in [2, 3, 8] { #expect(try bytes(workers) == alone, "\(workers)") }
        let read = TraceFiles.read(alone)
        #expect(read.error == nil && read.events.count == count)
        if !keeps { #expect(read.events == TraceFiles.numbered(events)) }
      }
    }
  }

  /// Where the writer chooses where snapshots stand, and does.
  @Test func chosenSnapshotsStandAtTheSamePlaces() throws {
    let events = EventStreams.make(.lives, count: 20_000, seed: 5)
    // Nothing takes as many bytes for as little to follow.
    let text = String(repeating: "x", count: 60_000)
    func bytes(_ workers: Int) throws -> [UInt8] {
      let options = TraceWriter.Options(
        blockEvents: 500, codec: .none, snapshots: .automatic, workers: workers)
      return try TraceFiles.bytes(events, options: options) {
        if $1 % 300 == 7 { _ = try $0.addString(text) }
      }
    }
    let alone = try bytes(1)
    let reader = try TraceReader(bytes: alone)
    #expect(!reader.snapshots.isEmpty)
    for workers in [2, 7] { #expect(try bytes(workers) == alone) }
  }

  @Test func whatCannotBeWrittenIsAnErrorAndStaysOne() throws {
    let events = EventStreams.make(.lives, count: 2000, seed: 3)
    let header = TraceHeader(source: "t", producer: "", cpus: 1, clock: .nanoseconds("mono"))
    let writer = try TraceWriter(
      path: "/dev/full", header: header, options: .init(blockEvents: 50, workers: 3))
    let error = #expect(throws: TraceError.self) {
      for event in events { try writer.append(event) }
      try writer.finish()
    }
    #expect(error?.what.contains("No space left") == true)
    #expect(throws: error!) { try writer.append(events[0]) }
  }

  /// Writers that are let go of while blocks are being made for them leave nothing behind.
  @Test func aWriterMayBeAbandoned() throws {
    let folder = TemporaryFolder()
    let events = EventStreams.make(.lives, count: 700, seed: 2)
    for round in 0..<20 {
      let writer = try TraceWriter(
        path: folder.file("t.ptt"), header: TraceFiles.header,
        options: .init(blockEvents: 100, workers: 4))
      for event in events.prefix(round * 35) { try writer.append(event) }
      if round % 2 == 0 { writer.abandon() }
    }
    #expect(folder.names.isEmpty)
  }
}
