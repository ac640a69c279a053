/// Numbers whose first byte lies in one column and the rest in another, so that zstd sees the
/// sizes and small values apart from the noise.
enum SplitNumber {
  /// Smaller numbers are a first byte and nothing else.
  static let firstLong: UInt64 = 248

  /// Appends a number: itself if below 248, else 247 + the number of its bytes, which go to
  /// `rest`, the lowest first.
  @inline(__always)
  static func append(_ value: UInt64, to heads: inout [UInt8], _ rest: inout [UInt8]) {
    if value < firstLong {
      heads.append(UInt8(truncatingIfNeeded: value))
      return
    }
    let length = (71 - value.leadingZeroBitCount) / 8
    heads.append(UInt8(truncatingIfNeeded: 247 + length))
    appendBytes(value, length, to: &rest)
  }

  /// Appends the `length` low bytes of a value.
  static func appendBytes(_ value: UInt64, _ length: Int, to rest: inout [UInt8]) {
    var left = value
    for _ in 0..<length {
      rest.append(UInt8(truncatingIfNeeded: left))
      left >>= 8
    }
  }

  /// Reads a number; a place behind its column's end becomes `Int.max`, as in ``Varint``.
  @inline(__always)
  static func read(
    _ heads: [UInt8], _ place: inout Int, _ rest: [UInt8], _ restPlace: inout Int
  ) -> UInt64 {
    let head = byte(heads, &place)
    if head < firstLong { return UInt64(head) }
    return bytes(rest, &restPlace, Int(head) - 247)
  }

  /// Reads one byte.
  @inline(__always)
  static func byte(_ column: [UInt8], _ place: inout Int) -> UInt8 {
    guard place < column.count else {
      place = .max
      return 0
    }
    let byte = column[place]
    place += 1
    return byte
  }

  /// Reads `length` bytes, the lowest first.
  static func bytes(_ rest: [UInt8], _ place: inout Int, _ length: Int) -> UInt64 {
    guard place <= rest.count - length else {
      place = .max
      return 0
    }
    var value: UInt64 = 0
    for index in 0..<length { value |= UInt64(rest[place + index]) << UInt64(8 * index) }
    place += length
    return value
  }
}
