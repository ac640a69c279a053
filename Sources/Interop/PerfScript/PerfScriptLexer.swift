/// Takes one line of `perf script` apart: `comm pid[/tid] [cpu] time: system:event: values`.
///
/// The command name may hold blanks and brackets, so each `[` that a CPU follows is tried, and the
/// first from which all the rest fits is taken.
enum PerfScriptLexer: TextLexer {
  static func lex(_ bytes: Span<UInt8>, into line: inout EventLine) -> EventLine.Form {
    guard let first = firstNonBlank(bytes) else { return .comment }
    if bytes[first] == 0x23 { return .comment }
    var open = first + 1
    // A command name has at most 15 bytes, and two numbers stand before the CPU.
    let limit = min(bytes.count, first + 64)
    while open < limit {
      if bytes[open] == 0x5B, bytes[open - 1] == 0x20,
        let form = parse(bytes, first, open, into: &line)
      {
        return form
      }
      open += 1
    }
    return isFrame(bytes, first) ? .comment : .bad
  }

  /// Whether the line would be an event if it named its CPU.
  static func lacksCPU(_ bytes: Span<UInt8>) -> Bool {
    var at = 0
    while at < bytes.count {
      // blank, seconds, `.`, fraction, `: `, system, `:`, event, `:`
      if bytes[at] == 0x20, at + 1 < bytes.count, isDigit(bytes[at + 1]) {
        var place = at + 1
        skipDigits(bytes, &place)
        if place < bytes.count, bytes[place] == 0x2E {
          place += 1
          skipDigits(bytes, &place)
          var line = EventLine()
          if place < bytes.count, bytes[place] == 0x3A, event(bytes, place + 1, into: &line) {
            return true
          }
        }
      }
      at += 1
    }
    return false
  }

  private static func parse(
    _ bytes: Span<UInt8>, _ first: Int, _ open: Int, into line: inout EventLine
  ) -> EventLine.Form? {
    var at = open + 1
    guard let cpu = number(bytes, &at), cpu < UInt64(UInt16.max), at < bytes.count,
      bytes[at] == 0x5D
    else { return nil }
    at += 1
    skipBlanks(bytes, &at)
    guard let seconds = number(bytes, &at), at < bytes.count, bytes[at] == 0x2E else { return nil }
    at += 1
    let fractionStart = at
    guard var fraction = number(bytes, &at), at - fractionStart <= 9, at < bytes.count,
      bytes[at] == 0x3A
    else { return nil }
    for _ in (at - fractionStart)..<9 { fraction *= 10 }
    let (nanoseconds, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    guard !overflow, task(bytes, first, open, into: &line) else { return nil }
    line.cpu = UInt16(cpu)
    line.time = nanoseconds &+ fraction
    line.isCounter = false
    line.interrupt = 0x2E
    if let loss = loss(bytes, at + 1, UInt16(cpu)) { return loss }
    return event(bytes, at + 1, into: &line) ? .event : nil
  }

  /// `comm pid`, `comm pid/tid` or the number alone, before the CPU's bracket.
  private static func task(
    _ bytes: Span<UInt8>, _ first: Int, _ open: Int, into line: inout EventLine
  ) -> Bool {
    var end = open
    while end > first, bytes[end - 1] == 0x20 { end -= 1 }
    var start = end
    while start > first, isDigit(bytes[start - 1]) { start -= 1 }
    var at = start
    guard let pid = number(bytes, &at), at == end, pid <= UInt64(UInt32.max) else { return false }
    if start > first, bytes[start - 1] == 0x2F {
      start -= 1
      while start > first, isDigit(bytes[start - 1]) { start -= 1 }
    }
    guard start == first || bytes[start - 1] == 0x20 else { return false }
    line.pid = UInt32(pid)
    line.commStart = first
    line.commEnd = start
    while line.commEnd > first, bytes[line.commEnd - 1] == 0x20 { line.commEnd -= 1 }
    return true
  }

  /// `system:event: values`, perhaps with the period before it.
  private static func event(
    _ bytes: Span<UInt8>, _ start: Int, into line: inout EventLine
  ) -> Bool {
    var at = start
    skipBlanks(bytes, &at)
    var place = at
    skipDigits(bytes, &place)
    if place > at, place < bytes.count, bytes[place] == 0x20 {
      at = place
      skipBlanks(bytes, &at)
    }
    let system = at
    while at < bytes.count, isWord(bytes[at]) { at += 1 }
    guard at > system, at + 1 < bytes.count, bytes[at] == 0x3A, isWord(bytes[at + 1]) else {
      return false
    }
    at += 1
    line.isBPF = false
    line.symbolStart = 0
    name(bytes, &at, into: &line)
    guard at < bytes.count, bytes[at] == 0x3A else { return false }
    at += 1
    skipBlanks(bytes, &at)
    if isPrintk(bytes, line.nameStart, line.nameEnd) {
      line.isBPF = true
      name(bytes, &at, into: &line)
      if at < bytes.count, bytes[at] == 0x3A { at += 1 }
      line.restStart = at
      return line.nameEnd > line.nameStart
    }
    if at < bytes.count, bytes[at] == 0x28 {
      line.symbolStart = at + 1
      while at < bytes.count, bytes[at] != 0x29 { at += 1 }
      if at < bytes.count { at += 1 }
    }
    line.restStart = at
    return true
  }

  private static func name(_ bytes: Span<UInt8>, _ at: inout Int, into line: inout EventLine) {
    line.nameStart = at
    while at < bytes.count, isWord(bytes[at]) { at += 1 }
    line.nameEnd = at
  }

  private static let printk = Array("bpf_trace_printk".utf8)

  private static func isPrintk(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
    guard end - start == printk.count else { return false }
    for place in printk.indices where bytes[start + place] != printk[place] { return false }
    return true
  }

  private static let lost = Array("PERF_RECORD_LOST".utf8)

  /// `PERF_RECORD_LOST … lost N`, which --show-lost-events prints.
  private static func loss(
    _ bytes: Span<UInt8>, _ start: Int, _ cpu: UInt16
  ) -> EventLine.Form? {
    var at = start
    skipBlanks(bytes, &at)
    guard bytes.count - at >= lost.count else { return nil }
    for place in lost.indices where bytes[at + place] != lost[place] { return nil }
    var count: UInt64?
    while at < bytes.count {
      if isDigit(bytes[at]), bytes[at - 1] == 0x20 { count = number(bytes, &at) } else { at += 1 }
    }
    return .loss(cpu: cpu, count: count)
  }

  /// A line of a call chain: an address and a symbol.
  private static func isFrame(_ bytes: Span<UInt8>, _ first: Int) -> Bool {
    var at = first
    while at < bytes.count, isDigit(bytes[at]) || (0x61...0x66).contains(bytes[at]) { at += 1 }
    return first > 0 && at - first >= 4 && at < bytes.count && bytes[at] == 0x20
  }

  private static func firstNonBlank(_ bytes: Span<UInt8>) -> Int? {
    var at = 0
    while at < bytes.count {
      if bytes[at] != 0x20 && bytes[at] != 0x09 && bytes[at] != 0x0D { return at }
      at += 1
    }
    return nil
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    isDigit(byte) || (0x61...0x7A).contains(byte | 0x20) || byte == 0x5F || byte == 0x2D
      || byte == 0x2E
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

  private static func skipBlanks(_ bytes: Span<UInt8>, _ at: inout Int) {
    while at < bytes.count, bytes[at] == 0x20 { at += 1 }
  }

  private static func skipDigits(_ bytes: Span<UInt8>, _ at: inout Int) {
    while at < bytes.count, isDigit(bytes[at]) { at += 1 }
  }

  private static func number(_ bytes: Span<UInt8>, _ at: inout Int) -> UInt64? {
    let start = at
    var value: UInt64 = 0
    while at < bytes.count, isDigit(bytes[at]) {
      guard at - start < 19 else { return nil }
      value = value &* 10 &+ UInt64(bytes[at] &- 0x30)
      at += 1
    }
    return at > start ? value : nil
  }
}
