import Testing

@testable import TraceFormat

/// A damaged file is an error or reads as it was written; it never traps and never lies.
@Suite struct DamageTests {
  private static let events = TraceFiles.numbered(
    EventStreams.make(.lives, count: 40, seed: 4) + EventStreams.make(.wild, count: 5, seed: 4))

  private static func file(_ codec: TraceWriter.Codec) throws -> [UInt8] {
    try TraceFiles.bytes(events, options: .init(blockEvents: 20, codec: codec)) {
      if $1 % 10 == 0 { try $0.setTaskName("task \($1)", of: 100) }
      if $1 == 30 { _ = try $0.addString("a remark") }
    }
  }

  @Test(arguments: [TraceWriter.Codec.zstd(level: 3), .none])
  func everyPrefixIsAnErrorOrAPrefix(_ codec: TraceWriter.Codec) throws {
    let whole = try Self.file(codec)
    let reader = try TraceReader(bytes: whole)
    let headerEnd = reader.index[0].offset
    let boundaries = [headerEnd] + reader.index.map(\.endOffset)
    for length in 0..<whole.count {
      let outcome = TraceFiles.read(Array(whole[..<length]))
      let intact = reader.index.filter { $0.endOffset <= length }.last?.endOrdinal ?? 0
      #expect(outcome.events == Array(Self.events[..<Int(intact)]), "length \(length)")
      #expect(!outcome.isComplete)
      let isBoundary = boundaries.contains(UInt64(length))
      #expect((outcome.error == nil) == isBoundary, "length \(length)")
    }
  }

  @Test(arguments: [TraceWriter.Codec.zstd(level: 3), .none])
  func everyFlippedBitIsAnErrorOrChangesNothing(_ codec: TraceWriter.Codec) throws {
    let events = TraceFiles.numbered(
      EventStreams.make(.lives, count: 14, seed: 4) + EventStreams.make(.wild, count: 2, seed: 4))
    var bytes = try TraceFiles.bytes(events, options: .init(blockEvents: 9, codec: codec)) {
      if $1 == 3 { try $0.setTaskName("task", of: 100) }
      if $1 == 12 { _ = try $0.addString("a remark") }
    }
    var survived = 0
    for bit in 0..<(bytes.count * 8) {
      bytes[bit / 8] ^= 1 << (bit % 8)
      let outcome = TraceFiles.read(bytes)
      bytes[bit / 8] ^= 1 << (bit % 8)
      if outcome.error == nil { survived += 1 }
      if outcome.events != Array(events[..<outcome.events.count])
        || (outcome.error == nil && outcome.events.count < events.count)
      {
        Issue.record("bit \(bit) changes the events")
      }
    }
    // Every byte of a file is under some checksum.
    #expect(survived == 0)
  }

  @Test func damageIsReportedEachTimeAndWithItsPlace() throws {
    var bytes = try Self.file(.none)
    let second = try TraceReader(bytes: bytes).index[1]
    bytes[Int(second.endOffset) - 1] ^= 1
    let reader = try TraceReader(bytes: bytes, name: "x.ptt")
    var batch = EventBatch()
    var got = 0
    let error = #expect(throws: TraceError.self) {
      while try reader.next(into: &batch) { got += batch.events.count }
    }
    #expect(got == 20)
    #expect(batch.events.isEmpty)
    #expect(error?.file == "x.ptt")
    #expect(error?.what.contains("block 1 at byte \(second.offset)") == true)
    #expect(error?.hint.contains("20 events") == true)
    #expect(throws: error!) { _ = try reader.next(into: &batch) }
    try reader.seek(toOrdinal: 42)
    #expect(try reader.next(into: &batch))
    #expect(batch.events[0] == Self.events[42])
  }

  @Test func aMissingFooterIsRebuilt() throws {
    let whole = try Self.file(.zstd(level: 3))
    let complete = try TraceReader(bytes: whole)
    let end = Int(complete.index.last!.endOffset)
    let reader = try TraceReader(bytes: Array(whole[..<end]))
    #expect(!reader.isComplete)
    #expect(reader.index == complete.index)
    #expect(reader.eventCount == 45)
    #expect(reader.warning?.contains("45 events in 3 blocks") == true)
    try reader.seek(toOrdinal: 30)
    var batch = EventBatch()
    #expect(try reader.next(into: &batch))
    #expect(batch.events[0] == Self.events[30])
  }

  @Test func bytesBehindTheEndAreAnError() throws {
    let outcome = TraceFiles.read(try Self.file(.none) + [0])
    #expect(outcome.events == Self.events)
    #expect(outcome.error?.what.contains("bytes follow the end") == true)
  }

  @Test func anotherVersionIsRefused() throws {
    var bytes = try Self.file(.none)
    bytes[8] = 9
    let error = TraceFiles.read(bytes).error
    #expect(error?.what.contains("version 9.") == true)
    #expect(error?.hint.isEmpty == false)
  }

  /// Lengths a file may claim, with a valid checksum behind them.
  enum Claim: CaseIterable {
    case fileHeader
    case payload
    case events
    case strings
    case rawLength
    case storedLength
  }

  @Test(arguments: Claim.allCases)
  func hugeClaimsAreRefusedBeforeAllocation(_ claim: Claim) throws {
    var bytes = try Self.file(.zstd(level: 3))
    let block = Int(try TraceReader(bytes: bytes).index[0].offset)
    let place: Int
    switch claim {
    case .fileHeader: place = 12
    case .payload: place = block + 12
    case .events: place = block + 16
    case .strings: place = block + 20
    case .rawLength: place = block + FormatConstants.blockFixedBytes + 6 * 16 + 4
    case .storedLength: place = block + FormatConstants.blockFixedBytes + 6 * 16 + 8
    }
    for value: UInt32 in [0, 0x0010_0000, 0x7fff_ffff, .max] {
      for byte in 0..<4 { bytes[place + byte] = UInt8(truncatingIfNeeded: value >> (8 * byte)) }
      let end = block + Int(bytes.littleEndian(UInt16.self, at: block + 10)) - 4
      let checksum = CRC32C.checksum(bytes, block..<end)
      for byte in 0..<4 { bytes[end + byte] = UInt8(truncatingIfNeeded: checksum >> (8 * byte)) }
      let outcome = TraceFiles.read(bytes)
      if claim == .strings && value == 0 { continue }
      #expect(outcome.error != nil, "\(value)")
      #expect(outcome.events.isEmpty, "\(value)")
    }
  }

  /// Blocks whose checksums are right and whose columns are noise.
  @Test func noiseWithRightChecksumsNeverTraps() throws {
    var random = SplitMix64(seed: 12)
    var decoded = 0
    for _ in 0..<3000 {
      let count = Int.random(in: 1...40, using: &random)
      let columns = NoiseColumns.make(events: count, &random)
      var entry = IndexEntry(offset: 0)
      entry.eventCount = UInt32(count)
      let packer = BlockPacker(codec: .none)
      var bytes = try FileHeader.bytes(TraceFiles.header)
      bytes += packer.pack(columns, timeBase: random.next(), entry: &entry)
      let outcome = TraceFiles.read(bytes)
      #expect(outcome.error != nil || outcome.events.count == count)
      if outcome.error == nil { decoded += 1 }
    }
    #expect(decoded < 3000)
  }

  /// Bytes changed anywhere, with every checksum made right again behind them.
  @Test(arguments: [UInt64(1), 2, 3])
  func changesWithRightChecksumsNeverTrap(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let whole = try Self.file(.none)
    let index = try TraceReader(bytes: whole).index
    var read = 0
    for _ in 0..<1500 {
      var bytes = whole
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        bytes[place] = [0, 1, 0x7f, 0x80, 0xff].randomElement(using: &random)!
      }
      Self.repair(&bytes, index)
      let outcome = TraceFiles.read(bytes)
      #expect(outcome.error != nil || outcome.events.count == Self.events.count)
      read += outcome.events.count
    }
    #expect(read > 0)
  }

  /// Makes every checksum right that stands where an intact file with this index has it.
  private static func repair(_ bytes: inout [UInt8], _ index: [IndexEntry]) {
    func put(_ checksum: UInt32, at place: Int) {
      for byte in 0..<4 { bytes[place + byte] = UInt8(truncatingIfNeeded: checksum >> (8 * byte)) }
    }
    let start = Int(index[0].offset)
    put(CRC32C.checksum(bytes, 0..<(start - 4)), at: start - 4)
    for entry in index {
      let block = Int(entry.offset)
      let columns = Int(bytes[block + 9])
      var data = block + FormatConstants.blockFixedBytes + 4 + 16 * columns
      for column in 0..<columns {
        let place = block + FormatConstants.blockFixedBytes + 16 * column
        let length = Int(bytes.littleEndian(UInt32.self, at: place + 8))
        guard data + length <= bytes.count else { return }
        put(CRC32C.checksum(bytes, data..<(data + length)), at: place + 12)
        data += length
      }
      let end = block + FormatConstants.blockFixedBytes + 16 * columns
      guard end + 4 <= bytes.count else { return }
      put(CRC32C.checksum(bytes, block..<end), at: end)
    }
    let footer = Int(index.last!.endOffset)
    let trailer = bytes.count - FormatConstants.trailerBytes
    put(CRC32C.checksum(bytes, (footer + 56)..<trailer), at: footer + 48)
    put(CRC32C.checksum(bytes, footer..<(footer + 52)), at: footer + 52)
    put(CRC32C.checksum(bytes, trailer..<(trailer + 8)), at: trailer + 8)
  }

  @Test func noiseBehindTheHeaderNeverTraps() throws {
    var random = SplitMix64(seed: 77)
    let start = try FileHeader.bytes(TraceFiles.header)
    for _ in 0..<3000 {
      var bytes = start + FormatConstants.marker
      for _ in 0..<Int.random(in: 0...200, using: &random) {
        let noise = UInt8.random(in: 0...255, using: &random)
        bytes.append([0, 1, 2, 0xff, noise].randomElement(using: &random)!)
      }
      let outcome = TraceFiles.read(bytes)
      #expect(outcome.error != nil)
      #expect(outcome.events.isEmpty)
    }
  }
}
