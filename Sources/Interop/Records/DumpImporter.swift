import TraceFormat

/// Imports what `tracetool dump --format ndjson` printed: the same events come back.
///
/// With the header (`dump --header`) the trace knows as much as before; without it, kinds that
/// occur are taken as kinds that may be missing elsewhere.
enum DumpImporter: TraceImporter {
  static let format = "tracetool-ndjson"

  private static let starts = ["{\"ordinal\":", "{\"header\":"].map { Array($0.utf8) }

  static func recognises(_ head: [UInt8]) -> Bool { starts.contains { head.starts(with: $0) } }

  static func run(
    _ source: ByteSource, options: ImportOptions,
    into makeSink: (TraceHeader) throws -> any EventSink
  ) throws -> ImportResult {
    var survey = DumpSurvey(name: source.name)
    try LineReader.feed(source, to: &survey)
    let header = survey.completeHeader(options)
    var pass = DumpPass(name: source.name, sink: try makeSink(header))
    try LineReader.feed(source, to: &pass)
    var report = ImportReport(format: format)
    report.lines = pass.lines.number
    report.eventLines = Int(pass.events)
    report.events = pass.events
    report.inferred = pass.inferred
    report.remarks = header.remarks
    return ImportResult(header: header, report: report)
  }
}

/// One line of a dump, read into an event.
private struct DumpLine {
  let name: String
  private(set) var number = 0
  private(set) var object = FlatObject()

  /// What a line holds.
  enum Content {
    case nothing
    case header(TraceHeader)
    case event(Event, comm: String?, text: String?)
  }

  init(name: String) { self.name = name }

  mutating func read(_ bytes: Span<UInt8>) throws(TraceError) -> Content {
    number += 1
    var isBlank = true
    for at in 0..<bytes.count where bytes[at] != 0x20 && bytes[at] != 0x0D { isBlank = false }
    if isBlank { return .nothing }
    guard object.read(bytes) else { throw bad("is no JSON object; it may be cut off") }
    if let value = object.value(Array("header".utf8)), value.form == .nested {
      guard number == 1 else { throw bad("holds a header, which belongs into the first line") }
      guard let header = TraceHeader(json: value.range.map { bytes[$0] }) else {
        throw bad("holds a header that cannot be read")
      }
      return .header(header)
    }
    return try event(bytes)
  }

  private func event(_ bytes: Span<UInt8>) throws(TraceError) -> Content {
    guard let name = text("event", bytes) else { throw bad("names no event") }
    guard let kind = EventKind(name: name) else { throw bad("names an unknown event, \(name)") }
    let fields = kind.fields
    var event = Event(kind, time: try number("time", bytes, .count) ?? 0)
    event.cpu = Event.allCPUs
    if let cpu = try number("cpu", bytes, .count) {
      guard let cpu = UInt16(exactly: cpu) else { throw bad("has a cpu beyond 65535") }
      event.cpu = cpu
    }
    guard let task = UInt32(exactly: try number("task", bytes, .count) ?? 0) else {
      throw bad("has a task beyond 32 bits")
    }
    event.task = task
    event.context = try named("context", bytes, ExecutionContext.allCases, \.name) ?? .unknown
    event.level = try named("level", bytes, TableLevel.allCases, \.name) ?? .unknown
    if !fields.objectName.isEmpty, kind != .mark {
      event.object =
        fields.space == .none
        ? try cause(fields.objectName, bytes)
        : try number(
          fields.objectName, bytes, fields.space == .gracePeriod ? .signed : .address) ?? 0
    }
    event.arg0 = try argument(fields.arg0, bytes, kind == .loss ? Event.unknownCount : 0)
    event.arg1 = try argument(fields.arg1, bytes, 0)
    if isTrue("inferred", bytes) { event.flags.insert(.inferred) }
    if isTrue("kernel_table", bytes) { event.flags.insert(.kernelTable) }
    if isTrue("reclaimed", bytes) { event.flags.insert(.reclaimed) }
    return .event(event, comm: text("comm", bytes), text: text("text", bytes))
  }

  private func argument(
    _ argument: EventArgument, _ bytes: Span<UInt8>, _ missing: UInt64
  ) throws(TraceError) -> UInt64 {
    switch argument.type {
    case .none: return 0
    case .freeFunction:
      return UInt64(
        try named(argument.name, bytes, FreeFunction.allCases, \.name)?.rawValue ?? 0)
    case .callbackFunction:
      return UInt64(
        try named(argument.name, bytes, CallbackFunction.allCases, \.name)?.rawValue ?? 0)
    case .readerClass:
      return UInt64(
        try named(argument.name, bytes, ReaderClass.allCases, \.name)?.rawValue ?? 0)
    default: return try number(argument.name, bytes, argument.type) ?? missing
    }
  }

  private func cause(_ key: String, _ bytes: Span<UInt8>) throws(TraceError) -> UInt64 {
    UInt64(try named(key, bytes, LossCause.allCases, \.name)?.rawValue ?? 0)
  }

  private func text(_ key: String, _ bytes: Span<UInt8>) -> String? {
    guard let value = object.value(Array(key.utf8)), value.form == .text else { return nil }
    return FlatObject.text(bytes, value)
  }

  private func isTrue(_ key: String, _ bytes: Span<UInt8>) -> Bool {
    guard let value = object.value(Array(key.utf8)), value.form == .bare else { return false }
    return bytes[value.range.lowerBound] == 0x74
  }

  private func named<Value>(
    _ key: String, _ bytes: Span<UInt8>, _ all: [Value], _ name: (Value) -> String
  ) throws(TraceError) -> Value? {
    guard let found = text(key, bytes) else { return nil }
    for value in all where name(value) == found { return value }
    throw bad("has an unknown \(key), \(found)")
  }

  /// Value of a number; nil where there is none or it is null.
  private func number(
    _ key: String, _ bytes: Span<UInt8>, _ type: ArgumentType
  ) throws(TraceError) -> UInt64? {
    guard let value = object.value(Array(key.utf8)) else { return nil }
    let (start, end) = (value.range.lowerBound, value.range.upperBound)
    if value.form == .bare, start < end, bytes[start] == 0x6E { return nil }
    guard let number = Fields.number(bytes, start, end),
      type == .signed || bytes[start] != 0x2D
    else { throw bad("has no number as \(key)") }
    return number
  }

  private func bad(_ what: String) -> TraceError {
    TraceError(
      file: name, what: "line \(number) \(what)",
      hint: "tracetool dump --format ndjson --header prints what is read here")
  }
}

/// First pass: what occurs.
private struct DumpSurvey: LineConsumer {
  private var lines: DumpLine
  private var header: TraceHeader?
  private var kinds: Set<EventKind> = []
  private var cpus = 1

  init(name: String) { lines = DumpLine(name: name) }

  mutating func take(line bytes: Span<UInt8>) throws {
    switch try lines.read(bytes) {
    case .nothing: break
    case .header(let header): self.header = header
    case .event(let event, _, _):
      kinds.insert(event.kind)
      if event.cpu != Event.allCPUs { cpus = max(cpus, Int(event.cpu) + 1) }
    }
  }

  func completeHeader(_ options: ImportOptions) -> TraceHeader {
    var result: TraceHeader
    if let header {
      result = header
    } else {
      result = TraceHeader(
        source: DumpImporter.format, producer: options.producer, cpus: cpus,
        clock: Clock(name: "unknown", unitsPerSecond: 1_000_000_000))
      for kind in EventKind.allCases where kinds.contains(kind) {
        result.capabilities[kind] = .mayMiss
        result.capabilities.reasons[kind.name] = "the dump has no header that says more"
      }
      result.remarks = [
        "imported from a dump without its header: what the source could not see is not known"
      ]
    }
    result.kernel = options.kernel ?? result.kernel
    result.arch = options.arch ?? result.arch
    result.stage = options.stage ?? result.stage
    return result
  }
}

/// Second pass: writes the events.
private struct DumpPass: LineConsumer {
  private(set) var lines: DumpLine
  private let sink: any EventSink
  private(set) var events: UInt64 = 0
  private(set) var inferred: UInt64 = 0
  private var names: [UInt32: String] = [:]

  init(name: String, sink: any EventSink) {
    lines = DumpLine(name: name)
    self.sink = sink
  }

  mutating func take(line bytes: Span<UInt8>) throws {
    guard case .event(var event, let comm, let text) = try lines.read(bytes) else { return }
    if let comm, names[event.task] != comm {
      names[event.task] = comm
      try sink.setTaskName(comm, of: event.task)
    }
    if event.kind == .mark { event.object = try sink.addString(text ?? "") }
    events += 1
    if event.flags.contains(.inferred) { inferred += 1 }
    try sink.append(event)
  }
}
