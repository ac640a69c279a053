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
      let found = ByteWord.hexadecimal(text.span.wordOrLess(at: 0), 3)
      #expect(found == expected, "\(byte)")
    }
    let digits = Array("0123456789abcdefABCDEF".utf8)
    for start in 0...(digits.count - 8) {
      for count in 1...8 {
        let text = String(decoding: digits[start..<(start + count)], as: UTF8.self)
        #expect(
          ByteWord.hexadecimal(digits.span.word(at: start), count) == UInt64(text, radix: 16))
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

  /// The quick look at a line, where it says anything, says what the whole parser says.
  @Test func usualLinesAreReadAsAnyOther() {
    var random = SplitMix64(seed: 9)
    let lines = [
      "              sh-111     (    111) [001] ..s3.    21.981067: rcu_batch: (rcu_do_batch+0x4/0x478) cpu=1 seq=29",
      "          <idle>-0       (-------) [000] d.Z..     7.828942: rcu_cb: (tlb_remove_table_rcu+0x0/0xa8) head=0xffffaf800711a000 nr=9",
      "            task-1052    [003] d..1.    12.000000247: pt_alloc: pfn=0x4fc86a0 level=0 mm=0x1034 flags=0",
      "     kworker/1:1-34      [001] ...1. 12345.000001: mm_page_free: page=ffff8d80021206c0 pfn=0x8481b order=0",
      "       busybox  -1234567 [011] dNh2.     9.500000: tlb_flush: pages:-1 reason:local mm shootdown (3) and more",
      "          ptwork-171     (    171) [000] ..s.1    11.971371: bpf_trace_printk: rcu_qs cpu=0 seq=369 and more text",
    ].map { Array($0.utf8) }
    let spice: [UInt8] = Array(" -()[].:0199azAZ#=\t\r<".utf8) + [0, 0x80, 0xFF]
    var usual = 0
    for round in 0..<60_000 {
      var bytes = lines[round % lines.count]
      for _ in 0..<(round / lines.count % 4) {
        let place = Int.random(in: 0..<min(bytes.count, 72), using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes.remove(at: place)
        case 1: bytes.insert(spice.randomElement(using: &random)!, at: place)
        default: bytes[place] = spice.randomElement(using: &random)!
        }
      }
      var (quick, slow) = (EventLine(), EventLine())
      guard let form = LineLexer.usual(bytes.span, into: &quick) else { continue }
      usual += 1
      let expected = LineLexer.general(bytes.span, into: &slow)
      let text = String(decoding: bytes, as: UTF8.self)
      #expect(form == expected && quick == slow, "\(text)")
    }
    #expect(usual > 20_000)
  }
}
