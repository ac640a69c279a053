/// Turns a block's columns into its bytes: compression, directory, checksums.
struct BlockPacker {
  private let codec: TraceWriter.Codec
  private let zstd = ZstdCodec()

  init(codec: TraceWriter.Codec) { self.codec = codec }

  /// The block with its header; fills `entry.length`.
  func pack(_ columns: BlockColumns, timeBase: UInt64, entry: inout IndexEntry) -> [UInt8] {
    var directory: [DirectoryEntry] = []
    var payload: [UInt8] = []
    for id in ColumnID.allCases where !columns.buffer(id).isEmpty {
      let raw = columns.buffer(id)
      let start = payload.count
      let encoding = append(raw, to: &payload)
      directory.append(
        DirectoryEntry(
          id: id.rawValue, encoding: encoding.rawValue, rawLength: raw.count,
          storedLength: payload.count - start,
          checksum: CRC32C.checksum(payload, start..<payload.count)))
    }
    entry.length = UInt32(
      FormatConstants.blockFixedBytes + 4 + directory.count * FormatConstants.directoryEntryBytes
        + payload.count)
    return BlockHeader(entry: entry, timeBase: timeBase, directory: directory).bytes() + payload
  }

  /// Appends a column, compressed where that makes it smaller.
  private func append(_ raw: ColumnBuffer, to payload: inout [UInt8]) -> ColumnEncoding {
    if case .zstd(let level) = codec,
      zstd.compress(raw, level: level, into: &payload) != nil
    {
      return .zstd
    }
    raw.append(to: &payload)
    return .raw
  }
}
