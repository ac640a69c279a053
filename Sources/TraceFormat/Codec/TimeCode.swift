/// Bounds of the `time` column: differences of a CPU's times, by size.
enum TimeCode {
  /// Smaller differences are one byte.
  static let firstMedium: UInt64 = 224
  /// Smaller differences are `firstMedium` + their second byte, and their first one in the rest.
  static let firstLong: UInt64 = 4096
  /// Others: this + the bytes of their zigzag number, which go to the rest.
  static let longHead: UInt8 = 239
}

/// The largest number that divides every difference of times in a block: 1000 where a clock of
/// nanoseconds was printed in microseconds.
enum ClockUnit {
  /// The unit of `events`; 1 where there is none or times lie too far apart to divide.
  static func of(_ events: [Event], base: UInt64) -> UInt64 {
    var unit: UInt64 = 0
    for event in events {
      let difference = event.time &- base
      let signed = Int64(bitPattern: difference)
      guard signed.magnitude < 1 << 62 else { return 1 }
      var (low, high) = (unit, signed.magnitude)
      while low != 0 { (low, high) = (high % low, low) }
      unit = high
      if unit == 1 { return 1 }
    }
    return max(unit, 1)
  }
}
