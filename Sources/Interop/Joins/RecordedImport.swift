import TraceFormat

/// A file of recorded events that can be read more than once.
protocol RecordSource {
  /// Name of the format, as in the header's `source`.
  var format: String { get }
  /// What it consists of, for messages.
  var unit: String { get }
  /// Hands every event to `consumer`, in order, and gives it back.
  func feed<Consumer: RecordConsumer>(to consumer: Consumer) throws -> Consumer
  /// Hands some of the events, of all parts of the file, to `consumer`, and gives it back; nil where
  /// that saves nothing.
  func sample<Consumer: RecordConsumer>(for consumer: Consumer) throws -> Consumer?
  /// Says how often the file will be read.
  func plan(passes: UInt64)
  /// Throws if what the first pass met is not the trace it should be.
  func refuse(_ survey: Survey) throws(TraceError)
  /// Adds what the file says about itself.
  func describe(_ header: inout TraceHeader)
}

extension RecordSource {
  var unit: String { "line" }
  func describe(_ header: inout TraceHeader) {}
  func sample<Consumer: RecordConsumer>(for consumer: Consumer) throws -> Consumer? { nil }
  func plan(passes: UInt64) {}
}

/// The import of recorded events, whatever the form of their file.
///
/// Two passes over the source: ``Survey`` finds what has to be known beforehand, ``ImportState``
/// writes the events. Of a large file only a sample is surveyed first; if the survey of everything,
/// which goes on beside the joins, says the same in the end, one pass is enough.
struct RecordedImport<Source: RecordSource> {
  let source: Source
  private(set) var side: SideFiles
  let options: ImportOptions

  mutating func run(into makeSink: (TraceHeader) throws -> any EventSink) throws -> ImportResult {
    if options.follow { return try follow(into: makeSink) }
    let survey: Survey
    if options.mayStartAgain, let guess = try guess() {
      source.plan(passes: 1)
      var pass = try OnePassImport(guess, sink: try makeSink(guess.header))
      pass = try source.feed(to: pass)
      try source.refuse(pass.survey)
      if try pass.finish() {
        return complete(pass.state, pass.survey, guess.facts, Holes(guess.facts.losses))
      }
      source.plan(passes: 2)
      survey = pass.survey
    } else {
      survey = try source.feed(to: SurveyPass()).survey
      try source.refuse(survey)
    }
    side.take(survey.embedded)
    let facts = Facts(survey, side, options)
    var state = ImportState(facts: facts, sink: try makeSink(firstHeader(survey, facts)))
    try state.begin()
    state = try source.feed(to: state)
    try state.finish()
    return complete(state, survey, facts, Holes(facts.losses))
  }

  /// What a sample of the source makes one expect; nil where both passes are needed.
  private func guess() throws -> ImportGuess? {
    guard var survey = try source.sample(for: SurveyPass())?.survey,
      (try? source.refuse(survey)) != nil
    else { return nil }
    // Files beside the trace are compared with how much is in it.
    if let entries = survey.heading.entries {
      survey.assume(eventLines: Int(clamping: entries))
    } else if !side.statistics.isEmpty {
      return nil
    }
    let here = self
    return ImportGuess(survey) { survey in
      let facts = Facts(survey, here.side, here.options)
      return (facts, here.firstHeader(survey, facts))
    }
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
    for (entry, tally) in zip(NameTable.shared.entries, survey.tallies) where tally.lines > 0 {
      let count = ImportReport.NameCount(name: entry.name, count: tally.lines)
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
