/// Bytes of text under construction; a number is written digit by digit, without a String.
struct TextBuffer {
  /// The bytes so far.
  private(set) var bytes: [UInt8] = []

  /// Forgets the bytes and keeps the room.
  mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

  /// Appends text.
  mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

  /// Appends text that is in bytes already.
  mutating func append(_ text: [UInt8]) { bytes.append(contentsOf: text) }

  /// Appends one ASCII character.
  mutating func append(_ character: Unicode.Scalar) { bytes.append(UInt8(ascii: character)) }

  /// Appends a decimal number, with `fill` before it up to `width` digits.
  mutating func append(_ number: UInt64, width: Int = 0, fill: Unicode.Scalar = " ") {
    appendDigits(of: number, base: 10, width: width, fill: fill)
  }

  /// Appends a decimal number with its sign.
  mutating func append(_ number: Int64) {
    if number < 0 { append("-" as Unicode.Scalar) }
    append(number.magnitude)
  }

  /// Appends a hexadecimal number as the kernel's `%#lx` prints it.
  mutating func appendHexadecimal(_ number: UInt64) {
    append("0x")
    appendDigits(of: number, base: 16, width: 0, fill: "0")
  }

  /// Appends a character `count` times; nothing if that is negative.
  mutating func append(_ character: Unicode.Scalar, times count: Int) {
    for _ in 0..<max(count, 0) { append(character) }
  }

  private mutating func appendDigits(
    of number: UInt64, base: UInt64, width: Int, fill: Unicode.Scalar
  ) {
    let start = bytes.count
    var rest = number
    repeat {
      let digit = UInt8(truncatingIfNeeded: rest % base)
      bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
      rest /= base
    } while rest > 0
    while bytes.count - start < width { bytes.append(UInt8(ascii: fill)) }
    bytes[start...].reverse()
  }
}
