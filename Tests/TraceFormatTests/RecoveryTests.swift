import Testing

@testable import TraceFormat

/// Whatever is damaged, every intact block is kept and every hole is told.
@Suite struct RecoveryTests {
  private static let events = TraceFiles.numbered(EventStreams.make(.lives, count: 400, seed: 9))
  private static let blockEvents = 40

  private static func file() throws -> [UInt8] {
    try TraceFiles.bytes(events, options: .init(blockEvents: blockEvents)) {
      if $1 % 100 == 0 { try $0.setTaskName("task \($1)", of: 100) }
      if $1 == 350 { _ = try $0.addString("a remark") }
    }
  }

  /// What recovery made of a file.
  private struct Outcome {
    var report = RecoveryReport()
    var events: [Event] = []
    var header = TraceFiles.header
    var names: [String?] = []
  }

  private static func recover(_ bytes: [UInt8]) throws -> Outcome {
    let folder = TemporaryFolder()
    try folder.write(bytes, to: "in.ptt")
    var outcome = Outcome()
    outcome.report = try TraceRecovery.recover(folder.file("in.ptt"), to: folder.file("out.ptt"))
    let reader = try TraceReader(path: folder.file("out.ptt"))
    #expect(reader.isComplete)
    var batch = EventBatch()
    while try reader.next(into: &batch) {
      outcome.events += batch.events
      outcome.names += batch.events.map { reader.taskName($0.task) }
    }
    outcome.header = reader.header
    return outcome
  }

  private static func isLoss(_ event: Event) -> Bool {
    event.kind == .loss || event.kind == .lossEnd
  }

  @Test func anIntactFileLosesNothing() throws {
    let outcome = try Self.recover(Self.file())
    #expect(outcome.events == Self.events)
    #expect(!outcome.report.isLossy && outcome.report.damagedBytes == 0)
    #expect(outcome.header == TraceFiles.header)
    #expect(outcome.names[150] == "task 100" && outcome.names[399] == "task 300")
  }

  @Test(arguments: [EventStreams.Shape.wild, .narrow])
  func generationsAreKeptWhateverTheyAre(_ shape: EventStreams.Shape) throws {
    // `wild` events come with generations that follow no rule.
    let events = EventStreams.make(shape, count: 300, seed: 2)
    let options = TraceWriter.Options(blockEvents: 100, keepsGenerations: true)
    let outcome = TraceFiles.read(try TraceFiles.bytes(events, options: options))
    #expect(outcome.error == nil)
    let expected = events.map { event in
      var event = event
      let space = event.kind.fields.space
      if space == .none || space == .gracePeriod { event.generation = 0 }
      return event
    }
    #expect(outcome.events == expected)
  }

  @Test(arguments: 0..<10)
  func aDamagedBlockIsAHoleOfKnownSize(_ block: Int) throws {
    var bytes = try Self.file()
    let entry = try TraceReader(bytes: bytes).index[block]
    bytes[Int(entry.endOffset) - 3] ^= 0x40
    let outcome = try Self.recover(bytes)
    let first = block * Self.blockEvents
    #expect(outcome.report.holes.count == 1)
    #expect(outcome.report.holes.first?.firstOrdinal == UInt64(first))
    #expect(outcome.report.holes.first?.events == 40)
    #expect(outcome.report.lostEvents == 40 && outcome.report.isLossy)
    let rest = Self.events[..<first] + Self.events[(first + 40)...]
    #expect(outcome.events.filter { !Self.isLoss($0) } == Array(rest))
    let loss = try #require(outcome.events.firstIndex { $0.kind == .loss })
    #expect(loss == first)
    #expect(outcome.events[loss].arg0 == 40 && outcome.events[loss].cpu == Event.allCPUs)
    #expect(outcome.events[loss].object == UInt64(LossCause.damagedFile.rawValue))
    // Behind the last block nothing ends the loss.
    #expect(outcome.events.contains { $0.kind == .lossEnd } == (block < 9))
    #expect(outcome.header.remarks.last?.contains("40 events lost") == true)
  }

  @Test func bytesCutOutOrPutInAreFoundBehind() throws {
    let bytes = try Self.file()
    let index = try TraceReader(bytes: bytes).index
    let (third, fifth) = (Int(index[3].offset), Int(index[5].offset))
    let cut = try Self.recover(Array(bytes[..<(third + 50)] + bytes[(fifth - 7)...]))
    #expect(cut.report.lostEvents == 80 && cut.report.holeCount == 1)
    #expect(cut.events.count == 400 - 80 + 2)
    #expect(!cut.report.endIsDamaged)
    let whole = try Self.recover(Array(bytes[..<third] + bytes[fifth...]))
    #expect(whole.report.lostEvents == 80)
    let rubbish = FormatConstants.marker + [1, 2, 3] + FormatConstants.marker
    let more = try Self.recover(Array(bytes[..<third] + rubbish + bytes[third...]))
    #expect(more.events == Self.events)
    #expect(more.report.damagedBytes == UInt64(rubbish.count) && !more.report.isLossy)
    let last = Int(index[9].offset)
    let footer = Int(index[9].endOffset)
    let tail = try Self.recover(Array(bytes[..<last] + bytes[footer...]))
    #expect(tail.report.lostEvents == 40 && tail.events.last?.kind == .loss)
  }

  @Test func aFileWithoutItsEndIsCompleted() throws {
    let bytes = try Self.file()
    let index = try TraceReader(bytes: bytes).index
    let clean = try Self.recover(Array(bytes[..<Int(index[7].endOffset)]))
    #expect(clean.events == Array(Self.events[..<320]))
    #expect(clean.report.endIsMissing && !clean.report.isLossy)
    let inBlock = try Self.recover(Array(bytes[..<(Int(index[7].endOffset) - 1)]))
    #expect(inBlock.events.count == 281)
    #expect(inBlock.events.last?.kind == .loss)
    #expect(inBlock.events.last?.arg0 == Event.unknownCount)
    #expect(inBlock.report.uncountedHoles == 1)
    let inFooter = try Self.recover(Array(bytes[..<(bytes.count - 5)]))
    #expect(inFooter.events == Self.events && inFooter.report.holeCount == 0)
  }

  @Test func aDamagedStartIsTakenFromTheEnd() throws {
    let bytes = try Self.file()
    for place in [0, 9, 13, 30] {
      var damaged = bytes
      damaged[place] ^= 0x10
      let outcome = try Self.recover(damaged)
      #expect(outcome.events == Self.events && outcome.report.startIsDamaged)
      damaged[damaged.count - 1] ^= 1
      #expect(throws: TraceError.self) { try Self.recover(damaged) }
    }
  }

  @Test(arguments: 0..<60)
  func anyDamageKeepsEventsInOrder(_ seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    var bytes = try Self.file()
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      let start = Int.random(in: 200..<bytes.count, using: &random)
      let end = min(bytes.count, start + Int.random(in: 1...400, using: &random))
      switch UInt64.random(in: 0...2, using: &random) {
      case 0: bytes.removeSubrange(start..<end)
      case 1: for place in start..<end { bytes[place] = UInt8(truncatingIfNeeded: random.next()) }
      default: bytes.insert(contentsOf: bytes[start..<end], at: start)
      }
    }
    guard let outcome = try? Self.recover(bytes) else { return }
    var place = 0
    for event in outcome.events where !Self.isLoss(event) {
      while place < 400, Self.events[place] != event { place += 1 }
      #expect(place < 400, "an event that was never there")
      place += 1
    }
    let kept = outcome.events.count { !Self.isLoss($0) }
    #expect(kept % Self.blockEvents == 0 && UInt64(kept) == outcome.report.events)
    if outcome.report.uncountedHoles == 0, !outcome.report.endIsMissing {
      #expect(UInt64(kept) + outcome.report.lostEvents == 400)
    }
  }

  @Test func whatCannotBeRecovered() throws {
    let folder = TemporaryFolder()
    let bytes = try Self.file()
    try folder.write(bytes, to: "a.ptt")
    #expect(throws: TraceError.self) {
      try TraceRecovery.recover(folder.file("a.ptt"), to: folder.file("a.ptt"))
    }
    #expect(try folder.read("a.ptt") == bytes)
    for (name, content) in [("empty", []), ("text", Array("no trace".utf8))] {
      try folder.write(content, to: name)
      #expect(throws: TraceError.self) {
        try TraceRecovery.recover(folder.file(name), to: folder.file("out.ptt"))
      }
    }
    #expect(folder.names == ["a.ptt", "empty", "text"])
  }
}
