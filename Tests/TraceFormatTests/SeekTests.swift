import Testing

@testable import TraceFormat

/// Reading from the middle gives what reading from the front gives.
@Suite struct SeekTests {
  @Test(arguments: [1, 10, 5000])
  func seekGoesToAnyOrdinal(blockEvents: Int) throws {
    let count = blockEvents == 1 ? 30 : 9000
    let events = TraceFiles.numbered(EventStreams.make(.narrow, count: count, seed: 3))
    let bytes = try TraceFiles.bytes(events, options: .init(blockEvents: blockEvents))
    let reader = try TraceReader(bytes: bytes)
    var random = SplitMix64(seed: 1)
    for _ in 0..<40 {
      let target = Int.random(in: 0..<count, using: &random)
      try reader.seek(toOrdinal: UInt64(target))
      var batch = EventBatch()
      #expect(try reader.next(into: &batch))
      #expect(batch.firstOrdinal == UInt64(target))
      #expect(batch.events == Array(events[target..<(target + batch.events.count)]))
    }
    try reader.seek(toOrdinal: UInt64(count))
    var batch = EventBatch()
    #expect(try !reader.next(into: &batch))
    try reader.seek(toOrdinal: .max)
    #expect(try !reader.next(into: &batch))
    try reader.seek(toOrdinal: 0)
    var all: [Event] = []
    while try reader.next(into: &batch) { all += batch.events }
    #expect(all == events)
  }

  @Test func theIndexSaysWhatIsInABlock() throws {
    let events = [
      Event(.tableAlloc, time: 50, cpu: 2, object: 1),
      Event(.quiesce, time: 40, cpu: Event.allCPUs),
      Event(.intentPin, time: 60, cpu: 70),
    ]
    let reader = try TraceReader(bytes: TraceFiles.bytes(events, options: .init(blockEvents: 2)))
    #expect(reader.index.count == 2)
    let first = reader.index[0]
    #expect(first.eventCount == 2)
    #expect(first.firstOrdinal == 0)
    #expect(first.timeMin == 40)
    #expect(first.timeMax == 50)
    #expect(first.cpuMask == UInt64(1) << 2 | UInt64(1) << 63)
    #expect(first.contains(.tableAlloc) && first.contains(.quiesce))
    #expect(!first.contains(.intentPin) && !first.contains(.tableFree))
    #expect(first.mayContain(cpu: 2) && !first.mayContain(cpu: 3))
    #expect(reader.index[1].contains(.intentPin))
    #expect(reader.index[1].firstOrdinal == 2)
  }

  @Test func columnSizesAddUp() throws {
    let events = EventStreams.make(.lives, count: 5000, seed: 1)
    let bytes = try TraceFiles.bytes(events, options: .init(blockEvents: 1000))
    let reader = try TraceReader(bytes: bytes)
    let sizes = try reader.columnSizes()
    #expect(sizes.first { $0.name == "tokens" }?.raw == 5000)
    let stored = sizes.reduce(0) { $0 + $1.stored }
    let blocks = reader.index.reduce(0) { $0 + UInt64($1.length) }
    #expect(stored < blocks)
    #expect(blocks - stored == reader.index.count * (FormatConstants.blockFixedBytes + 4 + 16 * 17))
  }
}
