/// What the index says about one block.
public struct IndexEntry: Sendable, Equatable {
  /// Where the block begins in the file, in bytes.
  public var offset: UInt64
  /// Length of the block with its header, in bytes.
  public var length: UInt32
  /// Number of events; may be 0.
  public var eventCount: UInt32
  /// Ordinal of the first event.
  public var firstOrdinal: UInt64
  /// Index of the first string the block brings.
  public var firstString: UInt64
  /// Number of strings the block brings.
  public var stringCount: UInt32
  /// Smallest time of an event; 0 without events.
  public var timeMin: UInt64
  /// Largest time of an event; 0 without events.
  public var timeMax: UInt64
  /// Bit `min(cpu, 63)` is set where an event of that CPU is in the block.
  public var cpuMask: UInt64
  /// Bit `min(kind, 127)` is set where an event of that raw kind is in the block; bits 0–63.
  public var kindMaskLow: UInt64
  /// As ``kindMaskLow``, bits 64–127.
  public var kindMaskHigh: UInt64
  /// Page tables the events name.
  public var tables: TableRange

  /// An entry of nothing at `offset`.
  init(offset: UInt64) {
    self.offset = offset
    length = 0
    eventCount = 0
    firstOrdinal = 0
    firstString = 0
    stringCount = 0
    timeMin = 0
    timeMax = 0
    cpuMask = 0
    kindMaskLow = 0
    kindMaskHigh = 0
    tables = TableRange()
  }

  /// Whether an event of this kind is in the block.
  public func contains(_ kind: EventKind) -> Bool {
    let bit = min(kind.rawValue, 127)
    return (bit < 64 ? kindMaskLow >> bit : kindMaskHigh >> (bit - 64)) & 1 == 1
  }

  /// Whether an event of this CPU may be in the block (CPUs from 63 on share a bit).
  public func mayContain(cpu: UInt16) -> Bool { cpuMask >> min(cpu, 63) & 1 == 1 }

  /// Whether an event with one of these ordinals, which are sorted, is in the block.
  public func contains(oneOf ordinals: [UInt64]) -> Bool {
    var low = 0
    var high = ordinals.count
    while low < high {
      let middle = (low + high) / 2
      if ordinals[middle] < firstOrdinal { low = middle + 1 } else { high = middle }
    }
    return low < ordinals.count && ordinals[low] < endOrdinal
  }

  /// Ordinal of the first event behind the block.
  var endOrdinal: UInt64 { firstOrdinal &+ UInt64(eventCount) }

  /// Index of the first string behind the block.
  var endString: UInt64 { firstString &+ UInt64(stringCount) }

  /// Offset of the first byte behind the block.
  var endOffset: UInt64 { offset &+ UInt64(length) }

  /// Notes what is known of the events of the block.
  mutating func note(_ summary: BlockSummary) {
    (timeMin, timeMax) = (summary.timeMin, summary.timeMax)
    (cpuMask, kindMaskLow, kindMaskHigh) = (
      summary.cpuMask, summary.kindMaskLow, summary.kindMaskHigh
    )
    tables = summary.tables
  }

  /// Appends the entry as the footer has it.
  func append(to bytes: inout [UInt8]) {
    bytes.appendLittleEndian(offset)
    bytes.appendLittleEndian(length)
    bytes.appendLittleEndian(eventCount)
    bytes.appendLittleEndian(firstOrdinal)
    bytes.appendLittleEndian(firstString)
    bytes.appendLittleEndian(stringCount)
    bytes.appendLittleEndian(UInt32(0))
    appendSummary(to: &bytes)
  }

  /// Appends what is known of the events, as the index and a block's header have it.
  func appendSummary(to bytes: inout [UInt8]) {
    for value in [
      timeMin, timeMax, cpuMask, kindMaskLow, kindMaskHigh, tables.min, tables.max, tables.parts,
    ] {
      bytes.appendLittleEndian(value)
    }
  }

  /// Reads what is known of the events.
  mutating func readSummary(_ bytes: [UInt8], at position: Int) {
    timeMin = bytes.littleEndian(UInt64.self, at: position)
    timeMax = bytes.littleEndian(UInt64.self, at: position + 8)
    cpuMask = bytes.littleEndian(UInt64.self, at: position + 16)
    kindMaskLow = bytes.littleEndian(UInt64.self, at: position + 24)
    kindMaskHigh = bytes.littleEndian(UInt64.self, at: position + 32)
    tables.min = bytes.littleEndian(UInt64.self, at: position + 40)
    tables.max = bytes.littleEndian(UInt64.self, at: position + 48)
    tables.parts = bytes.littleEndian(UInt64.self, at: position + 56)
  }

  /// Reads the entry at `position`, where `FormatConstants.indexEntryBytes` bytes must lie.
  init(_ bytes: [UInt8], at position: Int) {
    self.init(offset: bytes.littleEndian(UInt64.self, at: position))
    length = bytes.littleEndian(UInt32.self, at: position + 8)
    eventCount = bytes.littleEndian(UInt32.self, at: position + 12)
    firstOrdinal = bytes.littleEndian(UInt64.self, at: position + 16)
    firstString = bytes.littleEndian(UInt64.self, at: position + 24)
    stringCount = bytes.littleEndian(UInt32.self, at: position + 32)
    readSummary(bytes, at: position + 40)
  }
}
