/// Eight bytes of a text at once, the first in the lowest bits.
///
/// The parsers look at whole words where a line has the shape it always has; what a word does not
/// settle is looked at byte by byte. Every function is true for any bytes.
enum ByteWord {
  private static let ones: UInt64 = 0x0101_0101_0101_0101
  private static let tops: UInt64 = 0x8080_8080_8080_8080

  /// Eight times `byte`.
  @inline(__always)
  static func all(_ byte: UInt8) -> UInt64 { ones &* UInt64(byte) }

  /// The top bit of each byte of `word` that is `byte`, and of no other below the first of them.
  @inline(__always)
  static func matches(_ word: UInt64, _ byte: UInt8) -> UInt64 {
    let zero = word ^ all(byte)
    return (zero &- ones) & ~zero & tops
  }

  /// The top bit of each byte of `word` that is `byte`, and of no other.
  @inline(__always)
  static func exactly(_ word: UInt64, _ byte: UInt8) -> UInt64 {
    let zero = word ^ all(byte)
    return ~(((zero & ~tops) &+ ~tops) | zero) & tops
  }

  /// The top bit of each byte that is no decimal digit.
  @inline(__always)
  static func others(_ word: UInt64) -> UInt64 {
    let digits = word ^ all(0x30)
    return (((digits & ~tops) &+ all(0x76)) | word) & tops
  }

  /// Number of bytes before the first one that is marked; 8 if none is.
  @inline(__always)
  static func first(_ marks: UInt64) -> Int { marks.trailingZeroBitCount >> 3 }

  /// The first `count` bytes of `word`, 0 behind them; `count` is 0 … 8.
  @inline(__always)
  static func prefix(_ word: UInt64, _ count: Int) -> UInt64 {
    count == 8 ? word : word & ((1 &<< UInt64(8 &* count)) &- 1)
  }

  /// Value of the first `count` bytes, all of them decimal digits; `count` is 1 … 8.
  @inline(__always)
  static func decimal(_ word: UInt64, _ count: Int) -> UInt64 {
    var value = (word & all(0x0F)) &<< UInt64(8 &* (8 &- count))
    value = (value &* 2561) >> 8
    value = ((value & 0x00FF_00FF_00FF_00FF) &* 6_553_601) >> 16
    return ((value & 0x0000_FFFF_0000_FFFF) &* 42_949_672_960_001) >> 32
  }

  /// The top bit of each byte that is no hexadecimal digit.
  @inline(__always)
  static func otherThanHexadecimal(_ word: UInt64) -> UInt64 {
    let digits = (word ^ all(0x30)) & ~tops
    let letters = ((word | all(0x20)) ^ all(0x60)) & ~tops
    let isDigit = ~(digits &+ all(0x76))
    let isLetter = ~(letters &+ all(0x79)) & (letters &+ all(0x7F))
    return (~(isDigit | isLetter) | word) & tops
  }

  /// Value of the first `count` bytes, all of them hexadecimal digits; `count` is 1 … 8.
  @inline(__always)
  static func hexadecimal(_ word: UInt64, _ count: Int) -> UInt64 {
    let text = word &<< UInt64(8 &* (8 &- count))
    // A letter has bit 6 set, and nine more than its low bits say. A zero byte counts as 0.
    var value = (text & all(0x0F)) &+ ((text >> 6) & ones) &* 9
    value = value.byteSwapped
    value = (value | value >> 4) & 0x00FF_00FF_00FF_00FF
    value = (value | value >> 8) & 0x0000_FFFF_0000_FFFF
    return (value | value >> 16) & 0xFFFF_FFFF
  }
}

extension Span<UInt8> {
  /// The eight bytes from `place` on; they must be there.
  @inline(__always)
  func word(at place: Int) -> UInt64 {
    // Bounds are checked all the same; any bytes are a number.
    unsafe bytes.unsafeLoadUnaligned(fromByteOffset: place, as: UInt64.self)
  }

  /// The bytes from `place` on, at most eight, and 0 where there are no more.
  @inline(__always)
  func wordOrLess(at place: Int) -> UInt64 {
    if place &+ 8 <= count { return word(at: place) }
    // The last eight bytes, without those before `place`.
    if place < count, count >= 8 {
      return word(at: count &- 8) >> UInt64(8 &* (place &+ 8 &- count))
    }
    var word: UInt64 = 0
    var at = place
    while at < count {
      word |= UInt64(self[at]) << UInt64(8 * (at - place))
      at += 1
    }
    return word
  }

  /// The eight bytes before `place`, the last of them in the highest bits, and 0 for those before the
  /// first byte of all.
  @inline(__always)
  func word(endingAt place: Int) -> UInt64 {
    guard place < 8 else { return word(at: place &- 8) }
    return place == 0 ? 0 : wordOrLess(at: 0) << UInt64(8 &* (8 &- place))
  }

  /// Place of the first `one` or `two` from `start` on; `count` if there is none.
  @inline(__always)
  func firstPlace(of one: UInt8, or two: UInt8, from start: Int) -> Int {
    var at = start
    while at &+ 8 <= count {
      let word = word(at: at)
      let marks = ByteWord.matches(word, one) | ByteWord.matches(word, two)
      if marks != 0 { return at + ByteWord.first(marks) }
      at += 8
    }
    while at < count, self[at] != one, self[at] != two { at += 1 }
    return at
  }

  /// The hexadecimal number at `place`, up to the first byte that is no digit of it or behind 16
  /// digits, and the place behind it; nil if there is no digit.
  @inline(__always)
  func hexadecimal(at place: Int) -> (value: UInt64, end: Int)? {
    let high = wordOrLess(at: place)
    let digits = ByteWord.first(ByteWord.otherThanHexadecimal(high))
    guard digits > 0 else { return nil }
    let first = ByteWord.hexadecimal(high, digits)
    guard digits == 8 else { return (first, place &+ digits) }
    return hexadecimal(behind: first, at: place &+ 8)
  }

  /// The same where its first eight digits, which stand before `place`, say `first`.
  @inline(__always)
  func hexadecimal(behind first: UInt64, at place: Int) -> (value: UInt64, end: Int) {
    let low = wordOrLess(at: place)
    let more = ByteWord.first(ByteWord.otherThanHexadecimal(low))
    guard more > 0 else { return (first, place) }
    return (first &<< UInt64(4 &* more) | ByteWord.hexadecimal(low, more), place &+ more)
  }
}
