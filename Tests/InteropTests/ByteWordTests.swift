import TraceFormat
import Testing

@testable import Interop

/// What is read eight bytes at a time is what is read byte by byte.
@Suite struct ByteWordTests {
  @Test func hexadecimalTakesDigitsOnly() {
    for byte in UInt8.min...UInt8.max {
      let text: [UInt8] = [0x31, byte, 0x66]
      let digit = Character(UnicodeScalar(byte)).hexDigitValue.map(UInt64.init)
      let expected = digit.flatMap { byte < 0x80 ? 0x10F + $0 * 16 : nil }
      let number = text.span.hexadecimal(at: 0)
      let found = number?.end == 3 ? number?.value : nil
      #expect(found == expected, "\(byte)")
    }
    let digits = Array("0123456789abcdefABCDEF".utf8)
    for start in 0...(digits.count - 8) {
      for count in 1...8 {
        let text = String(decoding: digits[start..<(start + count)], as: UTF8.self)
        let word = digits.span.word(at: start)
        #expect(ByteWord.otherThanHexadecimal(word) == 0)
        #expect(ByteWord.hexadecimal(word, count) == UInt64(text, radix: 16))
      }
    }
  }

  @Test func marksAreThoseOfSingleBytes() {
    var random = SplitMix64(seed: 5)
    for _ in 0..<2000 {
      let bytes = (0..<8).map { _ in
        [0x00, 0x20, 0x2F, 0x30, 0x39, 0x3A, 0x80, 0xB0, 0xFF].randomElement(using: &random)!
      }.map(UInt8.init)
      let word = bytes.span.word(at: 0)
      let others = bytes.firstIndex { !(0x30...0x39).contains($0) } ?? 8
      #expect(ByteWord.first(ByteWord.others(word)) == others)
      #expect(ByteWord.first(ByteWord.matches(word, 0x20)) == bytes.firstIndex(of: 0x20) ?? 8)
      for place in 0..<8 {
        let mark = ByteWord.exactly(word, 0x30) >> UInt64(8 * place + 7) & 1
        #expect(mark == (bytes[place] == 0x30 ? 1 : 0))
      }
      if others > 0 {
        let text = String(decoding: bytes[..<others], as: UTF8.self)
        #expect(ByteWord.decimal(word, others) == UInt64(text))
      }
      let start = Int.random(in: 0...8, using: &random)
      let place = bytes[start...].firstIndex { $0 == 0x20 || $0 == 0x3A } ?? 8
      #expect(bytes.span.firstPlace(of: 0x20, or: 0x3A, from: start) == place)
    }
  }
}
