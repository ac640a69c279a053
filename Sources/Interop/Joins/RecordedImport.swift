import TraceFormat

/// A file of recorded events that can be read more than once.
protocol RecordSource {
  /// Name of the format, as in the header's `source`.
  var format: String { get }
  /// What it consists of, for messages.
  var unit: String { get }
  /// Hands every event to `consumer`, in order, and gives it back.
  func feed<Consumer: RecordConsumer>(to consumer: Consumer) throws -> Consumer
  /// Throws if what the first pass met is not the trace it should be.
  func refuse(_ survey: Survey) throws(TraceError)
  /// Adds what the file says about itself.
  func describe(_ header: inout TraceHeader)
}

extension RecordSource {
  var unit: String { "line" }
  func describe(_ header: inout TraceHeader) {}
}

/// The import of recorded events, whatever the form of their file.
///
/// Two passes over the source: ``Survey`` finds what has to be known beforehand, ``ImportState``
/// writes the events.
struct RecordedImport<Source: RecordSource> {
  let source: Source
  private(set) var side: SideFiles
  let options: ImportOptions

  mutating func run(into makeSink: (TraceHeader) throws -> any EventSink) throws -> ImportResult {
    if options.follow { return try follow(into: makeSink) }
    let survey = try source.feed(to: Survey())
    try source.refuse(survey)
    side.take(survey.embedded)
    let facts = Facts(survey, side, options)
    var state = ImportState(facts: facts, sink: try makeSink(firstHeader(survey, facts)))
    try state.begin()
    state = try source.feed(to: state)
    try state.finish()
    let losses = facts.holes.filter { $0.cause != .unread }.map {
      ImportReport.Loss(cpu: Int($0.cpu), count: $0.count, afterLine: $0.afterLine)
    }
    return complete(state, survey, facts, Holes(losses))
  }

  /// One pass: the survey runs beside the joins.
  private mutating func follow(
    into makeSink: (TraceHeader) throws -> any EventSink
  ) throws -> ImportResult {
    let first = self
    return try withoutActuallyEscaping(makeSink) { makeSink in
      let live = LiveImport(side: side, options: options) { survey, side in
        var here = first
        here.side = side
        try here.source.refuse(survey)
        let facts = Facts(survey, side, here.options, isLive: true)
        return ImportState(facts: facts, sink: try makeSink(here.firstHeader(survey, facts)))
      }
      var end = try source.feed(to: live)
      let state = try end.finish()
      side = end.side
      return complete(state, end.survey, state.facts, end.holes)
    }
  }

  /// The header as it is known before the first event.
  private func firstHeader(_ survey: Survey, _ facts: Facts) -> TraceHeader {
    var header = header(survey, facts)
    let rules = CapabilityRules(survey, side, facts)
    rules.apply(to: &header, locksWithoutAlloc: 0)
    if options.follow { rules.admitLaterKinds(to: &header) }
    return header
  }

  private func header(_ survey: Survey, _ facts: Facts) -> TraceHeader {
    let name = side.clock ?? (survey.isCounter ? "counter" : "ftrace")
    let clock = Clock(
      name: name, unitsPerSecond: survey.isCounter ? nil : 1_000_000_000)
    var header = TraceHeader(
      source: source.format, producer: options.producer, cpus: max(facts.cpus, 1), clock: clock)
    header.kernel = options.kernel ?? side.kernel
    header.stage = options.stage
    header.arch = options.arch ?? side.arch ?? facts.entryFormat?.arch
    header.host = side.host
    header.boot = side.boot
    header.workload = side.workload
    header.options["NR_PAGETABLE"] = "\(facts.nrPageTable)"
    if let separate = side.hasLockObjects {
      header.options["split_ptlock"] = separate ? "yes" : "no"
    }
    if side.isPipe || options.follow { header.options["read from"] = "trace_pipe" }
    if options.follow { header.tellsHolesLate = true }
    header.remarks = facts.remarks
    source.describe(&header)
    return header
  }

  /// Header and report, now that everything was seen.
  private func complete(
    _ state: ImportState, _ survey: Survey, _ facts: Facts, _ holes: Holes
  ) -> ImportResult {
    var header = header(survey, facts)
    CapabilityRules(survey, side, facts).apply(
      to: &header, locksWithoutAlloc: state.locksWithoutAlloc)
    var report = ImportReport(format: source.format)
    report.unit = source.unit
    report.lines = survey.lines
    report.eventLines = survey.eventLines
    report.events = state.events
    report.inferred = state.inferred
    for (index, entry) in NameTable.shared.entries.enumerated() where survey.counts[index] > 0 {
      let count = ImportReport.NameCount(name: entry.name, count: survey.counts[index])
      if entry.probe == .ignored { report.ignored.append(count) } else { report.read.append(count) }
    }
    report.ignored.sort { $0.name < $1.name }
    report.read.sort { $0.name < $1.name }
    report.unknown = state.notes.unknown.sorted { $0.key < $1.key }.map(\.value)
    report.badLines = state.notes.badLines
    report.badExamples = state.notes.badExamples
    report.badValues = state.badValues
    report.losses = holes.first
    count(report, into: &header)
    if holes.count > 0 {
      header.counts["holes"] = holes.count
      header.counts["lost events"] = holes.lostEvents
    }
    report.remarks = header.remarks
    return ImportResult(header: header, report: report)
  }

  private func count(_ report: ImportReport, into header: inout TraceHeader) {
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
  }
}

/// The holes of a trace: their number, and the first of them.
struct Holes {
  private(set) var count: UInt64 = 0
  private(set) var lostEvents: UInt64 = 0
  private(set) var first: [ImportReport.Loss] = []
  private static let kept = 4096

  init(_ losses: [ImportReport.Loss] = []) {
    for loss in losses { add(loss) }
  }

  mutating func add(_ loss: ImportReport.Loss) {
    count += 1
    lostEvents &+= loss.count ?? 0
    if first.count < Self.kept { first.append(loss) }
  }
}
