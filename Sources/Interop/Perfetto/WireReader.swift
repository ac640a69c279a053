/// Reads the fields of one protobuf message, in the order they are stored in.
///
/// Only what Perfetto's traces need: numbers, and pieces with a length. A message that is not of
/// the form ends the reading; ``isDamaged`` says so.
struct WireReader {
  /// The value of a field.
  enum Value: Equatable {
    case number(UInt64)
    case fixed64(UInt64)
    case fixed32(UInt32)
    /// A piece of the bytes: text, bytes or a message.
    case piece(Range<Int>)
  }

  private(set) var at: Int
  private let end: Int
  /// What follows is no field.
  private(set) var isDamaged = false

  /// The message in `range` of some bytes.
  init(_ range: Range<Int>) {
    at = range.lowerBound
    end = range.upperBound
  }

  /// The next field of the message in `bytes`; nil at its end.
  mutating func next(_ bytes: Span<UInt8>) -> (field: Int, value: Value)? {
    guard at < end, !isDamaged else { return nil }
    guard let tag = Self.number(bytes, &at, end), tag >> 3 > 0, tag >> 3 < 1 << 29 else {
      return damaged()
    }
    let field = Int(tag >> 3)
    switch tag & 7 {
    case 0:
      guard let value = Self.number(bytes, &at, end) else { return damaged() }
      return (field, .number(value))
    case 1:
      guard end - at >= 8 else { return damaged() }
      defer { at += 8 }
      return (field, .fixed64(BinaryNumber.read(bytes, at, 8, isBigEndian: false)))
    case 2:
      guard let size = Self.number(bytes, &at, end), size <= UInt64(end - at) else {
        return damaged()
      }
      defer { at += Int(size) }
      return (field, .piece(at..<at + Int(size)))
    case 5:
      guard end - at >= 4 else { return damaged() }
      defer { at += 4 }
      return (field, .fixed32(UInt32(BinaryNumber.read(bytes, at, 4, isBigEndian: false))))
    default: return damaged()
    }
  }

  private mutating func damaged() -> (field: Int, value: Value)? {
    isDamaged = true
    return nil
  }

  /// A number of seven bits a byte; nil if it does not end before `end` or has more than 64 bits.
  static func number(_ bytes: Span<UInt8>, _ at: inout Int, _ end: Int) -> UInt64? {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while at < end, shift < 64 {
      let byte = bytes[at]
      at += 1
      value |= UInt64(byte & 0x7F) << shift
      if byte & 0x80 == 0 { return value }
      shift += 7
    }
    return nil
  }
}

extension WireReader.Value {
  /// The number, however it is stored.
  var number: UInt64? {
    switch self {
    case .number(let value), .fixed64(let value): value
    case .fixed32(let value): UInt64(value)
    case .piece: nil
    }
  }

  var piece: Range<Int>? {
    if case .piece(let range) = self { range } else { nil }
  }
}
