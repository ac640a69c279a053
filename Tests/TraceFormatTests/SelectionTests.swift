import Testing

@testable import TraceFormat

/// What the index rules out holds nothing that is wanted.
@Suite struct SelectionTests {
  private static let events = TraceFiles.numbered(
    EventStreams.make(.narrow, count: 1500, seed: 4)
      + EventStreams.make(.lives, count: 1500, seed: 5))

  private static func selection(_ random: inout SplitMix64) -> EventSelection {
    var selection = EventSelection()
    func maybe() -> Bool { Int.random(in: 0..<3, using: &random) == 0 }
    func range(_ all: ClosedRange<UInt64>) -> ClosedRange<UInt64> {
      let ends = [UInt64.random(in: all, using: &random), UInt64.random(in: all, using: &random)]
      return ends.min()!...ends.max()!
    }
    if maybe() { selection.ordinals = range(0...3200) }
    if maybe() { selection.times = range(0...2_000_000) }
    if maybe() { selection.cpus = [UInt16.random(in: 0...5, using: &random), 3] }
    if maybe() {
      selection.kinds = [
        EventKind.allCases.randomElement(using: &random)!, .tableFree, .lockAlloc,
      ]
    }
    if maybe() {
      let frames: [UInt64] = [3, 7, 0x80000 + UInt64.random(in: 0...500, using: &random)]
      selection.table = .init(
        frame: frames.randomElement(using: &random)!,
        generation: maybe() ? UInt32.random(in: 0...3, using: &random) : nil)
    }
    return selection
  }

  @Test func blocksThatAreNotNeededHoldNothing() throws {
    var random = SplitMix64(seed: 8)
    let bytes = try TraceFiles.bytes(Self.events, options: .init(blockEvents: 20))
    var passedOver = 0
    var found = 0
    for _ in 0..<120 {
      let selection = Self.selection(&random)
      var whole = selection
      let expected = Self.events.enumerated().filter {
        whole.contains($0.element, ordinal: UInt64($0.offset))
      }.map(\.offset)
      let reader = try TraceReader(bytes: bytes)
      reader.wantsBlock = { selection.needs($0) }
      var part = selection
      var got: [Int] = []
      var batch = EventBatch()
      while try reader.next(into: &batch) {
        for (index, event) in batch.events.enumerated() {
          let ordinal = batch.firstOrdinal + UInt64(index)
          if part.contains(event, ordinal: ordinal) { got.append(Int(ordinal)) }
        }
      }
      #expect(got == expected, "\(selection)")
      passedOver += reader.index.count - reader.blocksDecoded
      found += got.count
    }
    #expect(passedOver > 5000 && found > 1000)
  }

  @Test func aBlockKnowsItsTables() {
    var random = SplitMix64(seed: 9)
    for shape in EventStreams.Shape.allCases {
      let events = EventStreams.make(shape, count: 30, seed: random.next())
      let range = TableRange(of: events)
      for event in events { event.eachTable { #expect(range.mayContain($0)) } }
    }
    #expect(!TableRange(of: []).mayContain(0))
    #expect(!TableRange(of: [Event(.quiesce, time: 0)]).mayContain(0))
    let ends = [Event(.tableFree, time: 0), Event(.tableFree, time: 0, object: .max)]
    let all = TableRange(of: ends)
    #expect(all.mayContain(0) && all.mayContain(.max) && !all.mayContain(1 << 62))
    let one = TableRange(of: [Event(.lockWait, time: 0, object: 5, arg1: 0x88fb5)])
    #expect(one.mayContain(0x88fb5) && !one.mayContain(0x88fb4) && !one.mayContain(5))
  }

  @Test func aCallbackOfItsOwnNamesItsTable() {
    let own = UInt64(CallbackFunction.freeDeferred.rawValue)
    let batch = UInt64(CallbackFunction.removeTableBatch.rawValue)
    #expect(Event(.callRCU, time: 0, arg0: own, arg1: 7).names(table: 7))
    #expect(!Event(.callRCU, time: 0, arg0: batch, arg1: 7).names(table: 7))
  }

  /// What a writer gathers on its way through a block, against a look at each event.
  @Test(arguments: EventStreams.Shape.allCases)
  func theIndexSaysWhatTheEventsAre(_ shape: EventStreams.Shape) throws {
    for seed in UInt64(0)..<40 {
      var events = EventStreams.make(shape, count: Int(seed * 7 % 97), seed: seed)
      let functions: [CallbackFunction] = [.freeDeferred, .removeTableOne, .removeTableBatch]
      for index in events.indices where index % 11 == 3 && seed % 2 == 0 {
        events[index].kind = index % 2 == 0 ? .callRCU : .callbackStart
        events[index].arg0 = UInt64(functions[index % 3].rawValue)
      }
      let bytes = try TraceFiles.bytes(events, options: .init(blockEvents: 50))
      for entry in try TraceReader(bytes: bytes).index {
        let part = events[Int(entry.firstOrdinal)..<Int(entry.endOrdinal)]
        #expect(entry.timeMin == part.map(\.time).min() ?? 0)
        #expect(entry.timeMax == part.map(\.time).max() ?? 0)
        #expect(entry.cpuMask == part.reduce(0) { $0 | UInt64(1) << min($1.cpu, 63) })
        for kind in EventKind.allCases {
          #expect(entry.contains(kind) == part.contains { $0.kind == kind })
        }
        #expect(entry.tables == TableRange(of: Array(part)))
      }
    }
  }
}
