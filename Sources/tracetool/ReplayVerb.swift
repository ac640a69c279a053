import ArgumentParser
import Replay
import TraceFormat

/// `tracetool replay FILE`: the machine at any instant.
struct ReplayVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Show the machine's state at any instant of a trace, and walk from there.",
    discussion: """
      The state after an event: live tables by phase, batches being filled, callbacks and the \
      grace period each waits for, readers inside, locks held. A place is an ordinal (813) or a \
      time in seconds (13.2734, @4711 where the clock has no unit).

      EXAMPLES:
        tracetool replay a.ptt --at 813
        tracetool replay a.ptt --at 13.2734 --step 5
        tracetool replay a.ptt --at 813 --step=-5
        tracetool replay a.ptt --from 820 --to 800
        tracetool replay a.ptt --table '0x8a1f3#2'
      """)

  @Argument(help: ArgumentHelp("A trace, a text capture, or - for stdin.", valueName: "FILE"))
  var file: String

  @Option(help: ArgumentHelp("Show the state after this event or time.", valueName: "PLACE"))
  var at: PlaceArgument?

  @Option(help: ArgumentHelp("Walk N events on from --at; backwards if negative.", valueName: "N"))
  var step: Int?

  @Option(help: ArgumentHelp("Walk from this event …", valueName: "ORDINAL"))
  var from: UInt32?

  @Option(help: ArgumentHelp("… to this one; backwards if it comes first.", valueName: "ORDINAL"))
  var to: UInt32?

  @Option(
    help: ArgumentHelp("Print one table's life, or all its lives.", valueName: "PFN[#GEN]"))
  var table: TableReference?

  @Option(help: ArgumentHelp("List at most N objects under each heading.", valueName: "N"))
  var limit = 20

  @OptionGroup var jobs: JobOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var verbosity: VerbosityOptions

  func validate() throws {
    if (from == nil) != (to == nil) { throw ValidationError("--from and --to go together") }
    if step != nil, from != nil { throw ValidationError("--step and --from exclude each other") }
    if at != nil, from != nil { throw ValidationError("--at and --from exclude each other") }
    if table != nil, at != nil || from != nil || step != nil {
      throw ValidationError("--table prints a whole life; leave out the place")
    }
    if table == nil, at == nil, from == nil {
      throw ValidationError("say where: --at, --from and --to, or --table")
    }
    if limit < 0 { throw ValidationError("--limit must not be negative") }
  }

  func run() throws {
    let input = try TraceInput.open(file, workers: jobs.workers)
    let output = try TextOutput.open(output.output)
    input.showProgress("replay", verbosity)
    if let table {
      try tell(table, input, output)
    } else if let from, let to {
      try walk(Ordinal(from), Ordinal(to), input, output)
    } else if let at {
      try show(at, input, output)
    }
    try output.close()
    input.reportWarning(verbosity)
  }

  private func show(_ at: PlaceArgument, _ input: TraceInput, _ output: TextOutput) throws {
    let place = try at.place(input.source.header.clock, file)
    var player = Player(input.source, after: try input.begin(before: place))
    guard try player.play(to: place) else {
      throw TraceError(
        file: file, what: "has no event at \(at.text)",
        hint: "'tracetool info' tells how many there are, and from when to when")
    }
    guard let step else {
      return try print(player, input, output)
    }
    guard try input.rewind() else {
      throw TraceError(file: file, what: "cannot be read twice", hint: "save the pipe to a file")
    }
    let start = player.ordinal
    try walk(start, max(0, start + Ordinal(step)), input, output, skipFirst: true)
  }

  /// Prints each event between two places, with what it changed, in the order of the walk; then
  /// the state where the walk ends.
  private func walk(
    _ from: Ordinal, _ to: Ordinal, _ input: TraceInput, _ output: TextOutput,
    skipFirst: Bool = false
  ) throws {
    let (low, high) = (min(from, to), max(from, to))
    var lines: [(Ordinal, String)] = []
    let text = EventText(clock: input.source.header.clock)
    var player = Player(input.source, after: try input.begin(before: .ordinal(low)))
    var stop = player
    try player.play { event, state in
      if event.ordinal >= low {
        lines.append((event.ordinal, Self.line(event, state, text, input.source)))
      }
      return event.ordinal < high
    }
    guard player.ordinal >= low else {
      throw TraceError(
        file: file, what: "ends at event \(player.ordinal), before event \(low)",
        hint: "'tracetool info' tells how many events there are")
    }
    stop = player
    if from > to {
      lines.reverse()
      guard try input.rewind() else {
        throw TraceError(file: file, what: "cannot be read twice", hint: "save the pipe to a file")
      }
      stop = Player(input.source, after: try input.begin(before: .ordinal(low)))
      _ = try stop.play(to: .ordinal(low))
    }
    for (ordinal, line) in lines where !(skipFirst && from <= to && ordinal == from) {
      // Going backwards, the event at which the walk ends is not undone.
      if from > to, ordinal == to { continue }
      try output.writeLine((from > to ? "undo " : "") + line)
    }
    try print(stop, input, output)
  }

  private static func line(
    _ event: ResolvedEvent, _ state: Resolver, _ text: EventText, _ source: any EventSource
  ) -> String {
    var line = text.line(event.event, ordinal: UInt64(event.ordinal), source: source)
    let pfn: UInt64? =
      event.event.kind.fields.space == .table ? event.event.object : event.table?.pfn
    if let pfn, let after = state.table(pfn: pfn) {
      let before = event.table.map { state.phase(of: $0).name } ?? "unknown"
      let now = state.phase(of: after).name
      if before != now { line += "   [\(before) → \(now)]" }
    }
    return line
  }

  private func print(_ player: Player, _ input: TraceInput, _ output: TextOutput) throws {
    guard let event = player.event else { return }
    let source = input.source
    let text = EventText(clock: source.header.clock)
    try output.writeLine(
      "after " + text.line(event, ordinal: UInt64(player.ordinal), source: source))
    let state = StateText(player.state, header: source.header, limit: limit) {
      source.taskName($0)
    }
    for line in state.lines { try output.writeLine(line) }
  }

  private func tell(
    _ table: TableReference, _ input: TraceInput, _ output: TextOutput
  ) throws {
    let story = TableStory(pfn: table.frame, generation: table.generation)
    let text = EventText(clock: input.source.header.clock)
    var player = Player(input.source, after: try input.begin(before: .ordinal(0)))
    var found = 0
    try player.play { event, state in
      if story.includes(event, after: state) {
        found += 1
        try output.writeLine(Self.line(event, state, text, input.source))
      }
      return true
    }
    guard found > 0 else {
      throw TraceError(
        file: file,
        what: "has no table \(Figures.hex(table.frame))"
          + (table.generation.map { "#\($0)" } ?? ""),
        hint: "'tracetool dump FILE --kind pt_alloc,pt_ctor' lists the tables")
    }
  }
}

/// An ordinal, or a time.
struct PlaceArgument: ExpressibleByArgument {
  let text: String

  init?(argument: String) {
    text = argument
    let digits = argument.hasPrefix("@") ? argument.dropFirst() : argument[...]
    guard !digits.isEmpty, digits.allSatisfy({ $0.isASCII && ($0.isNumber || $0 == ".") }),
      digits.count(where: { $0 == "." }) <= 1
    else { return nil }
  }

  /// The place in a trace with this clock.
  func place(_ clock: Clock, _ file: String) throws -> Player.Place {
    let isTime = text.hasPrefix("@") || text.contains(".")
    let digits = text.hasPrefix("@") ? text.dropFirst() : text[...]
    guard isTime else {
      guard let ordinal = Ordinal(digits) else { throw tooLarge(file) }
      return .ordinal(ordinal)
    }
    let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
    guard let perSecond = clock.unitsPerSecond else {
      guard parts.count == 1, let ticks = UInt64(digits) else { throw tooLarge(file) }
      return .time(ticks)
    }
    guard let whole = parts[0].isEmpty ? 0 : UInt64(parts[0]) else { throw tooLarge(file) }
    var units = whole.multipliedReportingOverflow(by: perSecond)
    guard !units.overflow else { throw tooLarge(file) }
    var unit = perSecond
    for digit in parts.count > 1 ? parts[1] : "" {
      unit /= 10
      units.partialValue &+= UInt64(digit.wholeNumberValue ?? 0) * unit
    }
    return .time(units.partialValue)
  }

  private func tooLarge(_ file: String) -> TraceError {
    TraceError(file: file, what: "has no place '\(text)'", hint: "say an ordinal or a time")
  }
}
