import Testing

@testable import TraceFormat

/// Snapshots are stored where they are asked for, found, and never in the way.
@Suite struct SnapshotTests {
  private static let events = TraceFiles.numbered(
    EventStreams.make(.lives, count: 3000, seed: 21))

  private static func file(_ snapshots: TraceWriter.Snapshots) throws -> [UInt8] {
    try TraceFiles.bytes(
      events, options: .init(blockEvents: 100, snapshots: snapshots)
    ) {
      if $1 % 500 == 0 { try $0.setTaskName("task \($1)", of: 100) }
    }
  }

  @Test func theyStandWhereTheyAreAskedFor() throws {
    let reader = try TraceReader(bytes: Self.file(.every(250)))
    #expect(reader.snapshots.map(\.ordinal) == (1...12).map { $0 * 250 })
    #expect(reader.index.map(\.eventCount).reduce(0, +) == 3000)
    #expect(try TraceReader(bytes: Self.file(.none)).snapshots.isEmpty)
    #expect(try TraceReader(bytes: Self.file(.automatic)).snapshots.isEmpty)
  }

  @Test func readingPassesOverThem() throws {
    for bytes in [try Self.file(.every(100)), try Self.file(.none)] {
      let outcome = TraceFiles.read(bytes)
      #expect(outcome.events == Self.events && outcome.error == nil && outcome.isComplete)
    }
  }

  @Test func theyHoldEventsOfTheTraceInOrder() throws {
    let reader = try TraceReader(bytes: Self.file(.every(700)))
    for ordinal in UInt64(0)..<3000 where ordinal % 97 == 0 || ordinal % 700 == 0 {
      let history = reader.history(before: ordinal)
      #expect(history?.ordinal == (ordinal < 700 ? nil : ordinal / 700 * 700))
      guard let history else { continue }
      #expect(history.items.allSatisfy { $0.event == Self.events[Int($0.ordinal)] })
      for (one, next) in zip(history.items, history.items.dropFirst()) {
        #expect(one.ordinal < next.ordinal)
      }
      #expect(history.items.last.map { $0.ordinal < history.ordinal } == true)
      #expect(history.taskNames[100] == "task \((history.ordinal - 1) / 500 * 500)")
      let batches = history.batches
      #expect(batches.flatMap(\.events) == history.items.map(\.event))
    }
  }

  @Test func whatGoesOnFromOneIsTheNext() throws {
    let reader = try TraceReader(bytes: Self.file(.every(500)))
    for (one, next) in zip(reader.snapshots, reader.snapshots.dropFirst()) {
      var keeper = HistoryKeeper(try #require(reader.history(before: one.ordinal)))
      for ordinal in one.ordinal..<next.ordinal {
        keeper.take(Self.events[Int(ordinal)], at: ordinal)
      }
      let expected = try #require(reader.history(before: next.ordinal))
      let found = keeper.history(at: next.ordinal).items
      let missing = expected.items.filter { !found.contains($0) }
      let added = found.filter { !expected.items.contains($0) }
      #expect(missing.isEmpty, "\(missing.prefix(3))")
      #expect(added.isEmpty, "\(added.prefix(3))")
    }
  }

  @Test func aDamagedOneIsPassedOver() throws {
    var bytes = try Self.file(.every(1000))
    let reader = try TraceReader(bytes: bytes)
    bytes[Int(reader.snapshots[1].endOffset) - 1] ^= 1
    let damaged = try TraceReader(bytes: bytes)
    #expect(damaged.history(before: 2500)?.ordinal == 1000)
    #expect(TraceFiles.read(bytes).events == Self.events)
    #expect(throws: TraceError.self) { try damaged.verifySnapshots() }
    try reader.verifySnapshots()
    let folder = TemporaryFolder()
    try folder.write(bytes, to: "in.ptt")
    let report = try TraceRecovery.recover(folder.file("in.ptt"), to: folder.file("out.ptt"))
    #expect(!report.isLossy && report.events == 3000)
    #expect(report.damagedBytes == UInt64(reader.snapshots[1].length))
  }

  /// Whichever byte of a file with snapshots has a bit flipped: events and histories are those of the
  /// intact file or missing, something notices, and no damage to a snapshot costs an event.
  @Test func everyFlippedByteIsNoticedAndCostsNoEventOfABlock() throws {
    let events = Array(Self.events[..<30])
    let bytes = try TraceFiles.bytes(events, options: .init(blockEvents: 8, snapshots: .every(10)))
    let intact = try TraceReader(bytes: bytes)
    #expect(intact.snapshots.count == 3)
    let folder = TemporaryFolder()
    for byte in stride(from: 0, to: bytes.count, by: 3) {
      var damaged = bytes
      damaged[byte] ^= 1 << (byte % 8)
      let outcome = TraceFiles.read(damaged)
      #expect(outcome.events == Array(events[..<outcome.events.count]), "byte \(byte)")
      #expect(outcome.error != nil || outcome.events.count == events.count, "byte \(byte)")
      guard let reader = try? TraceReader(bytes: damaged) else { continue }
      for ordinal in stride(from: UInt64(0), through: 30, by: 5) {
        guard let history = reader.history(before: ordinal) else { continue }
        #expect(history == intact.history(before: history.ordinal), "byte \(byte)")
      }
      let isSeen = outcome.error != nil || (try? reader.verifySnapshots()) == nil
      #expect(isSeen, "byte \(byte)")
      let isInSnapshot = intact.snapshots.contains {
        (Int($0.offset)..<Int($0.endOffset)).contains(byte)
      }
      guard isInSnapshot, byte % 93 == 0 else { continue }
      try folder.write(damaged, to: "in.ptt")
      let report = try TraceRecovery.recover(folder.file("in.ptt"), to: folder.file("out.ptt"))
      #expect(report.events == 30 && !report.isLossy, "byte \(byte)")
    }
  }

  /// The trace inside a snapshot has blocks and a footer, which a search for intact sections finds.
  @Test func whatIsInsideADamagedOneIsNotTheTrace() throws {
    let folder = TemporaryFolder()
    let events = Array(Self.events[..<40])
    let options = TraceWriter.Options(blockEvents: 20, snapshots: .every(20))
    let bytes = try TraceFiles.bytes(events, options: options)
    let reader = try TraceReader(bytes: bytes)
    // The first block is lost, and the header of the snapshot behind it.
    var damaged = bytes
    damaged[Int(reader.index[0].offset) + 20] ^= 1
    damaged[Int(reader.snapshots[0].offset) + 20] ^= 1
    try folder.write(damaged, to: "in.ptt")
    let report = try TraceRecovery.recover(folder.file("in.ptt"), to: folder.file("out.ptt"))
    #expect(report.events == 20 && report.lostEvents == 20 && report.holeCount == 1)
    let outcome = TraceFiles.read(try folder.read("out.ptt"))
    #expect(
      outcome.events.filter { $0.kind != .loss && $0.kind != .lossEnd }.map(\.time)
        == events[20...].map(\.time))
    // A slice begins with a snapshot, which may hold more events than are behind it.
    try folder.write(bytes, to: "whole.ptt")
    _ = try TraceSlice.cut(
      .ordinals(30...33), of: folder.file("whole.ptt"), to: folder.file("slice.ptt"))
    let slice = try folder.read("slice.ptt")
    let start = Int(try TraceReader(bytes: slice).snapshots[0].offset)
    for place in [20, 39, 60] {
      var damaged = slice
      damaged[start + place] ^= 1
      try folder.write(damaged, to: "in.ptt")
      let report = try TraceRecovery.recover(folder.file("in.ptt"), to: folder.file("out.ptt"))
      #expect(report.events == 4 && !report.isLossy, "byte \(place)")
    }
  }

  @Test func everyPrefixHasThoseThatAreWhole() throws {
    let events = Array(Self.events[..<30])
    let bytes = try TraceFiles.bytes(events, options: .init(blockEvents: 8, snapshots: .every(10)))
    let intact = try TraceReader(bytes: bytes)
    for length in 0..<bytes.count {
      let prefix = Array(bytes[..<length])
      let outcome = TraceFiles.read(prefix)
      #expect(outcome.events == Array(events[..<outcome.events.count]) && !outcome.isComplete)
      guard let reader = try? TraceReader(bytes: prefix) else { continue }
      let whole = intact.snapshots.filter { $0.endOffset <= UInt64(length) }
      #expect(reader.snapshots == whole, "length \(length)")
      let last = whole.last.flatMap { intact.history(before: $0.ordinal) }
      #expect(reader.history(before: 30) == last, "length \(length)")
    }
  }

  /// As a kill leaves it: behind a snapshot, or inside one.
  @Test func nothingIsLostWithAnUnfinishedOne() throws {
    let bytes = try Self.file(.every(1000))
    let reader = try TraceReader(bytes: bytes)
    let snapshot = reader.snapshots[1]
    let header = FormatConstants.snapshotHeaderBytes
    let folder = TemporaryFolder()
    for length in [
      9, header - 1, header, header + 1, Int(snapshot.length) - 1, Int(snapshot.length),
    ] {
      try folder.write(Array(bytes[..<(Int(snapshot.offset) + length)]), to: "in.ptt")
      let report = try TraceRecovery.recover(folder.file("in.ptt"), to: folder.file("out.ptt"))
      #expect(!report.isLossy && report.endIsMissing && report.events == 2000, "\(length)")
      #expect(report.damagedBytes == UInt64(length == snapshot.length ? 0 : length))
    }
  }

  @Test func anUnfinishedFileHasThemToo() throws {
    let bytes = try Self.file(.every(1000))
    let whole = try TraceReader(bytes: bytes)
    let cut = try TraceReader(bytes: Array(bytes[..<Int(whole.index[24].offset)]))
    #expect(!cut.isComplete && cut.snapshots == Array(whole.snapshots.prefix(2)))
    #expect(cut.history(before: 2400) == whole.history(before: 2400))
  }

  /// Any bytes at all in a snapshot's payload, with the right checksums: an error or a history.
  @Test func noiseNeverTraps() throws {
    var random = SplitMix64(seed: 3)
    let history = try #require(TraceReader(bytes: Self.file(.every(500))).history(before: 500))
    let section = try #require(try SnapshotSection.bytes(history))
    let length = FormatConstants.snapshotHeaderBytes
    for _ in 0..<600 {
      var payload = Array(section[length...])
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        payload[Int.random(in: 0..<min(payload.count, 700), using: &random)] =
          [0, 1, 0x7f, 0x80, 0xff].randomElement(using: &random)!
      }
      var header = Array(section[..<36])
      header.appendLittleEndian(CRC32C.checksum(payload))
      header.appendLittleEndian(CRC32C.checksum(header))
      let parsed = try SnapshotSection.Header(header, prefix: SectionPrefix(header), at: 0)
      if let read = try? SnapshotSection.history(payload, parsed) {
        #expect(read.items.count == history.items.count)
      }
    }
  }

  @Test func livesThatEndedGoFirst() {
    let limit = 1000
    var keeper = HistoryKeeper(numbersEvents: true, itemLimit: limit)
    for number in 0..<UInt64(limit) {
      keeper.take(Event(.tableAlloc, time: 0, object: number), at: number * 2)
      keeper.take(Event(.tableFree, time: 0, object: number), at: number * 2 + 1)
    }
    #expect(keeper.itemCount <= limit + 2)
    #expect(keeper.livesLeftOut >= limit / 2)
    let items = keeper.history(at: UInt64(2 * limit)).items
    #expect(items.last?.ordinal == UInt64(2 * limit - 1))
  }
}
