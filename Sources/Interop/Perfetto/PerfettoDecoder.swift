/// Turns one `FtraceEvent` of Perfetto into a recorded event.
struct PerfettoDecoder {
  let trace: PerfettoFile
  let symbols: KernelSymbols
  private let names = NameTable.shared

  init(trace: PerfettoFile, symbols: KernelSymbols) {
    self.trace = trace
    self.symbols = symbols
  }

  /// Events Perfetto has messages of its own for: field of `FtraceEvent`, name, and the keys of
  /// the message's fields.
  private static let own: [Int: (name: String, keys: [Int: FieldKey])] = [
    301: ("kmem_cache_alloc", [3: .callSite, 5: .ptr]),
    303: ("kmem_cache_free", [1: .callSite, 2: .ptr]),
    307: ("mm_page_alloc", [2: .migratetype, 3: .order, 4: .page, 5: .pfn]),
    310: ("mm_page_free", [1: .order, 2: .page, 3: .pfn]),
    311: ("mm_page_free_batched", [:]),
  ]

  func deliver(
    _ bytes: Span<UInt8>, _ range: Range<Int>, to consumer: inout some RecordConsumer
  ) throws {
    consumer.event.pid = 0
    consumer.event.interrupt = 0x2E
    consumer.event.symbol = 0
    consumer.event.origin = .tracepoint
    consumer.event.fields.clear()
    var content: (field: Int, range: Range<Int>)?
    var reader = WireReader(range)
    while let (field, value) = reader.next(bytes) {
      switch (field, value) {
      case (1, _): break
      case (2, .number(let pid)): consumer.event.pid = UInt32(truncatingIfNeeded: pid)
      case (5, .number(let flags)): consumer.event.interrupt = KernelFlags.letter(flags)
      case (_, .piece(let piece)): content = (field, piece)
      default: break
      }
    }
    consumer.event.comm = trace.commands[consumer.event.pid] ?? CommandName("<...>")
    guard !reader.isDamaged, let content else {
      return try consumer.takeBad { "an event of \(range.count) bytes without content" }
    }
    if let (name, keys) = Self.own[content.field] {
      return try deliver(own: name, keys, bytes, content.range, to: &consumer)
    }
    switch content.field {
    case 3: try deliver(print: bytes, content.range, to: &consumer)
    case 327: try deliver(generic: bytes, content.range, to: &consumer)
    case 542: try deliver(kprobe: bytes, content.range, to: &consumer)
    default:
      if let description = trace.descriptions[content.field] {
        try deliver(described: description, bytes, content.range, to: &consumer)
      } else {
        let name = Array("perfetto event \(content.field)".utf8)
        try consumer.takeUnknown(name.span) { "field \(content.field) of a FtraceEvent" }
      }
    }
  }

  private func deliver(
    own name: String, _ keys: [Int: FieldKey], _ bytes: Span<UInt8>, _ range: Range<Int>,
    to consumer: inout some RecordConsumer
  ) throws {
    guard let index = names.index(of: name) else { return }
    if consumer.wantsFields(of: index) {
      var reader = WireReader(range)
      while let (field, value) = reader.next(bytes) {
        guard let key = keys[field], let number = value.number else { continue }
        set(key, number, in: &consumer.event.fields)
      }
      // Where a kernel does not print its address the message has a zero.
      if consumer.event[.page] == 0 { consumer.event.fields[.page] = nil }
    }
    try consumer.take(index, text: bytes.extracting(0..<0))
  }

  private func deliver(
    print bytes: Span<UInt8>, _ range: Range<Int>, to consumer: inout some RecordConsumer
  ) throws {
    var text = 0..<0
    var reader = WireReader(range)
    while let (field, value) = reader.next(bytes) {
      if field == 2, let piece = value.piece { text = piece }
    }
    while !text.isEmpty, bytes[text.upperBound - 1] == 0x0A {
      text = text.lowerBound..<text.upperBound - 1
    }
    guard let index = names.index(of: "tracing_mark_write") else { return }
    try consumer.take(index, text: bytes.extracting(text))
  }

  /// `GenericFtraceEvent`: a name, and fields with names.
  private func deliver(
    generic bytes: Span<UInt8>, _ range: Range<Int>, to consumer: inout some RecordConsumer
  ) throws {
    var name = 0..<0
    var reader = WireReader(range)
    while let (field, value) = reader.next(bytes) {
      if field == 1, let piece = value.piece { name = piece }
    }
    try deliver(bytes.extracting(name), bytes, range, to: &consumer) { field, value in
      guard field == 2, let piece = value.piece else { return nil }
      var member = WireReader(piece)
      var key = 0..<0
      var found: WireReader.Value?
      while let (field, value) = member.next(bytes) {
        if field == 1, let piece = value.piece { key = piece } else { found = value }
      }
      guard let found else { return nil }
      return (key.map { bytes[$0] }, found)
    }
  }

  /// An event whose message the trace itself describes.
  private func deliver(
    described description: PerfettoFile.Description, _ bytes: Span<UInt8>, _ range: Range<Int>,
    to consumer: inout some RecordConsumer
  ) throws {
    try deliver(description.name.span, bytes, range, to: &consumer) { field, value in
      description.fields[field].map { ($0, value) }
    }
  }

  private func deliver(
    _ name: Span<UInt8>, _ bytes: Span<UInt8>, _ range: Range<Int>,
    to consumer: inout some RecordConsumer,
    member: (Int, WireReader.Value) -> (key: [UInt8], value: WireReader.Value)?
  ) throws {
    // A group may stand before the name: `pt/rcu_queue`.
    var start = 0
    for at in 0..<name.count where name[at] == 0x2F || name[at] == 0x3A { start = at + 1 }
    let whole = name.extracting(start..<name.count)
    if ImportNotes.text(whole) == "bpf_trace_printk" {
      var reader = WireReader(range)
      while let (field, value) = reader.next(bytes) {
        guard let (key, value) = member(field, value), key == Self.line,
          let piece = value.piece
        else { continue }
        return try ProgramLine.deliver(bytes.extracting(piece), to: &consumer)
      }
    }
    guard let index = names.index(of: whole, 0, whole.count) else {
      return try consumer.takeUnknown(whole) { "an event called " + ImportNotes.text(whole) }
    }
    let probe = names.entries[index].probe
    let wantsFields = consumer.wantsFields(of: index)
    var reader = WireReader(range)
    while let (field, value) = reader.next(bytes) {
      guard let (key, value) = member(field, value) else { continue }
      let text = String(decoding: key, as: UTF8.self)
      if text == "__probe_ip" || text == "__probe_func" {
        consumer.event.origin = .probe
        if probe == .tableFree || probe == .tablePut, let address = value.number {
          consumer.event.symbol = symbols.hash(of: address) ?? 0
        }
        continue
      }
      guard wantsFields, let key = Self.key(text, probe) else { continue }
      switch value {
      case .piece(let piece): set(key, bytes, piece, in: &consumer.event.fields)
      default:
        if let number = value.number { set(key, number, in: &consumer.event.fields) }
      }
    }
    try consumer.take(index, text: bytes.extracting(0..<0))
  }

  private static let line = Array("bpf_string".utf8)

  private static func key(_ name: String, _ probe: Probe) -> FieldKey? {
    if probe == .gpTracepoint, name == "gp_seq" { return .seq }
    return FieldKey(named: name)
  }

  private func set(_ key: FieldKey, _ number: UInt64, in fields: inout Fields) {
    switch key.form {
    case .symbol: fields[key] = symbols.hash(of: number) ?? 0
    // Perfetto stores the bits without what they are called.
    case .flags: break
    default: fields[key] = key == .pfn && number == .max ? 0 : number
    }
  }

  private func set(
    _ key: FieldKey, _ bytes: Span<UInt8>, _ piece: Range<Int>, in fields: inout Fields
  ) {
    switch key.form {
    case .symbol: fields[key] = Symbol.hashName(bytes, piece.lowerBound, piece.upperBound)
    case .flags: fields[key] = AllocationFlags.value(bytes, piece.lowerBound, piece.upperBound)
    case .address: fields[key] = Fields.hexadecimal(bytes, piece.lowerBound, piece.upperBound)
    case .number: fields[key] = Fields.number(bytes, piece.lowerBound, piece.upperBound)
    }
  }

  /// `KprobeEvent`, which Perfetto's own probes leave behind: a function, and no values.
  private func deliver(
    kprobe bytes: Span<UInt8>, _ range: Range<Int>, to consumer: inout some RecordConsumer
  ) throws {
    var name = 0..<0
    var reader = WireReader(range)
    while let (field, value) = reader.next(bytes) {
      if field == 1, let piece = value.piece { name = piece }
    }
    try consumer.takeFunction(bytes.extracting(name)) { "a kprobe of Perfetto without values" }
  }
}
