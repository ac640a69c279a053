/// The end of a complete file: the completed header, the totals and the index.
struct Footer {
  var header: TraceHeader
  var index: [IndexEntry]
  var snapshots: [SnapshotEntry]
  var eventCount: UInt64
  var stringCount: UInt64

  /// The footer's section and the trailer behind it, for a footer that begins at `offset`.
  func bytes(at offset: UInt64) throws(FormatProblem) -> [UInt8] {
    let json = try HeaderJSON.encode(header)
    var payload = json
    for entry in index { entry.append(to: &payload) }
    for entry in snapshots { entry.append(to: &payload) }
    var bytes: [UInt8] = []
    SectionPrefix(
      kind: .footer, columnCount: 0, headerLength: FormatConstants.footerHeaderBytes,
      payloadLength: payload.count
    ).append(to: &bytes)
    bytes.appendLittleEndian(eventCount)
    bytes.appendLittleEndian(UInt64(index.count))
    bytes.appendLittleEndian(stringCount)
    bytes.appendLittleEndian(UInt32(json.count))
    bytes.appendLittleEndian(UInt32(FormatConstants.indexEntryBytes))
    bytes.appendLittleEndian(CRC32C.checksum(payload))
    bytes.appendLittleEndian(UInt32(snapshots.count))
    bytes.appendLittleEndian(UInt32(FormatConstants.snapshotEntryBytes))
    bytes.appendLittleEndian(CRC32C.checksum(bytes))
    bytes.append(contentsOf: payload)
    bytes.append(contentsOf: Self.trailer(footerAt: offset))
    return bytes
  }

  /// The last bytes of a file whose footer begins at `offset`.
  static func trailer(footerAt offset: UInt64) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.appendLittleEndian(offset)
    bytes.appendLittleEndian(CRC32C.checksum(bytes))
    bytes.append(contentsOf: FormatConstants.endMagic)
    return bytes
  }

  /// Where the footer begins, if `bytes` are a trailer.
  static func footerOffset(trailer bytes: [UInt8]) -> UInt64? {
    guard bytes.count == FormatConstants.trailerBytes else { return nil }
    let offset = bytes.littleEndian(UInt64.self, at: 0)
    return bytes == trailer(footerAt: offset) ? offset : nil
  }

  /// The lengths a footer's header promises, before its payload is read.
  struct Lengths {
    let json: Int
    let entries: Int
    let entryBytes: Int
    let snapshots: Int
    let snapshotBytes: Int
    let checksum: UInt32
    let eventCount: UInt64
    let stringCount: UInt64

    /// Reads a footer's whole section header.
    init(_ bytes: [UInt8], prefix: SectionPrefix) throws(FormatProblem) {
      try SectionPrefix.verify(bytes)
      eventCount = bytes.littleEndian(UInt64.self, at: 16)
      let entries = bytes.littleEndian(UInt64.self, at: 24)
      stringCount = bytes.littleEndian(UInt64.self, at: 32)
      json = Int(bytes.littleEndian(UInt32.self, at: 40))
      entryBytes = Int(bytes.littleEndian(UInt32.self, at: 44))
      checksum = bytes.littleEndian(UInt32.self, at: 48)
      snapshots = Int(bytes.littleEndian(UInt32.self, at: 52))
      snapshotBytes = Int(bytes.littleEndian(UInt32.self, at: 56))
      guard json <= FormatLimits.headerBytes, json <= prefix.payloadLength,
        prefix.payloadLength <= FormatLimits.footerBytes,
        entryBytes >= FormatConstants.indexEntryBytes, entryBytes <= 4096,
        snapshotBytes >= FormatConstants.snapshotEntryBytes, snapshotBytes <= 4096
      else { throw FormatProblem("the footer's lengths are out of bounds") }
      let (product, overflow) = entries.multipliedReportingOverflow(by: UInt64(entryBytes))
      let rest = UInt64(snapshots) * UInt64(snapshotBytes) + UInt64(json)
      guard !overflow, rest <= UInt64(prefix.payloadLength),
        product == UInt64(prefix.payloadLength) - rest
      else {
        throw FormatProblem("the footer's lengths do not add up")
      }
      self.entries = Int(entries)
    }
  }

  init(
    header: TraceHeader, index: [IndexEntry], snapshots: [SnapshotEntry], eventCount: UInt64,
    stringCount: UInt64
  ) {
    self.header = header
    self.index = index
    self.snapshots = snapshots
    self.eventCount = eventCount
    self.stringCount = stringCount
  }

  /// Reads a footer's payload and checks that its index is a run of blocks and snapshots from
  /// `start` to `offset`, where the footer begins.
  init(
    payload: [UInt8], _ lengths: Lengths, blocksFrom start: UInt64, to offset: UInt64
  ) throws(FormatProblem) {
    guard CRC32C.checksum(payload) == lengths.checksum else {
      throw FormatProblem("the footer's checksum does not match")
    }
    header = try HeaderJSON.decode(payload[..<lengths.json])
    index = (0..<lengths.entries).map {
      IndexEntry(payload, at: lengths.json + $0 * lengths.entryBytes)
    }
    let behindIndex = lengths.json + lengths.entries * lengths.entryBytes
    snapshots = (0..<lengths.snapshots).map {
      SnapshotEntry(payload, at: behindIndex + $0 * lengths.snapshotBytes)
    }
    eventCount = lengths.eventCount
    stringCount = lengths.stringCount
    let first = header.firstOrdinal ?? 0
    var end = (offset: start, ordinal: first, string: UInt64(0))
    var rest = snapshots[...]
    func passSnapshots() throws(FormatProblem) {
      while let next = rest.first, next.offset == end.offset {
        guard next.ordinal == end.ordinal else {
          throw FormatProblem("the index has a snapshot in the wrong place at byte \(end.offset)")
        }
        end.offset = next.endOffset
        rest.removeFirst()
      }
    }
    for entry in index {
      try passSnapshots()
      guard entry.offset == end.offset, entry.firstOrdinal == end.ordinal,
        entry.firstString == end.string
      else { throw FormatProblem("the index has a gap at byte \(end.offset)") }
      guard entry.length > FormatConstants.blockFixedBytes else {
        throw FormatProblem("the index has a block of \(entry.length) bytes")
      }
      end = (entry.endOffset, entry.endOrdinal, entry.endString)
    }
    try passSnapshots()
    guard end.offset == offset, end.ordinal == first &+ eventCount, end.string == stringCount,
      rest.isEmpty
    else {
      throw FormatProblem("the index does not add up")
    }
  }
}
