/// What is wrong with bytes of a file, without the file's name and the place.
struct FormatProblem: Error {
  let what: String
  /// The file ends inside a section: it is being written, or was cut off.
  let isCutOff: Bool

  init(_ what: String, isCutOff: Bool = false) {
    self.what = what
    self.isCutOff = isCutOff
  }
}

/// The first bytes of a section: its type and how long it is.
struct SectionPrefix {
  enum Kind: UInt8 {
    case block = 1
    case footer = 2
    case snapshot = 3
  }

  let kind: Kind
  /// Entries of the column directory.
  let columnCount: Int
  /// Bytes of the whole header, marker and CRC included.
  let headerLength: Int
  /// Bytes behind the header.
  let payloadLength: Int

  init(kind: Kind, columnCount: Int, headerLength: Int, payloadLength: Int) {
    self.kind = kind
    self.columnCount = columnCount
    self.headerLength = headerLength
    self.payloadLength = payloadLength
  }

  /// Reads a prefix; `bytes` holds at least `FormatConstants.sectionPrefixBytes`.
  init(_ bytes: [UInt8]) throws(FormatProblem) {
    guard bytes.starts(with: FormatConstants.marker) else {
      throw FormatProblem("no section begins here: the marker is missing")
    }
    guard let kind = Kind(rawValue: bytes[8]) else {
      throw FormatProblem("section of unknown type \(bytes[8])")
    }
    self.kind = kind
    columnCount = Int(bytes[9])
    headerLength = Int(bytes.littleEndian(UInt16.self, at: 10))
    payloadLength = Int(bytes.littleEndian(UInt32.self, at: 12))
    let least: Int
    switch kind {
    case .block:
      least =
        FormatConstants.blockFixedBytes + 4 + columnCount * FormatConstants.directoryEntryBytes
    case .footer: least = FormatConstants.footerHeaderBytes
    case .snapshot: least = FormatConstants.snapshotHeaderBytes
    }
    guard headerLength >= least, headerLength <= FormatLimits.sectionHeaderBytes else {
      throw FormatProblem("header length \(headerLength) is out of bounds")
    }
  }

  func append(to bytes: inout [UInt8]) {
    bytes.append(contentsOf: FormatConstants.marker)
    bytes.append(kind.rawValue)
    bytes.append(UInt8(columnCount))
    bytes.appendLittleEndian(UInt16(headerLength))
    bytes.appendLittleEndian(UInt32(payloadLength))
  }

  /// Checks the CRC in the last four bytes of a whole header.
  static func verify(_ header: [UInt8]) throws(FormatProblem) {
    let end = header.count - 4
    guard CRC32C.checksum(header, 0..<end) == header.littleEndian(UInt32.self, at: end) else {
      throw FormatProblem("the header's checksum does not match")
    }
  }
}

/// One entry of a block's column directory.
struct DirectoryEntry {
  /// Number of the column; see ``ColumnID``.
  var id: UInt8
  /// See ``ColumnEncoding``.
  var encoding: UInt8
  /// Bytes before compression.
  var rawLength: Int
  /// Bytes in the file.
  var storedLength: Int
  /// CRC-32C of the bytes in the file.
  var checksum: UInt32

  func append(to bytes: inout [UInt8]) {
    bytes.append(id)
    bytes.append(encoding)
    bytes.appendLittleEndian(UInt16(0))
    bytes.appendLittleEndian(UInt32(rawLength))
    bytes.appendLittleEndian(UInt32(storedLength))
    bytes.appendLittleEndian(checksum)
  }
}

/// The header of a block: what the index repeats, the time base and the column directory.
struct BlockHeader {
  var entry: IndexEntry
  var timeBase: UInt64
  var directory: [DirectoryEntry]

  /// The header in bytes, with its CRC; `entry.length` must be known.
  func bytes() -> [UInt8] {
    let length =
      FormatConstants.blockFixedBytes + 4 + directory.count * FormatConstants.directoryEntryBytes
    var bytes: [UInt8] = []
    bytes.reserveCapacity(length)
    SectionPrefix(
      kind: .block, columnCount: directory.count, headerLength: length,
      payloadLength: directory.reduce(0) { $0 + $1.storedLength }
    ).append(to: &bytes)
    bytes.appendLittleEndian(entry.eventCount)
    bytes.appendLittleEndian(entry.stringCount)
    bytes.appendLittleEndian(entry.firstOrdinal)
    bytes.appendLittleEndian(entry.firstString)
    bytes.appendLittleEndian(timeBase)
    entry.appendSummary(to: &bytes)
    for column in directory { column.append(to: &bytes) }
    bytes.appendLittleEndian(CRC32C.checksum(bytes))
    return bytes
  }

  /// Reads a whole block header that lies at `offset` in its file and checks every limit in it.
  init(_ bytes: [UInt8], prefix: SectionPrefix, at offset: UInt64) throws(FormatProblem) {
    try SectionPrefix.verify(bytes)
    entry = IndexEntry(offset: offset)
    entry.length = UInt32(clamping: prefix.headerLength + prefix.payloadLength)
    entry.eventCount = bytes.littleEndian(UInt32.self, at: 16)
    entry.stringCount = bytes.littleEndian(UInt32.self, at: 20)
    entry.firstOrdinal = bytes.littleEndian(UInt64.self, at: 24)
    entry.firstString = bytes.littleEndian(UInt64.self, at: 32)
    timeBase = bytes.littleEndian(UInt64.self, at: 40)
    entry.readSummary(bytes, at: 48)
    guard entry.eventCount <= FormatLimits.blockEvents else {
      throw FormatProblem("\(entry.eventCount) events are more than a block may hold")
    }
    guard entry.stringCount <= FormatLimits.blockStrings else {
      throw FormatProblem("\(entry.stringCount) strings are more than a block may hold")
    }
    directory = []
    try readDirectory(bytes, count: prefix.columnCount)
    guard directory.reduce(0, { $0 + $1.storedLength }) == prefix.payloadLength else {
      throw FormatProblem("the columns' lengths do not add up to the payload's")
    }
  }

  init(entry: IndexEntry, timeBase: UInt64, directory: [DirectoryEntry]) {
    self.entry = entry
    self.timeBase = timeBase
    self.directory = directory
  }

  private mutating func readDirectory(_ bytes: [UInt8], count: Int) throws(FormatProblem) {
    var last = 0
    for index in 0..<count {
      let place = FormatConstants.blockFixedBytes + index * FormatConstants.directoryEntryBytes
      let column = DirectoryEntry(
        id: bytes[place], encoding: bytes[place + 1],
        rawLength: Int(bytes.littleEndian(UInt32.self, at: place + 4)),
        storedLength: Int(bytes.littleEndian(UInt32.self, at: place + 8)),
        checksum: bytes.littleEndian(UInt32.self, at: place + 12))
      guard Int(column.id) > last else {
        throw FormatProblem("column \(column.id) stands in the wrong place")
      }
      last = Int(column.id)
      try check(column)
      directory.append(column)
    }
    // A column that is not there is empty.
    for id in ColumnID.allCases where !directory.contains(where: { $0.id == id.rawValue }) {
      guard id.rawLengths(events: Int(entry.eventCount)).contains(0) else {
        throw FormatProblem("column \(id.name) is missing")
      }
    }
  }

  private func check(_ column: DirectoryEntry) throws(FormatProblem) {
    guard let id = ColumnID(rawValue: column.id) else {
      guard column.id >= ColumnID.firstOptional else {
        throw FormatProblem("column of unknown type \(column.id)")
      }
      guard column.storedLength <= FormatLimits.textBytes else {
        throw FormatProblem("column \(column.id) is too long")
      }
      return
    }
    guard let encoding = ColumnEncoding(rawValue: column.encoding) else {
      throw FormatProblem("column \(id.name) has unknown encoding \(column.encoding)")
    }
    guard id.rawLengths(events: Int(entry.eventCount)).contains(column.rawLength) else {
      throw FormatProblem("column \(id.name) claims \(column.rawLength) bytes, out of bounds")
    }
    let fits =
      encoding == .raw
      ? column.storedLength == column.rawLength : column.storedLength < column.rawLength
    guard fits else {
      throw FormatProblem("column \(id.name) is stored in \(column.storedLength) bytes, too many")
    }
  }
}
