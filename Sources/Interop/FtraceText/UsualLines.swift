/// Reads the lines most of a text consists of: of events that are known, with the columns and the
/// pairs other lines had before. All that is the same as in a line before is compared, not read.
///
/// What it says of a line is what ``LineLexer`` and ``Fields`` would; whatever is not certain is
/// left to them.
struct UsualLines {
  /// Where the parts of a line are.
  struct Head {
    /// Index of the event's name in ``NameTable/entries``.
    var index: Int
    /// First byte of `symbol+offset/size`; 0 if there is none.
    var symbol: Int
    /// What follows the name and the symbol.
    var rest: Int
  }

  private let names = NameTable.shared
  private var columns = LineColumns()
  private var shapes = LineShapes()
  /// What the columns of the line at hand say.
  private var found: LineColumns.Found?

  /// Reads what stands before the pairs of `bytes` into `event`; nil, and nothing is changed, if the
  /// line is not of the form.
  mutating func head(_ bytes: Span<UInt8>, into event: inout RecordedEvent) -> Head? {
    found = columns.read(bytes)
    guard let found else { return nil }
    var start = found.end
    let isProgram = bytes.wordOrLess(at: start) == Self.printk.low
    if isProgram {
      let sign = UInt16(truncatingIfNeeded: bytes.wordOrLess(at: start &+ 16))
      guard bytes.wordOrLess(at: start &+ 8) == Self.printk.high, sign == 0x203A else { return nil }
      start &+= 18
    }
    guard let name = names.find(in: bytes, at: start), name.end &+ 2 < bytes.count else {
      return nil
    }
    var rest = name.end
    if bytes[rest] == 0x3A { rest &+= 1 } else if !isProgram { return nil }
    // A blank, and a value that follows at once: no second blank, no `__probe_…`.
    let next = bytes[rest &+ 1]
    guard bytes[rest] == 0x20, next != 0x20, next != 0x5F else { return nil }
    rest &+= 1
    columns.note(found, in: &event)
    guard next == 0x28 else {
      event.origin = isProgram ? .program : .tracepoint
      return Head(index: name.index, symbol: 0, rest: rest)
    }
    event.origin = isProgram ? .program : .probe
    let close = bytes.firstPlace(of: 0x29, or: 0x29, from: rest)
    return Head(
      index: name.index, symbol: rest &+ 1, rest: close < bytes.count ? close &+ 1 : close)
  }

  /// Takes the line apart whose head was not of the form, as ``LineLexer`` would; nil if its columns
  /// are not of the form either.
  func lex(_ bytes: Span<UInt8>, into line: inout EventLine) -> EventLine.Form? {
    // A difference of times may stand behind the time.
    guard let found, bytes[found.end] != 0x28 else { return nil }
    columns.note(found, in: &line)
    return LineLexer.event(bytes, found.end, into: &line)
  }

  /// Reads the pairs behind `head` into `event`, as far as their keys are in `wanted`.
  mutating func pairs(
    _ head: Head, _ wanted: FieldSet, _ bytes: Span<UInt8>, into event: inout RecordedEvent
  ) {
    let probe = names.probes[head.index]
    if wanted.isEmpty {
      event.fields.clear()
    } else if probe == .gpTracepoint {
      event.fields.read(probe, bytes, from: head.rest)
    } else {
      shapes.read(head.index, wanted, bytes, from: head.rest, into: &event.fields)
    }
    event.symbol =
      head.symbol > 0 && (probe == .tableFree || probe == .tablePut)
      ? Symbol.hashName(bytes, head.symbol, bytes.count) : 0
  }

  /// `bpf_trace_printk`, which a colon and a blank follow.
  private static var printk: (low: UInt64, high: UInt64) {
    (0x6361_7274_5F66_7062, 0x6B74_6E69_7270_5F65)
  }
}
