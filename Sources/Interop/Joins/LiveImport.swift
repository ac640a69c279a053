import TraceFormat

/// The import of a trace that is being written: survey and joins in one pass.
///
/// The first events are held back until the survey has found how pages are named. From then on
/// each event goes through the survey, which may learn more, and then through the joins. What is
/// written depends on the lines alone, never on when they came. A hole is learnt of when it is
/// over: it is written there, with the time it began at (docs/EVENTS.md, Losses).
struct LiveImport: RecordConsumer {
  /// Makes the joins, once enough is known.
  typealias Start = (Survey, SideFiles) throws -> ImportState

  /// Something met before the joins could begin.
  private enum Held {
    case event(Int, RecordedEvent, text: [UInt8])
    case unknown(name: [UInt8], example: String, RecordedEvent)
    case function(name: [UInt8], example: String)
    case loss(UInt16, UInt64?)
    case bad(String)
    case comment
  }

  /// Events that are held back at least: a first impression of what is recorded.
  private static let window = 1024
  /// Events, and lines, after which nothing more is waited for.
  private static let limit = 1 << 16
  /// Lines after which the survey is asked again.
  private static let interval = 4096

  var event = RecordedEvent()
  private(set) var survey = Survey()
  private(set) var side: SideFiles
  private(set) var holes = Holes()
  private let options: ImportOptions
  private let start: Start
  private var state: ImportState?
  private var held: [Held] = []
  /// Bytes of embedded files that are in ``side``.
  private var filesRead = 0
  private let names = NameTable.shared

  init(side: SideFiles, options: ImportOptions, start: @escaping Start) {
    self.side = side
    self.options = options
    self.start = start
    survey.keepsHoles = false
  }

  mutating func wantedFields(of index: Int) -> FieldSet {
    // The survey takes every event.
    var wanted = Probe.surveyedByName[index] ?? []
    wanted.formUnion(state?.wantedFields(of: index) ?? Probe.joinedByName[index])
    return wanted
  }

  mutating func take(_ index: Int, text: Span<UInt8>) throws {
    survey.take(index, &event)
    guard state != nil else {
      let isMarker = names.entries[index].probe == .marker
      let bytes = isMarker ? (0..<min(text.count, 4096)).map { text[$0] } : []
      return try hold(.event(index, event, text: bytes))
    }
    // A probe that speaks for the first time may change which witness is believed.
    if survey.tallies[index].lines == 1 || survey.lines % Self.interval == 0 { refresh() }
    state!.event = event
    try state!.take(index, text: text)
  }

  mutating func takeUnknown(_ name: Span<UInt8>, example: () -> String) throws {
    survey.takeUnknown(&event)
    guard state != nil else {
      return try hold(.unknown(name: Self.bytes(name), example: example(), event))
    }
    state!.event = event
    try state!.takeUnknown(name, example: example)
  }

  mutating func takeFunction(_ name: Span<UInt8>, example: () -> String) throws {
    survey.takeFunction()
    guard state != nil else {
      return try hold(.function(name: Self.bytes(name), example: example()))
    }
    try state!.takeFunction(name, example: example)
  }

  mutating func takeLoss(cpu: UInt16, count: UInt64?) throws {
    survey.takeLoss(cpu: cpu, count: count)
    guard state != nil else { return try hold(.loss(cpu, count)) }
    try lose(cpu, count)
  }

  mutating func takeBad(_ example: () -> String) throws {
    survey.takeBad(example)
    guard state != nil else { return try hold(.bad(example())) }
    try state!.takeBad(example)
  }

  mutating func takeComment(_ bytes: Span<UInt8>) throws {
    survey.takeComment(bytes)
    guard state != nil else { return try hold(.comment) }
    try state!.takeComment(bytes)
  }

  mutating func pause() throws { try state?.sink.flush() }

  /// Writes what is left, and gives the joins back.
  mutating func finish() throws -> ImportState {
    if state == nil { try begin() }
    refresh()
    try state!.finish()
    let now = state!.lastTime
    for cpu in side.statistics where cpu.dropped > 0 || cpu.commitOverrun > 0 {
      // Nobody noted where.
      try state!.writeLateLoss(
        of: UInt16(clamping: cpu.cpu), since: 0, cause: .unknown,
        count: cpu.dropped &+ cpu.commitOverrun, time: now)
    }
    if !side.isReadToEnd {
      // A pipe is read page by page: when its reader stops, the CPUs stop at different times.
      for (cpu, last) in state!.lastTimes where last < now {
        try state!.writeLateLoss(of: cpu, since: last, cause: .unread, count: nil, time: now)
      }
    }
    return state!
  }

  private mutating func hold(_ item: Held) throws {
    held.append(item)
    let isKnown = survey.eventLines >= Self.window && survey.addresses.pageMap().map != nil
    if isKnown || held.count >= Self.limit { try begin() }
  }

  private mutating func begin() throws {
    takeFiles()
    var state = try start(survey, side)
    try state.begin()
    self.state = state
    let items = held
    held = []
    for item in items {
      switch item {
      case .event(let index, let event, let text):
        self.state!.event = event
        try self.state!.take(index, text: text.span)
      case .unknown(let name, let example, let event):
        self.state!.event = event
        try self.state!.takeUnknown(name.span) { example }
      case .function(let name, let example):
        try self.state!.takeFunction(name.span) { example }
      case .loss(let cpu, let count): try lose(cpu, count)
      case .bad(let example): try self.state!.takeBad { example }
      case .comment: self.state!.number += 1
      }
    }
  }

  private mutating func lose(_ cpu: UInt16, _ count: UInt64?) throws {
    let since = state!.lastTime(of: cpu)
    try state!.writeLateLoss(
      of: cpu, since: since ?? 0, cause: .lostEvents, count: count, time: state!.event.time)
    try state!.takeLoss(cpu: cpu, count: count)
    holes.add(ImportReport.Loss(cpu: Int(cpu), count: count, afterLine: state!.number))
  }

  private mutating func refresh() {
    takeFiles()
    state!.facts = state!.facts.refreshed(survey, side, options)
  }

  private mutating func takeFiles() {
    guard survey.embedded.size > filesRead else { return }
    filesRead = survey.embedded.size
    side.take(survey.embedded)
  }

  private static func bytes(_ span: Span<UInt8>) -> [UInt8] {
    (0..<min(span.count, 200)).map { span[$0] }
  }
}
