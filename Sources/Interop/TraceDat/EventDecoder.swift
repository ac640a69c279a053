import TraceFormat

/// Turns the records of a ring buffer into recorded events.
///
/// Where each value lies, what its bits are called and which function an address belongs to is read
/// from the file; no kernel's layout is known beforehand.
struct EventDecoder {
  /// How one value is read.
  private enum Reading {
    case number
    /// An address of code, kept as the hash of its function's name.
    case symbol
    /// A pointer to a text of the kernel, kept as the text's hash.
    case text
    /// A text inside the record, kept as its hash: `__data_loc` or an array of characters.
    case string(isLocated: Bool, isRelative: Bool)
    case flags
    /// A pfn, of which all ones mean that there is none.
    case pfn
  }

  private struct Value {
    var key: FieldKey
    var field: EventFormat.Field
    var reading: Reading
  }

  private enum Kind {
    /// An event the joins know, by its index in ``NameTable/entries``.
    case known(index: Int, values: [Value], site: EventFormat.Field?)
    /// A line a BPF program printed.
    case program(text: EventFormat.Field)
    /// A text written into the trace, named after the function that wrote it.
    case print(site: EventFormat.Field, text: EventFormat.Field?)
    /// A call of the function tracer.
    case function(site: EventFormat.Field)
    case unknown(name: [UInt8])
  }

  private struct Plan {
    var kind: Kind
    var isProbe = false
  }

  /// The values every record begins with.
  private struct Common {
    var type: EventFormat.Field
    var flags: EventFormat.Field?
    var pid: EventFormat.Field
    /// Bytes a record has at least.
    var size: Int
  }

  private let isBigEndian: Bool
  private var plans: [Int: Plan] = [:]
  private let common: Common
  private let symbols: KernelSymbols
  private var texts: [UInt64: UInt64] = [:]
  private var commands: [UInt32: CommandName] = [:]
  private let flags: FlagTable
  private let names = NameTable.shared

  /// Symbols were recorded without their addresses.
  var hidesSymbols: Bool { symbols.isHidden || symbols.count == 0 }

  init(_ trace: TraceDatFile) throws(TraceError) {
    isBigEndian = trace.isBigEndian
    symbols = KernelSymbols(trace.kallsyms)
    var first: Common?
    var flags: FlagTable?
    for text in trace.formats {
      guard let (name, id) = EventFormat.heading(text) else { continue }
      guard first == nil || Self.isWanted(name) else {
        plans[id] = Plan(kind: .unknown(name: name))
        continue
      }
      guard let format = EventFormat(text), let common = Self.common(format) else { continue }
      if first == nil { first = common }
      plans[id] = Self.plan(format, name)
      if name == Array("mm_page_alloc".utf8) {
        flags = FlagTable(field: "gfp_flags", printFormat: format.print)
      }
    }
    guard let first else {
      throw TraceError(
        file: trace.file.name, what: "describes no event: none of its formats can be read",
        hint: "the file is damaged: copy it again, or record again")
    }
    common = first
    self.flags = flags ?? FlagTable(field: "gfp_flags", printFormat: "")
    readTexts(trace.printk)
    readCommands(trace.commands)
  }

  private static let own = ["bpf_trace_printk", "print", "bprint", "bputs", "function"].map {
    Array($0.utf8)
  }

  private static func isWanted(_ name: [UInt8]) -> Bool {
    own.contains(name) || NameTable.shared.index(of: name.span, 0, name.count) != nil
  }

  // MARK: what the file says

  private static func common(_ format: EventFormat) -> Common? {
    guard let type = format.field("common_type"), (1...4).contains(type.size),
      let pid = format.field("common_pid"), (1...8).contains(pid.size)
    else { return nil }
    let flags = format.field("common_flags")
    let ends = [type, pid, flags ?? pid].map { $0.offset + $0.size }
    return Common(type: type, flags: flags, pid: pid, size: ends.max() ?? 0)
  }

  private static func plan(_ format: EventFormat, _ name: [UInt8]) -> Plan {
    let isProbe = format.field("__probe_ip") != nil || format.field("__probe_func") != nil
    guard !isProbe else { return known(format, name, isProbe: true) }
    switch format.name {
    case "bpf_trace_printk":
      if let text = format.field("bpf_string"), text.size == 4 {
        return Plan(kind: .program(text: text))
      }
    case "print", "bprint", "bputs":
      if let site = format.field("ip"), (4...8).contains(site.size) {
        return Plan(
          kind: .print(site: site, text: format.name == "print" ? format.field("buf") : nil))
      }
    case "function":
      if let site = format.field("ip"), (4...8).contains(site.size) {
        return Plan(kind: .function(site: site))
      }
    default: break
    }
    return known(format, name, isProbe: false)
  }

  private static func known(_ format: EventFormat, _ name: [UInt8], isProbe: Bool) -> Plan {
    guard let index = NameTable.shared.index(of: name.span, 0, name.count) else {
      return Plan(kind: .unknown(name: name))
    }
    let probe = NameTable.shared.entries[index].probe
    var values: [Value] = []
    if probe != .ignored {
      for field in format.fields {
        guard let key = key(of: field, probe, format), let reading = reading(field, key) else {
          continue
        }
        values.append(Value(key: key, field: field, reading: reading))
      }
    }
    let site = format.field("__probe_ip").flatMap { (4...8).contains($0.size) ? $0 : nil }
    let needsSite = probe == .tableFree || probe == .tablePut
    return Plan(
      kind: .known(index: index, values: values, site: needsSite ? site : nil), isProbe: isProbe)
  }

  /// The key a field stands for: what the kernel would print as `key=`.
  private static func key(
    of field: EventFormat.Field, _ probe: Probe, _ format: EventFormat
  ) -> FieldKey? {
    if probe == .gpTracepoint {
      switch field.name {
      case "gp_seq": return .seq
      case "gpevent": return .gpEvent
      default: return nil
      }
    }
    guard let key = FieldKey(named: field.name), format.prints(field.name) else { return nil }
    return key
  }

  private static func reading(_ field: EventFormat.Field, _ key: FieldKey) -> Reading? {
    let isText = field.type.contains("char")
    let isLocated = field.type.contains("__data_loc")
    let isRelative = field.type.contains("__rel_loc")
    if key.form == .symbol, isText {
      if isLocated || isRelative {
        return field.size == 4 ? .string(isLocated: true, isRelative: isRelative) : nil
      }
      if field.type.contains("*") { return field.size <= 8 ? .text : nil }
      return .string(isLocated: false, isRelative: false)
    }
    guard (1...8).contains(field.size), !isLocated, !isRelative, !field.type.contains("[") else {
      return nil
    }
    switch key.form {
    case .symbol: return .symbol
    case .flags: return .flags
    default: return key == .pfn ? .pfn : .number
    }
  }

  /// Lines of `0xADDRESS : "TEXT"`.
  private mutating func readTexts(_ bytes: [UInt8]) {
    for line in bytes.split(separator: 0x0A) {
      guard let blank = line.firstIndex(of: 0x20), let open = line.firstIndex(of: 0x22),
        let close = line.lastIndex(of: 0x22), close > open, blank < open
      else { continue }
      let head = Array(line[..<blank])
      guard let address = Fields.hexadecimal(head.span, 0, head.count) else { continue }
      let text = Array(line[(open + 1)..<close])
      texts[address] = Symbol.hash(text.span, 0, text.count)
    }
  }

  /// Lines of `PID NAME`.
  private mutating func readCommands(_ bytes: [UInt8]) {
    for line in bytes.split(separator: 0x0A) {
      guard let blank = line.firstIndex(of: 0x20),
        let pid = UInt32(String(decoding: line[..<blank], as: UTF8.self))
      else { continue }
      let name = Array(line[(blank + 1)...])
      commands[pid] = CommandName(name.span, 0, name.count)
    }
    commands[0] = CommandName("<idle>")
  }

  // MARK: records

  private static let nameless = CommandName("<...>")

  /// The number of a record's event, and whether it is one of those the joins know.
  func event(of record: Span<UInt8>) -> (id: Int, isKnown: Bool)? {
    guard record.count >= common.size else { return nil }
    let id = Int(truncatingIfNeeded: number(record, common.type))
    switch plans[id]?.kind {
    case .known(let index, _, _): return (id, names.entries[index].probe != .ignored)
    case .program: return (id, true)
    default: return (id, false)
    }
  }

  /// Hands `record` on; its time and CPU are in the consumer's event already.
  func deliver(_ record: Span<UInt8>, to consumer: inout some RecordConsumer) throws {
    guard record.count >= common.size else {
      return try consumer.takeBad { "a record of \(record.count) bytes" }
    }
    let id = Int(truncatingIfNeeded: number(record, common.type))
    let pid = UInt32(truncatingIfNeeded: number(record, common.pid))
    consumer.event.pid = pid
    consumer.event.comm = commands[pid] ?? Self.nameless
    consumer.event.interrupt = common.flags.map { KernelFlags.letter(number(record, $0)) } ?? 0x2E
    consumer.event.symbol = 0
    consumer.event.origin = .tracepoint
    consumer.event.fields.clear()
    let empty = record.extracting(0..<0)
    guard let plan = plans[id] else {
      let name = Array("event \(id)".utf8)
      return try consumer.takeUnknown(name.span) { "a record of event \(id), which has no format" }
    }
    switch plan.kind {
    case .known(let index, let values, let site):
      if plan.isProbe { consumer.event.origin = .probe }
      if consumer.wantsFields(of: index) {
        for value in values { read(value, record, into: &consumer.event.fields) }
      }
      if let site, let address = bounded(record, site) {
        consumer.event.symbol = symbols.hash(of: address) ?? 0
      }
      try consumer.take(index, text: empty)
    case .program(let field):
      consumer.event.origin = .program
      guard let range = located(record, field, isRelative: false) else {
        return try consumer.takeBad { "a bpf_trace_printk record without its text" }
      }
      try ProgramLine.deliver(record.extracting(range), to: &consumer)
    case .print(let site, let text):
      try deliver(print: record, site, text, to: &consumer)
    case .function(let site):
      let name = bounded(record, site).flatMap(symbols.name(of:)) ?? Array("function".utf8)
      try consumer.takeFunction(name.span) { "a call of " + String(decoding: name, as: UTF8.self) }
    case .unknown(let name):
      try consumer.takeUnknown(name.span) {
        "a record of " + String(decoding: name, as: UTF8.self) + ", \(record.count) bytes"
      }
    }
  }

  private func deliver(
    print record: Span<UInt8>, _ site: EventFormat.Field, _ text: EventFormat.Field?,
    to consumer: inout some RecordConsumer
  ) throws {
    let name = bounded(record, site).flatMap(symbols.name(of:)) ?? Array("print".utf8)
    var range = 0..<0
    if let text, text.offset <= record.count {
      range = text.offset..<trimmed(record, text.offset, record.count)
    }
    let content = record.extracting(range)
    guard let index = names.index(of: name.span, 0, name.count) else {
      return try consumer.takeUnknown(name.span) { ImportNotes.text(content) }
    }
    try consumer.take(index, text: content)
  }

  private func read(_ value: Value, _ record: Span<UInt8>, into fields: inout Fields) {
    switch value.reading {
    case .number:
      guard let raw = bounded(record, value.field) else { return }
      fields[value.key] =
        value.field.isSigned ? BinaryNumber.extendSign(raw, value.field.size) : raw
    case .pfn:
      guard let raw = bounded(record, value.field) else { return }
      fields[value.key] = BinaryNumber.extendSign(raw, value.field.size) == .max ? 0 : raw
    case .symbol:
      guard let raw = bounded(record, value.field) else { return }
      fields[value.key] = symbols.hash(of: raw) ?? 0
    case .text:
      guard let raw = bounded(record, value.field) else { return }
      fields[value.key] = texts[raw]
    case .flags:
      guard let raw = bounded(record, value.field) else { return }
      fields[value.key] = flags.value(raw)
    case .string(let isLocated, let isRelative):
      let range: Range<Int>?
      if isLocated {
        range = located(record, value.field, isRelative: isRelative)
      } else {
        let end = min(value.field.offset + value.field.size, record.count)
        range =
          value.field.offset <= end
          ? value.field.offset..<trimmed(record, value.field.offset, end) : nil
      }
      guard let range else { return }
      fields[value.key] = Symbol.hash(record, range.lowerBound, range.upperBound)
    }
  }

  /// The number in `field`; nil if the record ends before it does.
  private func bounded(_ record: Span<UInt8>, _ field: EventFormat.Field) -> UInt64? {
    guard field.offset + field.size <= record.count else { return nil }
    return number(record, field)
  }

  private func number(_ record: Span<UInt8>, _ field: EventFormat.Field) -> UInt64 {
    BinaryNumber.read(record, field.offset, field.size, isBigEndian: isBigEndian)
  }

  /// Where the text is that `field` tells the place and the length of.
  private func located(
    _ record: Span<UInt8>, _ field: EventFormat.Field, isRelative: Bool
  ) -> Range<Int>? {
    guard let word = bounded(record, field) else { return nil }
    let start = Int(word & 0xFFFF) + (isRelative ? field.offset + field.size : 0)
    let end = start + Int(word >> 16 & 0xFFFF)
    guard end <= record.count else { return nil }
    return start..<trimmed(record, start, end)
  }

  /// End of the text in `start..<end`: before its NUL and a line feed.
  private func trimmed(_ record: Span<UInt8>, _ start: Int, _ end: Int) -> Int {
    var stop = start
    while stop < end, record[stop] != 0 { stop += 1 }
    while stop > start, record[stop - 1] == 0x0A { stop -= 1 }
    return stop
  }
}

extension EventFormat {
  /// Whether the print format shows `name` as `name=`.
  func prints(_ name: String) -> Bool {
    let text = Array(print.utf8)
    let word = Array("\(name)=".utf8)
    guard text.count >= word.count else { return false }
    for at in 0...(text.count - word.count)
    where text[at] == word[0] && text[at..<at + word.count].elementsEqual(word) {
      let isWhole = at == 0 || [0x20, 0x22, 0x28, 0x2C].contains(text[at - 1])
      if isWhole { return true }
    }
    return false
  }
}
