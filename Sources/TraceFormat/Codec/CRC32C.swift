/// CRC-32C (Castagnoli), sixteen bytes a step.
///
/// The instruction for it cannot be reached portably from Swift; sixteen tables get near enough.
/// One of the files that may use unsafe constructs: a word is read at once.
enum CRC32C {
  /// Bytes of a step.
  private static let width = 16

  /// 16 tables of 256 entries: entry `256 * k + b` is byte `b` followed by `k` zero bytes. Never
  /// freed.
  private static let tables: Lane<UInt32> = {
    let tables = Lane<UInt32>(width * 256, repeating: 0)
    for byte in 0..<256 {
      var crc = UInt32(byte)
      for _ in 0..<8 { crc = (crc >> 1) ^ (crc & 1 == 0 ? 0 : 0x82f6_3b78) }
      tables[byte] = crc
    }
    for index in 256..<tables.count {
      let shorter = tables[index - 256]
      tables[index] = (shorter >> 8) ^ tables[Int(shorter & 0xff)]
    }
    return tables
  }()

  /// The checksum of `bytes[range]`.
  static func checksum(_ bytes: [UInt8], _ range: Range<Int>) -> UInt32 {
    checksum(bytes.span.extracting(range))
  }

  /// The checksum of all of `bytes`.
  static func checksum(_ bytes: [UInt8]) -> UInt32 { checksum(bytes.span) }

  private static func checksum(_ bytes: Span<UInt8>) -> UInt32 {
    let tables = tables
    let raw = unsafe bytes.bytes
    var crc = ~UInt32(0)
    var index = 0
    while index + width <= bytes.count {
      // Far bytes first: they do not wait for the step before.
      let high = unsafe raw.unsafeLoadUnaligned(fromByteOffset: index + 8, as: UInt64.self)
      let low = unsafe raw.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
      crc =
        entries(tables, 0, UInt64(littleEndian: high))
        ^ entries(tables, 8, UInt64(littleEndian: low) ^ UInt64(crc))
      index += width
    }
    while index < bytes.count {
      crc = (crc >> 8) ^ tables[Int((crc ^ UInt32(bytes[index])) & 0xff)]
      index += 1
    }
    return ~crc
  }

  /// What eight bytes come to that `behind` others follow.
  @inline(__always)
  private static func entries(_ tables: Lane<UInt32>, _ behind: Int, _ word: UInt64) -> UInt32 {
    var sum: UInt32 = 0
    for place in 0..<8 {
      let byte = Int(truncatingIfNeeded: word &>> (UInt64(place) &* 8) & 0xff)
      sum ^= tables[(behind &+ 7 &- place) &* 256 &+ byte]
    }
    return sum
  }
}
