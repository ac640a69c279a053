/// Reads sections of a file: headers, columns, the footer. Keeps one block's bytes at most.
struct BlockLoader {
  /// Stored and raw bytes of one column.
  struct Sizes: Equatable {
    var stored: UInt64 = 0
    var raw: UInt64 = 0
  }

  /// What lies at a place of a file.
  enum Section {
    case block(BlockHeader, dataOffset: UInt64)
    case footer(Footer.Lengths, dataOffset: UInt64, payloadLength: Int)
    case snapshot(SnapshotSection.Header, dataOffset: UInt64, payloadLength: Int)
    /// The file ends here.
    case end
  }

  private let input: TraceInput
  private let zstd = ZstdCodec()
  private var bytes: [UInt8] = []

  init(_ input: TraceInput) { self.input = input }

  /// Room held for bytes of the file.
  var bufferedBytes: Int { bytes.capacity }

  /// Reads the header of the section at `offset`.
  mutating func section(at offset: UInt64) throws -> Section {
    bytes.removeAll(keepingCapacity: true)
    let prefixBytes = FormatConstants.sectionPrefixBytes
    let got = try input.read(prefixBytes, at: offset, appendingTo: &bytes)
    if got == 0 { return .end }
    guard got == prefixBytes else {
      guard bytes.starts(with: FormatConstants.marker.prefix(got)) else {
        throw FormatProblem("\(got) bytes that belong to no section")
      }
      throw FormatProblem("the file ends inside a section header", isCutOff: true)
    }
    let prefix = try SectionPrefix(bytes)
    let rest = prefix.headerLength - prefixBytes
    let more = try input.read(rest, at: offset + UInt64(prefixBytes), appendingTo: &bytes)
    guard more == rest else {
      throw FormatProblem("the file ends inside a section header", isCutOff: true)
    }
    let dataOffset = offset + UInt64(prefix.headerLength)
    switch prefix.kind {
    case .block:
      return .block(
        try BlockHeader(bytes, prefix: prefix, at: offset), dataOffset: dataOffset)
    case .footer:
      return .footer(
        try Footer.Lengths(bytes, prefix: prefix), dataOffset: dataOffset,
        payloadLength: prefix.payloadLength)
    case .snapshot:
      return .snapshot(
        try SnapshotSection.Header(bytes, prefix: prefix, at: offset), dataOffset: dataOffset,
        payloadLength: prefix.payloadLength)
    }
  }

  /// Reads a snapshot whose header lies at `offset`.
  mutating func history(_ entry: SnapshotEntry) throws -> TraceHistory {
    guard case .snapshot(let header, let dataOffset, let length) = try section(at: entry.offset),
      header.entry == entry
    else { throw FormatProblem("the snapshot is not the one the index names") }
    return try history(header, at: dataOffset, length)
  }

  /// Reads the payload of a snapshot.
  func history(
    _ header: SnapshotSection.Header, at dataOffset: UInt64, _ length: Int
  ) throws -> TraceHistory {
    var payload: [UInt8] = []
    guard try input.read(length, at: dataOffset, appendingTo: &payload) == length else {
      throw FormatProblem("the file ends inside a snapshot")
    }
    return try SnapshotSection.history(payload, header)
  }

  /// Passes over bytes of a pipe, or makes sure that a file has them.
  mutating func skip(_ length: Int, at offset: UInt64) throws {
    if let size = input.size {
      guard offset + UInt64(length) <= size else {
        throw FormatProblem("the file ends inside a snapshot")
      }
      return
    }
    var done = 0
    while done < length {
      bytes.removeAll(keepingCapacity: true)
      let piece = min(length - done, 1 << 16)
      guard try input.read(piece, at: offset + UInt64(done), appendingTo: &bytes) == piece else {
        throw FormatProblem("the file ends inside a snapshot")
      }
      done += piece
    }
  }

  /// Reads the columns of a block and puts them, decompressed, into `columns`.
  mutating func load(
    _ header: BlockHeader, at dataOffset: UInt64, into columns: BlockColumns,
    wanted: (ColumnID) -> Bool = { _ in true }
  ) throws {
    columns.removeAll()
    let zstd = zstd
    try eachColumn(header, at: dataOffset, wanted) { column, bytes, offset in
      try StoredBlock.unpack(column, bytes, at: offset, into: columns, zstd)
    }
  }

  /// Reads the columns of a block and leaves them as they are.
  mutating func stored(
    _ header: BlockHeader, at dataOffset: UInt64, wanted: (ColumnID) -> Bool
  ) -> StoredBlock {
    var block = StoredBlock(header: header)
    do {
      try eachColumn(header, at: dataOffset, wanted) { column, bytes, offset in
        block.pieces.append(StoredBlock.Piece(column: column, offset: offset, bytes: bytes))
      }
    } catch {
      block.problem = error
    }
    return block
  }

  /// Reads the columns of a block that are wanted, or of a type the reader does not know.
  private mutating func eachColumn(
    _ header: BlockHeader, at dataOffset: UInt64, _ wanted: (ColumnID) -> Bool,
    _ body: (DirectoryEntry, [UInt8], UInt64) throws -> Void
  ) throws {
    var offset = dataOffset
    for column in header.directory {
      defer { offset += UInt64(column.storedLength) }
      let isWanted = ColumnID(rawValue: column.id).map(wanted) ?? true
      // A pipe is read in order.
      if !isWanted && input.isSeekable { continue }
      bytes.removeAll(keepingCapacity: true)
      let got = try input.read(column.storedLength, at: offset, appendingTo: &bytes)
      guard got == column.storedLength else {
        throw FormatProblem(
          "the file ends inside a block, at byte \(offset + UInt64(got))", isCutOff: true)
      }
      if isWanted { try body(column, bytes, offset) }
    }
  }

  /// Reads the rest of the footer that begins at `offset`, and that nothing follows it.
  mutating func footer(
    _ lengths: Footer.Lengths, dataOffset: UInt64, payloadLength: Int, at offset: UInt64,
    blocksFrom start: UInt64
  ) throws -> Footer {
    bytes.removeAll(keepingCapacity: true)
    let got = try input.read(payloadLength, at: dataOffset, appendingTo: &bytes)
    let cut = FormatProblem("the file ends inside its footer", isCutOff: true)
    guard got == payloadLength else { throw cut }
    let footer = try Footer(payload: bytes, lengths, blocksFrom: start, to: offset)
    bytes.removeAll(keepingCapacity: true)
    let end = dataOffset + UInt64(payloadLength)
    let trailerBytes = FormatConstants.trailerBytes
    let last = try input.read(trailerBytes, at: end, appendingTo: &bytes)
    guard last == trailerBytes else { throw cut }
    guard Footer.footerOffset(trailer: bytes) == offset else {
      throw FormatProblem("the last bytes of the footer are damaged")
    }
    bytes.removeAll(keepingCapacity: true)
    guard try input.read(1, at: end + UInt64(trailerBytes), appendingTo: &bytes) == 0 else {
      throw FormatProblem("bytes follow the end of the trace, at byte \(end + 20)")
    }
    return footer
  }

  /// The footer of a seekable file that ends as a complete one does, and where it begins; nil
  /// where anything about it is not as it should be.
  mutating func footerAtEnd(blocksFrom start: UInt64) -> (Footer, offset: UInt64)? {
    let trailerBytes = UInt64(FormatConstants.trailerBytes)
    guard let size = input.size, size >= start + trailerBytes else { return nil }
    // The footer grows with the file: its room is not kept.
    defer { bytes = [] }
    bytes.removeAll(keepingCapacity: true)
    _ = try? input.read(Int(trailerBytes), at: size - trailerBytes, appendingTo: &bytes)
    guard let offset = Footer.footerOffset(trailer: bytes), offset >= start, offset < size,
      case .footer(let lengths, let dataOffset, let payloadLength) = try? section(at: offset),
      let footer = try? footer(
        lengths, dataOffset: dataOffset, payloadLength: payloadLength, at: offset,
        blocksFrom: start)
    else { return nil }
    return (footer, offset)
  }
}
