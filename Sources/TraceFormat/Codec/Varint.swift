/// Unsigned LEB128 numbers of at most 64 bits, and the fixed-width little-endian ones of headers.
enum Varint {
  /// The most bytes a number takes.
  static let maximumLength = 10

  /// Appends a number in as few bytes as it needs.
  @inline(__always)
  static func append(_ value: UInt64, to bytes: inout [UInt8]) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  /// Reads the number at `position` and moves behind it.
  ///
  /// Where there is none, `position` becomes `Int.max` and stays so: a loop may read on and ask
  /// once at its end.
  @inline(__always)
  static func read(_ bytes: [UInt8], _ position: inout Int) -> UInt64 {
    guard position < bytes.count else {
      position = .max
      return 0
    }
    let first = bytes[position]
    position += 1
    if first < 0x80 { return UInt64(first) }
    return readRest(bytes, &position, UInt64(first & 0x7f))
  }

  private static func readRest(
    _ bytes: [UInt8], _ position: inout Int, _ low: UInt64
  ) -> UInt64 {
    var value = low
    var shift: UInt64 = 7
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      // The tenth byte has room for bit 63 alone.
      if shift == 63 && byte > 1 { break }
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    position = .max
    return 0
  }

  /// Maps a difference to an unsigned number, small for both signs: 0, −1, 1, −2 → 0, 1, 2, 3.
  @inline(__always)
  static func zigzag(_ difference: UInt64) -> UInt64 {
    (difference << 1) ^ (0 &- (difference >> 63))
  }

  /// Undoes ``zigzag(_:)``.
  @inline(__always)
  static func unzigzag(_ value: UInt64) -> UInt64 {
    (value >> 1) ^ (0 &- (value & 1))
  }
}

extension [UInt8] {
  /// Appends a number, least significant byte first.
  mutating func appendLittleEndian<T: FixedWidthInteger & UnsignedInteger>(_ value: T) {
    for index in 0..<(T.bitWidth / 8) { append(UInt8(truncatingIfNeeded: value >> (8 * index))) }
  }

  /// The number at `offset`, which must lie inside.
  func littleEndian<T: FixedWidthInteger & UnsignedInteger>(_ type: T.Type, at offset: Int) -> T {
    var value: T = 0
    for index in 0..<(T.bitWidth / 8) { value |= T(self[offset + index]) << (8 * index) }
    return value
  }
}
