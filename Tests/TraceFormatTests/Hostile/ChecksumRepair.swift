@testable import TraceFormat

/// Makes the checksums of changed bytes right again, so that what lies behind them gets tested.
///
/// Takes the lengths in the bytes at their word as far as they stay inside; what is no section is
/// searched for the next marker.
enum ChecksumRepair {
  /// The bytes with every checksum that could be found made right.
  static func repaired(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    var place = start(&bytes) ?? 0
    while let section = marker(in: bytes, from: place) {
      place = repair(&bytes, at: section) ?? section + 1
    }
    trailer(&bytes)
    return bytes
  }

  /// Repairs the start and returns where it ends.
  private static func start(_ bytes: inout [UInt8]) -> Int? {
    let fixed = FormatConstants.fileHeaderBytes
    guard bytes.count >= fixed else { return nil }
    let end = fixed + Int(bytes.littleEndian(UInt32.self, at: 12))
    guard end + 4 <= bytes.count else { return nil }
    put(CRC32C.checksum(bytes, 0..<end), into: &bytes, at: end)
    return end + 4
  }

  /// Repairs the section at `place` and returns where it ends; nil if it does not fit.
  private static func repair(_ bytes: inout [UInt8], at place: Int) -> Int? {
    guard place + FormatConstants.sectionPrefixBytes <= bytes.count else { return nil }
    let columns = Int(bytes[place + 9])
    let header = Int(bytes.littleEndian(UInt16.self, at: place + 10))
    let payload = Int(bytes.littleEndian(UInt32.self, at: place + 12))
    let data = place + header
    guard header >= FormatConstants.sectionPrefixBytes + 4, data <= bytes.count else { return nil }
    if bytes[place + 8] == SectionPrefix.Kind.footer.rawValue {
      let field = place + FormatConstants.footerHeaderBytes - 8
      if field + 8 <= data, data + payload <= bytes.count {
        put(CRC32C.checksum(bytes, data..<(data + payload)), into: &bytes, at: field)
      }
    } else {
      repairColumns(&bytes, directory: place + FormatConstants.blockFixedBytes, columns, data)
    }
    put(CRC32C.checksum(bytes, place..<(data - 4)), into: &bytes, at: data - 4)
    return min(data + payload, bytes.count)
  }

  private static func repairColumns(
    _ bytes: inout [UInt8], directory: Int, _ columns: Int, _ data: Int
  ) {
    var column = data
    for number in 0..<columns {
      let entry = directory + number * FormatConstants.directoryEntryBytes
      guard entry + FormatConstants.directoryEntryBytes <= data - 4 else { return }
      let length = Int(bytes.littleEndian(UInt32.self, at: entry + 8))
      guard length <= bytes.count - column else { return }
      put(CRC32C.checksum(bytes, column..<(column + length)), into: &bytes, at: entry + 12)
      column += length
    }
  }

  private static func trailer(_ bytes: inout [UInt8]) {
    let place = bytes.count - FormatConstants.trailerBytes
    guard place >= 0 else { return }
    put(CRC32C.checksum(bytes, place..<(place + 8)), into: &bytes, at: place + 8)
  }

  private static func marker(in bytes: [UInt8], from start: Int) -> Int? {
    let marker = FormatConstants.marker
    var place = start
    while place + marker.count <= bytes.count {
      if bytes[place] == marker[0], bytes[place...].starts(with: marker) { return place }
      place += 1
    }
    return nil
  }

  private static func put(_ checksum: UInt32, into bytes: inout [UInt8], at place: Int) {
    for byte in 0..<4 { bytes[place + byte] = UInt8(truncatingIfNeeded: checksum >> (8 * byte)) }
  }
}
