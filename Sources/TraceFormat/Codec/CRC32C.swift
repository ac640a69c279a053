/// CRC-32C (Castagnoli), eight bytes a step.
///
/// The instruction for it cannot be reached portably from Swift; eight tables get near enough.
enum CRC32C {
  /// 8 tables of 256 entries: entry `256 * k + b` is byte `b` followed by `k` zero bytes.
  private static let tables: [UInt32] = {
    var tables = [UInt32](repeating: 0, count: 8 * 256)
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
    let tables = Self.tables.span
    var crc = ~UInt32(0)
    var index = 0
    while index + 8 <= bytes.count {
      let low =
        crc
        ^ (UInt32(bytes[index]) | UInt32(bytes[index + 1]) << 8 | UInt32(bytes[index + 2]) << 16
          | UInt32(bytes[index + 3]) << 24)
      let first = tables[1792 + Int(low & 0xff)] ^ tables[1536 + Int((low >> 8) & 0xff)]
      let second = tables[1280 + Int((low >> 16) & 0xff)] ^ tables[1024 + Int(low >> 24)]
      let third = tables[768 + Int(bytes[index + 4])] ^ tables[512 + Int(bytes[index + 5])]
      let fourth = tables[256 + Int(bytes[index + 6])] ^ tables[Int(bytes[index + 7])]
      crc = first ^ second ^ third ^ fourth
      index += 8
    }
    while index < bytes.count {
      crc = (crc >> 8) ^ tables[Int((crc ^ UInt32(bytes[index])) & 0xff)]
      index += 1
    }
    return ~crc
  }
}
