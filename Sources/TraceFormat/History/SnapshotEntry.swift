/// What the index says about one snapshot.
public struct SnapshotEntry: Sendable, Equatable {
  /// Where its section begins in the file, in bytes.
  public var offset: UInt64
  /// Length of the section with its header, in bytes.
  public var length: UInt32
  /// Number of events it holds.
  public var eventCount: UInt32
  /// Ordinal of the event behind it: what it holds is about the events before.
  public var ordinal: UInt64

  /// Offset of the first byte behind the section.
  var endOffset: UInt64 { offset &+ UInt64(length) }

  init(offset: UInt64, length: UInt32, eventCount: UInt32, ordinal: UInt64) {
    self.offset = offset
    self.length = length
    self.eventCount = eventCount
    self.ordinal = ordinal
  }

  /// Appends the entry as the footer has it.
  func append(to bytes: inout [UInt8]) {
    bytes.appendLittleEndian(offset)
    bytes.appendLittleEndian(length)
    bytes.appendLittleEndian(eventCount)
    bytes.appendLittleEndian(ordinal)
  }

  /// Reads the entry at `position`, where `FormatConstants.snapshotEntryBytes` bytes must lie.
  init(_ bytes: [UInt8], at position: Int) {
    offset = bytes.littleEndian(UInt64.self, at: position)
    length = bytes.littleEndian(UInt32.self, at: position + 8)
    eventCount = bytes.littleEndian(UInt32.self, at: position + 12)
    ordinal = bytes.littleEndian(UInt64.self, at: position + 16)
  }
}
