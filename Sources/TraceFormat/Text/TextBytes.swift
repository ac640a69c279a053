/// Numbers and names as text, appended to bytes without a `String` in between.
extension [UInt8] {
  /// Appends an unsigned decimal.
  mutating func appendDecimal(_ value: UInt64, minimumDigits: Int = 1) {
    var divisor: UInt64 = 1
    var digits = 1
    while digits < 20, value / divisor >= 10 || digits < minimumDigits {
      divisor *= 10
      digits += 1
    }
    var rest = value
    while divisor > 0 {
      append(0x30 + UInt8(truncatingIfNeeded: rest / divisor))
      rest %= divisor
      divisor /= 10
    }
  }

  /// Appends a two's complement decimal.
  mutating func appendSigned(_ value: UInt64) {
    if value >> 63 == 1 { append(0x2d) }
    appendDecimal(value >> 63 == 1 ? 0 &- value : value)
  }

  /// Appends `0x` and lower-case hexadecimal digits.
  mutating func appendHexadecimal(_ value: UInt64) {
    append(0x30)
    append(0x78)
    var shift = value == 0 ? 0 : (63 - value.leadingZeroBitCount) / 4 * 4
    while shift >= 0 {
      append(Self.hexadecimal(UInt8(truncatingIfNeeded: value >> UInt64(shift)) & 15))
      shift -= 4
    }
  }

  /// Appends a text for one line of a terminal: a control character becomes `?`.
  mutating func appendPlain(_ text: String) {
    if text.utf8.allSatisfy({ (0x20..<0x7f).contains($0) }) {
      append(contentsOf: text.utf8)
      return
    }
    for scalar in text.unicodeScalars {
      let isControl = scalar.value < 0x20 || (0x7f..<0xa0).contains(scalar.value)
      if isControl { append(0x3f) } else { append(contentsOf: UTF8.encode(scalar)!) }
    }
  }

  /// Appends a JSON string with its quotes.
  mutating func appendJSON(_ text: String) {
    append(0x22)
    for byte in text.utf8 {
      switch byte {
      case 0x22, 0x5c:
        append(0x5c)
        append(byte)
      case 0..<0x20, 0x7f:
        append(contentsOf: [0x5c, 0x75, 0x30, 0x30])
        append(Self.hexadecimal(byte >> 4))
        append(Self.hexadecimal(byte & 15))
      default: append(byte)
      }
    }
    append(0x22)
  }

  private static func hexadecimal(_ digit: UInt8) -> UInt8 { digit + (digit < 10 ? 0x30 : 0x57) }
}
