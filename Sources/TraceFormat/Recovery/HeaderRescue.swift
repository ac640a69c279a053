/// Finds a trace header in a file whose start may be damaged.
struct HeaderRescue {
  /// The best header there is: the completed one, or else the one at the start.
  let header: TraceHeader
  /// Where the first section begins.
  let start: UInt64
  /// Whether the start of the file is intact.
  let startIsIntact: Bool
  /// Ordinal of the event behind the last one, as the footer tells; nil without an intact footer.
  let endOrdinal: UInt64?

  /// Throws ``TraceError`` where neither the start nor the footer is intact, and for files of
  /// another kind or version.
  init(_ input: TraceInput) throws {
    var loader = BlockLoader(input)
    do {
      let (first, start) = try FileHeader.read(input)
      let footer = loader.footerAtEnd(blocksFrom: start)?.0
      header = footer?.header ?? first
      endOrdinal = footer.map(Self.endOrdinal)
      self.start = start
      startIsIntact = true
    } catch {
      // An intact start that this program cannot read belongs to another version.
      guard try !Self.startIsIntact(input), let start = try Self.start(input, &loader),
        let footer = loader.footerAtEnd(blocksFrom: start)?.0
      else { throw error }
      header = footer.header
      endOrdinal = Self.endOrdinal(footer)
      self.start = start
      startIsIntact = false
    }
  }

  private static func endOrdinal(_ footer: Footer) -> UInt64 {
    (footer.header.firstOrdinal ?? 0) &+ footer.eventCount
  }

  /// Whether the start's checksum matches, whatever its version.
  private static func startIsIntact(_ input: TraceInput) throws -> Bool {
    var bytes: [UInt8] = []
    let fixed = FormatConstants.fileHeaderBytes
    guard try input.read(fixed, at: 0, appendingTo: &bytes) == fixed,
      bytes.starts(with: FormatConstants.magic)
    else { return false }
    let length = Int(bytes.littleEndian(UInt32.self, at: 12))
    guard length <= FormatLimits.headerBytes,
      try input.read(length + 4, at: UInt64(fixed), appendingTo: &bytes) == length + 4
    else { return false }
    let end = fixed + length
    return CRC32C.checksum(bytes, 0..<end) == bytes.littleEndian(UInt32.self, at: end)
  }

  /// Where the first section begins, as the footer's index tells it.
  private static func start(_ input: TraceInput, _ loader: inout BlockLoader) throws -> UInt64? {
    let trailerBytes = FormatConstants.trailerBytes
    guard let size = input.size, size >= UInt64(trailerBytes) else { return nil }
    var bytes: [UInt8] = []
    _ = try input.read(trailerBytes, at: size - UInt64(trailerBytes), appendingTo: &bytes)
    guard let offset = Footer.footerOffset(trailer: bytes), offset < size,
      case .footer(let lengths, let dataOffset, _)? = try? loader.section(at: offset)
    else { return nil }
    // The first block, or a snapshot before it.
    let index = dataOffset + UInt64(lengths.json)
    let snapshots = index + UInt64(lengths.entries * lengths.entryBytes)
    var first = offset
    for (count, place) in [(lengths.entries, index), (lengths.snapshots, snapshots)]
    where count > 0 {
      bytes.removeAll()
      guard try input.read(8, at: place, appendingTo: &bytes) == 8 else { return nil }
      first = min(first, bytes.littleEndian(UInt64.self, at: 0))
    }
    return first
  }
}
