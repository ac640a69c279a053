/// Bytes of each column.
extension TraceReader {
  /// Bytes of one column over a whole file.
  public struct ColumnSize: Sendable, Equatable {
    /// Name of the column.
    public let name: String
    /// Bytes in the file.
    public let stored: UInt64
    /// Bytes before compression.
    public let raw: UInt64
  }

  /// Bytes of each column: of a file over all of it (every block header is read), of a pipe over
  /// what has been read so far.
  public func columnSizes() throws -> [ColumnSize] {
    var totals = columnTotals
    if input.isSeekable {
      totals = totals.map { _ in BlockLoader.Sizes() }
      for entry in index {
        do {
          if case .block(let header, _) = try loader.section(at: entry.offset) {
            Self.add(header, to: &totals)
          }
        } catch {
          throw explain(error, at: entry.offset)
        }
      }
    }
    return ColumnID.allCases.map {
      let size = totals[Int($0.rawValue)]
      return ColumnSize(name: $0.name, stored: size.stored, raw: size.raw)
    }
  }

  static func add(_ block: BlockHeader, to totals: inout [BlockLoader.Sizes]) {
    for column in block.directory where Int(column.id) < totals.count {
      totals[Int(column.id)].stored += UInt64(column.storedLength)
      totals[Int(column.id)].raw += UInt64(column.rawLength)
    }
  }
}
