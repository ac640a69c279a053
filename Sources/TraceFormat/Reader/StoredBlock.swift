/// A block as it lies in a file: read, but neither checked nor decompressed.
struct StoredBlock: Sendable {
  /// One column of it.
  struct Piece: Sendable {
    let column: DirectoryEntry
    let offset: UInt64
    let bytes: [UInt8]
  }

  let header: BlockHeader
  /// The columns that are wanted, in the order of the file.
  var pieces: [Piece] = []
  /// Why there are no more; nil where they are all there.
  var problem: (any Error)?

  /// Bytes that are held.
  var byteCount: Int { pieces.reduce(0) { $0 + $1.bytes.count } }

  /// Checks and decompresses the columns into `columns`; throws what is wrong with the first that
  /// is not as it should be.
  func unpack(into columns: BlockColumns, _ zstd: ZstdCodec) throws {
    columns.removeAll()
    for piece in pieces {
      try Self.unpack(piece.column, piece.bytes, at: piece.offset, into: columns, zstd)
    }
    if let problem { throw problem }
  }

  /// Checks and decompresses one column.
  static func unpack(
    _ column: DirectoryEntry, _ bytes: [UInt8], at offset: UInt64, into columns: BlockColumns,
    _ zstd: ZstdCodec
  ) throws(FormatProblem) {
    guard CRC32C.checksum(bytes) == column.checksum else {
      throw FormatProblem("the checksum of column \(column.id) at byte \(offset) does not match")
    }
    guard let id = ColumnID(rawValue: column.id) else { return }
    switch ColumnEncoding(rawValue: column.encoding)! {
    case .raw: columns[id] = bytes
    case .zstd:
      let whole = zstd.decompress(bytes, length: column.rawLength, into: columns.buffer(id))
      guard whole else {
        throw FormatProblem("column \(id.name) at byte \(offset) is no intact zstd frame")
      }
    }
  }
}
