import TraceFormat

/// Imports the records of another tracer, one a line, as a ``RecordMap`` explains them.
enum MappedImporter {
  static func run(
    _ source: ByteSource, map path: String, options: ImportOptions,
    into makeSink: (TraceHeader) throws -> any EventSink
  ) throws -> ImportResult {
    var map = try RecordMap(path: path)
    if map.format == nil { map.format = try isObject(source) ? .ndjson : .csv }
    var side = SideFiles(beside: source, options)
    if side.clock == nil { side.clock = "mapped" }
    let records = MappedRecords(source: source, map: map)
    var recorded = RecordedImport(source: records, side: side, options: options)
    return try recorded.run(into: makeSink)
  }

  private static func isObject(_ source: ByteSource) throws -> Bool {
    var head = [UInt8](repeating: 0, count: 64)
    try source.rewind()
    let count = try source.read(into: &head, at: 0)
    return head[..<count].first { $0 != 0x20 && $0 != 0x0A && $0 != 0x0D } == 0x7B
  }
}

/// Records of another tracer as a source of recorded events.
private struct MappedRecords: RecordSource {
  let source: ByteSource
  let map: RecordMap
  var format: String { map.format == .csv ? "csv" : "ndjson" }

  func feed<Consumer: RecordConsumer>(to consumer: Consumer) throws -> Consumer {
    if map.format == .csv {
      var feed = MappedFeed(consumer, map, FlatRow(), source.name)
      try LineReader.feed(source, to: &feed)
      return feed.consumer
    }
    var feed = MappedFeed(consumer, map, FlatObject(), source.name)
    try LineReader.feed(source, to: &feed)
    return feed.consumer
  }

  func refuse(_ survey: Survey) throws(TraceError) {
    let others = survey.lines - survey.comments - survey.eventLines - survey.holeCount
    guard others > survey.eventLines + survey.holeCount else { return }
    throw TraceError(
      file: source.name,
      what: "\(others) of \(survey.lines) lines are no records of the map"
        + (survey.firstBad.map { ", such as: \($0)" } ?? ""),
      hint: "compare the keys of the map with those of the file")
  }
}

/// Hands records on, line by line.
private struct MappedFeed<Consumer: RecordConsumer, Record: LineRecord>: LineConsumer {
  var consumer: Consumer
  private let map: RecordMap
  private var record: Record
  private let name: String
  private var number = 0

  init(_ consumer: Consumer, _ map: RecordMap, _ record: Record, _ name: String) {
    self.consumer = consumer
    self.map = map
    self.record = record
    self.name = name
  }

  mutating func take(line bytes: Span<UInt8>) throws {
    number += 1
    if bytes.isEmpty || bytes[0] == 0x23 { return try consumer.takeComment(bytes) }
    if number == 1, Record.hasHeading {
      guard record.readHeading(bytes) else {
        throw TraceError(
          file: name, what: "line 1 does not name the columns",
          hint: "the first line of CSV is the names of its columns")
      }
      return try consumer.takeComment(bytes)
    }
    guard record.readLine(bytes) else {
      return try consumer.takeBad { ImportNotes.text(bytes) }
    }
    guard let text = text(map.name, bytes), enter(bytes) else {
      return try consumer.takeBad { ImportNotes.text(bytes) }
    }
    if let lost = map.lost, lost.name == text {
      let count = lost.count.flatMap { number(record.value($0), bytes, .number) }
      return try consumer.takeLoss(cpu: consumer.event.cpu, count: count)
    }
    guard let event = map.events[text] else {
      let letters = Array(text.utf8)
      return try consumer.takeUnknown(letters.span) { ImportNotes.text(bytes) }
    }
    consumer.event.origin = event.origin
    consumer.event.fields.clear()
    if consumer.wantsFields(of: event.index) {
      for (key, column) in event.values {
        consumer.event.fields[key] = number(record.value(column), bytes, key.form)
      }
      for (key, text) in event.always {
        let whole = FlatValue(range: 0..<text.count, form: .text)
        consumer.event.fields[key] = number(whole, text.span, key.form)
      }
    }
    let marker = event.text.flatMap { self.text($0, bytes) } ?? ""
    let letters = Array(marker.utf8)
    try consumer.take(event.index, text: letters.span)
  }

  /// Fills in where and when; false if the record does not say.
  private mutating func enter(_ bytes: Span<UInt8>) -> Bool {
    guard let time = time(record.value(map.time), bytes),
      let cpu = number(record.value(map.cpu), bytes, .number).flatMap(UInt16.init(exactly:)),
      cpu != Event.allCPUs,
      let pid = number(record.value(map.pid), bytes, .number).flatMap(UInt32.init(exactly:))
    else { return false }
    consumer.event.time = time
    consumer.event.isCounter = map.unit == .ticks
    consumer.event.cpu = cpu
    consumer.event.pid = pid
    consumer.event.symbol = 0
    consumer.event.comm =
      map.comm.flatMap { text($0, bytes) }.map { CommandName($0) } ?? CommandName("<...>")
    consumer.event.interrupt = letter(map.context.flatMap { text($0, bytes) })
    return true
  }

  private func letter(_ context: String?) -> UInt8 {
    switch context {
    case "softirq": 0x73
    case "hardirq": 0x68
    case "nmi": 0x7A
    default: 0x2E
    }
  }

  private func text(_ key: [UInt8], _ bytes: Span<UInt8>) -> String? {
    guard let value = record.value(key), value.form != .nested else { return nil }
    return FlatObject.text(bytes, value)
  }

  /// A value in the form the joins know it in.
  private func number(
    _ value: FlatValue?, _ bytes: Span<UInt8>, _ form: FieldKey.Form
  ) -> UInt64? {
    guard let value, value.form != .nested else { return nil }
    let (start, end) = (value.range.lowerBound, value.range.upperBound)
    switch form {
    case .symbol: return Symbol.hashName(bytes, start, end)
    case .flags: return AllocationFlags.value(bytes, start, end)
    // `%p` prints no 0x: an address that is a text is hexadecimal, one that is a number is not.
    case .address where value.form == .text && Record.textIsHexadecimal:
      return Fields.hexadecimal(bytes, start, end)
    default: return Fields.number(bytes, start, end)
    }
  }

  /// A time with or without a fraction, in nanoseconds.
  private func time(_ value: FlatValue?, _ bytes: Span<UInt8>) -> UInt64? {
    guard let value, value.form != .nested else { return nil }
    var whole = value.range.lowerBound
    let end = value.range.upperBound
    while whole < end, bytes[whole] != 0x2E { whole += 1 }
    guard let units = Fields.number(bytes, value.range.lowerBound, whole),
      bytes[value.range.lowerBound] != 0x2D
    else { return nil }
    let (base, overflow) = units.multipliedReportingOverflow(by: map.unit.nanoseconds)
    guard !overflow else { return nil }
    var rest: UInt64 = 0
    var worth = map.unit.nanoseconds
    var at = whole + 1
    while at < end, worth > 1 {
      let digit = bytes[at] &- 0x30
      guard digit < 10 else { return nil }
      worth /= 10
      rest += UInt64(digit) * worth
      at += 1
    }
    let (sum, carry) = base.addingReportingOverflow(rest)
    return carry ? nil : sum
  }
}

/// A ``FlatRecord`` that is read line by line.
private protocol LineRecord: FlatRecord {
  /// The first line names the columns.
  static var hasHeading: Bool { get }
  /// An address that is a text has no `0x`.
  static var textIsHexadecimal: Bool { get }
  mutating func readHeading(_ bytes: Span<UInt8>) -> Bool
  mutating func readLine(_ bytes: Span<UInt8>) -> Bool
}

extension FlatObject: LineRecord {
  static var hasHeading: Bool { false }
  static var textIsHexadecimal: Bool { true }
  mutating func readHeading(_ bytes: Span<UInt8>) -> Bool { false }
  mutating func readLine(_ bytes: Span<UInt8>) -> Bool { read(bytes) }
}

extension FlatRow: LineRecord {
  static var hasHeading: Bool { true }
  // A cell has no type: what is hexadecimal has a 0x, or a letter.
  static var textIsHexadecimal: Bool { false }
  mutating func readHeading(_ bytes: Span<UInt8>) -> Bool { readColumns(bytes) }
  mutating func readLine(_ bytes: Span<UInt8>) -> Bool { read(bytes) }
}
