import TraceFormat

/// Imports the text of ftrace: `/sys/kernel/tracing/trace`, `trace_pipe`, `trace-cmd report`.
///
/// Two passes over the input: ``Survey`` finds what has to be known beforehand, ``ImportState``
/// writes the events. The function tracer's text is refused: it names functions and no tables.
enum FtraceTextImporter: TraceImporter {
  static let format = "ftrace-text"

  static func recognises(_ head: [UInt8]) -> Bool {
    guard !head.contains(0) else { return false }
    let text = head.span
    var line = EventLine()
    var start = 0
    var seen = 0
    while start < text.count, seen < 256 {
      let end = ByteSource.lineFeed(in: text, from: start, to: text.count) ?? text.count
      let bytes = text.extracting(start..<end)
      switch LineLexer.lex(bytes, into: &line) {
      case .event, .function, .loss: return true
      case .comment: if isHeading(bytes) { return true }
      case .bad: break
      }
      start = end + 1
      seen += 1
    }
    return false
  }

  /// `# tracer: nop`; graph tracers are another format.
  private static func isHeading(_ bytes: Span<UInt8>) -> Bool {
    var heading = Survey.Heading()
    heading.read(bytes)
    guard let tracer = heading.tracer else { return false }
    return tracer != "function_graph"
  }

  static func run(
    _ source: ByteSource, options: ImportOptions,
    into makeSink: (TraceHeader) throws -> any EventSink
  ) throws -> ImportResult {
    var survey = Survey()
    try LineReader.feed(source, to: &survey)
    try refuse(survey, source.name)
    let side = options.sideFiles ? SideFiles(beside: source.name) : SideFiles()
    let facts = Facts(survey, side, options)
    var header = header(survey, side, facts, options)
    CapabilityRules(survey, side, facts).apply(to: &header, locksWithoutAlloc: 0)
    var pass = ImportPass(facts: facts, sink: try makeSink(header))
    try pass.state.begin()
    try LineReader.feed(source, to: &pass)
    try pass.state.finish()
    return complete(pass, survey, side, facts, options)
  }

  private static func refuse(_ survey: Survey, _ name: String) throws(TraceError) {
    if survey.functionLines > 0, survey.functionLines * 4 > survey.eventLines {
      throw Importing.functionTracer(name)
    }
    let good = survey.eventLines + survey.functionLines + survey.holes.count
    let others = survey.lines - survey.comments - good
    if others > good {
      throw TraceError(
        file: name, what: "is no trace: \(others) of \(survey.lines) lines are no events",
        hint: "ftrace text is expected: /sys/kernel/tracing/trace or trace_pipe")
    }
  }

  private static func header(
    _ survey: Survey, _ side: SideFiles, _ facts: Facts, _ options: ImportOptions
  ) -> TraceHeader {
    let name = side.clock ?? (survey.isCounter ? "counter" : "ftrace")
    let clock = Clock(
      name: name, unitsPerSecond: survey.isCounter ? nil : 1_000_000_000)
    var header = TraceHeader(
      source: format, producer: options.producer, cpus: max(facts.cpus, 1), clock: clock)
    header.kernel = options.kernel
    header.stage = options.stage
    header.arch = options.arch ?? side.arch ?? facts.entryFormat?.arch
    header.workload = side.workload
    header.options["NR_PAGETABLE"] = "\(facts.nrPageTable)"
    if let separate = side.hasLockObjects {
      header.options["split_ptlock"] = separate ? "yes" : "no"
    }
    if side.isPipe { header.options["read from"] = "trace_pipe" }
    header.remarks = facts.remarks
    return header
  }

  /// Header and report, now that everything was seen.
  private static func complete(
    _ pass: ImportPass, _ survey: Survey, _ side: SideFiles, _ facts: Facts,
    _ options: ImportOptions
  ) -> ImportResult {
    var header = header(survey, side, facts, options)
    CapabilityRules(survey, side, facts).apply(
      to: &header, locksWithoutAlloc: pass.state.locksWithoutAlloc)
    var report = ImportReport(format: format)
    report.lines = survey.lines
    report.eventLines = survey.eventLines
    report.events = pass.state.events
    report.inferred = pass.state.inferred
    for (index, entry) in NameTable.shared.entries.enumerated() where survey.counts[index] > 0 {
      let count = ImportReport.NameCount(name: entry.name, count: survey.counts[index])
      if entry.probe == .ignored { report.ignored.append(count) } else { report.read.append(count) }
    }
    report.ignored.sort { $0.name < $1.name }
    report.read.sort { $0.name < $1.name }
    report.unknown = pass.unknown.sorted { $0.key < $1.key }.map(\.value)
    report.badLines = pass.badLines
    report.badExamples = pass.badExamples
    report.badValues = pass.state.badValues
    report.losses = facts.holes.filter { $0.cause != .unread }.map {
      ImportReport.Loss(cpu: Int($0.cpu), count: $0.count, afterLine: $0.afterLine)
    }
    count(report, into: &header)
    report.remarks = header.remarks
    return ImportResult(header: header, report: report)
  }

  private static func count(_ report: ImportReport, into header: inout TraceHeader) {
    header.counts["lines"] = UInt64(report.lines)
    header.counts["event lines"] = UInt64(report.eventLines)
    header.counts["events"] = report.events
    header.counts["inferred events"] = report.inferred
    let ignored = report.ignored.reduce(0) { $0 + $1.count }
    if ignored > 0 { header.counts["lines not needed"] = UInt64(ignored) }
    let unknown = report.unknown.reduce(0) { $0 + $1.count }
    if unknown > 0 {
      header.counts["lines not understood"] = UInt64(unknown)
      let names = report.unknown.prefix(4).map { "\($0.name) (\($0.count))" }
      header.remarks.append(
        "\(unknown) lines were not understood: " + names.joined(separator: ", "))
    }
    if report.badLines > 0 {
      header.counts["lines that are no events"] = UInt64(report.badLines)
      header.remarks.append("\(report.badLines) lines have not the form of an event")
    }
    if report.badValues > 0 { header.counts["lines with bad values"] = UInt64(report.badValues) }
    if !report.losses.isEmpty {
      header.counts["holes"] = UInt64(report.losses.count)
      header.counts["lost events"] = report.losses.reduce(0) { $0 &+ ($1.count ?? 0) }
    }
  }
}

/// The second pass: feeds ``ImportState`` and counts what it cannot be fed.
struct ImportPass: LineConsumer {
  var state: ImportState
  private(set) var unknown: [String: ImportReport.UnknownName] = [:]
  private(set) var badLines = 0
  private(set) var badExamples: [String] = []
  private var number = 0
  private let names = NameTable.shared
  private static let unknownLimit = 1000

  init(facts: Facts, sink: any EventSink) { state = ImportState(facts: facts, sink: sink) }

  mutating func take(line bytes: Span<UInt8>) throws {
    number += 1
    switch LineLexer.lex(bytes, into: &state.line) {
    case .event:
      if let index = names.index(of: bytes, state.line.nameStart, state.line.nameEnd) {
        try state.take(names.entries[index].probe, bytes)
      } else {
        try state.enter(bytes)
        note(bytes, state.line.nameStart, state.line.nameEnd)
      }
      try state.openHoles(after: number)
    case .function:
      note(bytes, state.line.nameStart, state.line.nameEnd)
      try state.openHoles(after: number)
    case .loss(let cpu, _): try state.closeHole(of: cpu, cause: .lostEvents)
    case .comment: break
    case .bad:
      badLines += 1
      // What stands above the first event is no part of the recording.
      state.hasUnread = state.cpus.contains { $0.hasBegun }
      if badExamples.count < 5 { badExamples.append("\(number): " + text(bytes, 0, bytes.count)) }
    }
  }

  private mutating func note(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) {
    let name = text(bytes, start, end)
    if unknown[name] != nil {
      unknown[name]!.count += 1
    } else if unknown.count < Self.unknownLimit {
      unknown[name] = ImportReport.UnknownName(
        name: name, count: 1, firstLine: number, example: text(bytes, 0, bytes.count))
    } else {
      let rest = ImportReport.UnknownName(
        name: "(others)", count: 0, firstLine: number, example: text(bytes, 0, bytes.count))
      unknown["(others)", default: rest].count += 1
    }
  }

  private func text(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> String {
    String(decoding: (start..<min(end, start + 200)).map { bytes[$0] }, as: UTF8.self)
  }
}
