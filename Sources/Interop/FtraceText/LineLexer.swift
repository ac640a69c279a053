/// Takes one line of ftrace text apart.
///
/// The command name may hold `-`, `/`, `:`, blanks and brackets, so the line is tried at every
/// `-` that a number follows, and the first place from which all the rest fits is taken. The
/// kernel pads the name to 16 columns: that place is tried first.
enum LineLexer: TextLexer {
  static let hasColumns = true

  static func lex(_ bytes: Span<UInt8>, into line: inout EventLine) -> EventLine.Form {
    guard let first = firstNonBlank(bytes) else { return .comment }
    if bytes.count > 17, bytes[16] == 0x2D, isDigit(bytes[17]),
      let form = parse(bytes, dash: 16, first: first, into: &line)
    {
      return form
    }
    // A command may call itself "# x"; a stack trace stands between the events as "=> function".
    if bytes[first] == 0x23 { return .comment }
    if bytes[first] == 0x3D, first + 1 < bytes.count, bytes[first + 1] == 0x3E { return .comment }
    if bytes[first] == 0x43, let loss = loss(bytes, first) { return loss }
    if isReportHeading(bytes, first) { return .comment }
    var dash = first
    // No command name is longer than this, whatever the line may hold further on.
    let limit = min(bytes.count - 1, first + 64)
    while dash < limit {
      if bytes[dash] == 0x2D, isDigit(bytes[dash + 1]),
        let form = parse(bytes, dash: dash, first: first, into: &line)
      {
        return form
      }
      dash += 1
    }
    return .bad
  }

  private static func firstNonBlank(_ bytes: Span<UInt8>) -> Int? {
    var at = 0
    while at < bytes.count {
      if bytes[at] != 0x20 && bytes[at] != 0x09 && bytes[at] != 0x0D { return at }
      at += 1
    }
    return nil
  }

  /// Parses from the pid behind `dash` on; nil if the rest is not of the form.
  private static func parse(
    _ bytes: Span<UInt8>, dash: Int, first: Int, into line: inout EventLine
  ) -> EventLine.Form? {
    var at = dash + 1
    guard let pid = number(bytes, &at), pid <= UInt64(UInt32.max) else { return nil }
    guard skipBlanks(bytes, &at) > 0 else { return nil }
    if at < bytes.count, bytes[at] == 0x28 {
      guard skipThreadGroup(bytes, &at) else { return nil }
      _ = skipBlanks(bytes, &at)
    }
    // options/latency-format and trace-cmd report -l write the flags right behind the CPU.
    guard at < bytes.count else { return nil }
    let hasBrackets = bytes[at] == 0x5B
    if hasBrackets { at += 1 }
    guard let cpu = number(bytes, &at), cpu < UInt64(UInt16.max), at < bytes.count else {
      return nil
    }
    if hasBrackets {
      guard bytes[at] == 0x5D else { return nil }
      at += 1
      guard skipBlanks(bytes, &at) > 0 else { return nil }
    } else {
      guard bytes[at] != 0x20 else { return nil }
    }
    line.interrupt = 0x2E
    if !stamp(bytes, &at, into: &line) {
      let flags = at
      while at < bytes.count, bytes[at] != 0x20 { at += 1 }
      guard at - flags >= 3, at - flags <= 8 else { return nil }
      line.interrupt = bytes[flags + 2]
      guard skipBlanks(bytes, &at) > 0, stamp(bytes, &at, into: &line) else { return nil }
    }
    line.pid = UInt32(pid)
    line.cpu = UInt16(cpu)
    line.commStart = first
    line.commEnd = dash
    return event(bytes, at, into: &line)
  }

  /// `sec.fraction: ` or `count: `; leaves `at` where it was if it is none.
  private static func stamp(
    _ bytes: Span<UInt8>, _ at: inout Int, into line: inout EventLine
  ) -> Bool {
    var place = at
    guard let whole = number(bytes, &place), place < bytes.count else { return false }
    if bytes[place] == 0x2E {
      place += 1
      let start = place
      guard var fraction = number(bytes, &place), place - start <= 9 else { return false }
      var digits = place - start
      while digits < 9 {
        fraction &*= 10
        digits += 1
      }
      let (seconds, overflow) = whole.multipliedReportingOverflow(by: 1_000_000_000)
      guard !overflow else { return false }
      line.time = seconds &+ fraction
      line.isCounter = false
    } else if place + 2 < bytes.count, bytes[place] == 0x75, bytes[place + 1] == 0x73 {
      // options/latency-format: microseconds, and a mark where much time went by.
      let (nanoseconds, overflow) = whole.multipliedReportingOverflow(by: 1000)
      guard !overflow else { return false }
      line.time = nanoseconds
      line.isCounter = false
      place += 2
      if place < bytes.count, bytes[place] != 0x3A { place += 1 }
    } else {
      line.time = whole
      line.isCounter = true
    }
    guard place + 1 < bytes.count, bytes[place] == 0x3A, bytes[place + 1] == 0x20 else {
      return false
    }
    at = place + 2
    skipDifference(bytes, &at)
    return true
  }

  /// `(+123)`, which trace-cmd report --ts-diff adds.
  private static func skipDifference(_ bytes: Span<UInt8>, _ at: inout Int) {
    guard at + 1 < bytes.count, bytes[at] == 0x28, bytes[at + 1] == 0x2B else { return }
    var place = at + 2
    while place < bytes.count, isDigit(bytes[place]) { place += 1 }
    if place < bytes.count, bytes[place] == 0x29 { at = place + 1 }
  }

  /// What trace-cmd report prints above the events: `cpus=2`, `version = 7`, `CPU 1 is empty`.
  private static func isReportHeading(_ bytes: Span<UInt8>, _ first: Int) -> Bool {
    guard first == 0, bytes.count < 64 else { return false }
    return starts(bytes, cpus) || starts(bytes, version)
      || (starts(bytes, emptyCPU) && bytes[bytes.count - 1] == 0x79)
  }

  private static let cpus = Array("cpus=".utf8)
  private static let version = Array("version = ".utf8)
  private static let emptyCPU = Array("CPU ".utf8)
  /// `__probe_`, the first letter in the lowest bits.
  private static let probeAddress: UInt64 = 0x5F65_626F_7270_5F5F

  private static func starts(
    _ bytes: Span<UInt8>, _ word: [UInt8]
  ) -> Bool {
    guard bytes.count >= word.count else { return false }
    for place in word.indices where bytes[place] != word[place] { return false }
    return true
  }

  /// Takes apart what begins with the event's name, at `start` or behind blanks.
  static func event(
    _ bytes: Span<UInt8>, _ start: Int, into line: inout EventLine
  ) -> EventLine.Form? {
    var at = start
    _ = skipBlanks(bytes, &at)
    line.isBPF = false
    line.symbolStart = 0
    guard name(bytes, &at, into: &line) else { return nil }
    if at < bytes.count, bytes[at] == 0x3A {
      at += 1
      if isPrintk(bytes, line.nameStart, line.nameEnd) {
        line.isBPF = true
        _ = skipBlanks(bytes, &at)
        guard name(bytes, &at, into: &line) else { return .bad }
        if at < bytes.count, bytes[at] == 0x3A { at += 1 }
      }
    } else {
      let end = at
      _ = skipBlanks(bytes, &at)
      guard at + 1 < bytes.count, bytes[at] == 0x3C, bytes[at + 1] == 0x2D else {
        return at == bytes.count && end > start ? .event : nil
      }
      return .function
    }
    _ = skipBlanks(bytes, &at)
    if at < bytes.count, bytes[at] == 0x28 {
      line.symbolStart = at + 1
      at = bytes.firstPlace(of: 0x29, or: 0x29, from: at)
      if at < bytes.count { at += 1 }
    } else if bytes.wordOrLess(at: at) == probeAddress {
      // trace-cmd report -R prints the probe's address as one of its values.
      line.symbolStart = at
    }
    line.restStart = at
    return .event
  }

  private static func name(
    _ bytes: Span<UInt8>, _ at: inout Int, into line: inout EventLine
  ) -> Bool {
    line.nameStart = at
    at = bytes.firstPlace(of: 0x3A, or: 0x20, from: at)
    line.nameEnd = at
    line.restStart = at
    return at > line.nameStart
  }

  private static func isPrintk(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
    // bpf_trace_printk, and bpf_trace_vprintk should it ever get a name of its own.
    end - start >= 16 && bytes[start] == 0x62 && bytes[start + 1] == 0x70
      && bytes[start + 2] == 0x66 && bytes[start + 3] == 0x5F
      && bytes[end - 1] == 0x6B && bytes[end - 2] == 0x74 && bytes[end - 3] == 0x6E
  }

  /// `CPU:n [LOST m EVENTS]`, `CPU:n [LOST EVENTS]`, `CPU:n [m EVENTS DROPPED]`.
  private static func loss(_ bytes: Span<UInt8>, _ first: Int) -> EventLine.Form? {
    var at = first + 4
    guard at < bytes.count, bytes[first + 1] == 0x50, bytes[first + 2] == 0x55,
      bytes[first + 3] == 0x3A, let cpu = number(bytes, &at), cpu < UInt64(UInt16.max),
      skipBlanks(bytes, &at) > 0, at < bytes.count, bytes[at] == 0x5B
    else { return nil }
    at += 1
    var count: UInt64?
    while at < bytes.count, bytes[at] != 0x5D {
      if isDigit(bytes[at]) {
        guard count == nil, let value = number(bytes, &at) else { return nil }
        count = value
      } else {
        at += 1
      }
    }
    return at < bytes.count ? .loss(cpu: UInt16(cpu), count: count) : nil
  }

  /// `(  123)` or `(-------)`.
  private static func skipThreadGroup(_ bytes: Span<UInt8>, _ at: inout Int) -> Bool {
    at += 1
    while at < bytes.count, bytes[at] != 0x29 {
      guard isDigit(bytes[at]) || bytes[at] == 0x20 || bytes[at] == 0x2D else { return false }
      at += 1
    }
    guard at < bytes.count else { return false }
    at += 1
    return true
  }

  private static func skipBlanks(_ bytes: Span<UInt8>, _ at: inout Int) -> Int {
    let start = at
    while at < bytes.count, bytes[at] == 0x20 { at += 1 }
    return at - start
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

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
