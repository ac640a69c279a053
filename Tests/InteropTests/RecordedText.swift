@testable import Interop

/// The lines of a capture, told apart by code of the test's own: what the importer's lexer gets
/// wrong must not be wrong here too.
final class RecordedText {
  /// One event.
  struct Line {
    /// Its bytes in ``bytes``, without the line feed.
    var range: Range<Int>
    var cpu: Int
    /// Index in ``names``.
    var name: Int
    /// Printed by a kprobe, an fprobe or a BPF program, which may miss; a trace point never does.
    var isProbe: Bool
  }

  let bytes: [UInt8]
  /// The lines that begin with `#`.
  private(set) var comments: [String] = []
  private(set) var lines: [Line] = []
  private(set) var names: [String] = []
  /// The recording is damaged already: it says so with lines between its events.
  private(set) var hasHoles = false
  private var indices: [String: Int] = [:]

  var cpus: Int { (lines.map(\.cpu).max() ?? 0) + 1 }

  init(_ text: [UInt8]) {
    bytes = text
    var start = 0
    while start < bytes.count {
      let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
      if start < end { take(start..<end) }
      start = end + 1
    }
  }

  func index(of name: String) -> Int? { indices[name] }

  private func take(_ range: Range<Int>) {
    if bytes[range.lowerBound] == 0x23 {
      comments.append(String(decoding: bytes[range], as: UTF8.self))
      return
    }
    guard let open = column(range) else {
      hasHoles = true
      return
    }
    let cpu = (1...3).reduce(0) { $0 * 10 + Int(bytes[open + $1] - 0x30) }
    // The time stamp is the first thing behind the CPU that a colon and a blank follow.
    var at = open
    while at + 1 < range.upperBound, bytes[at] != 0x3A || bytes[at + 1] != 0x20 { at += 1 }
    var (name, next) = word(at + 2, range.upperBound)
    let isBPF = name == "bpf_trace_printk"
    if isBPF { (name, next) = word(next, range.upperBound) }
    let isProbe = isBPF || (next < range.upperBound && bytes[next] == 0x28)
    if indices[name] == nil {
      indices[name] = names.count
      names.append(name)
    }
    lines.append(Line(range: range, cpu: cpu, name: indices[name]!, isProbe: isProbe))
  }

  /// Place of `[nnn] `.
  private func column(_ range: Range<Int>) -> Int? {
    var at = range.lowerBound
    while at + 5 < range.upperBound {
      if bytes[at] == 0x5B, bytes[at + 4] == 0x5D, bytes[at + 5] == 0x20,
        bytes[(at + 1)...(at + 3)].allSatisfy({ (0x30...0x39).contains($0) })
      {
        return at
      }
      at += 1
    }
    return nil
  }

  /// The word at `start`, without a colon at its end, and where the next one begins.
  private func word(_ start: Int, _ limit: Int) -> (String, Int) {
    var from = start
    while from < limit, bytes[from] == 0x20 { from += 1 }
    var end = from
    while end < limit, bytes[end] != 0x20, bytes[end] != 0x3A { end += 1 }
    let name = String(decoding: bytes[min(from, limit)..<end], as: UTF8.self)
    var next = end
    while next < limit, bytes[next] == 0x20 || bytes[next] == 0x3A { next += 1 }
    return (name, next)
  }
}

/// SplitMix64, so that a seed tells the whole test.
struct SplitMix64: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(bound, 1))) }

  /// True `count` times out of `total`.
  mutating func chance(_ count: Int, in total: Int) -> Bool { below(total) < count }
}
