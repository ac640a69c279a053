import TraceFormat

/// Imports the text of `perf script` for trace points and probes with the names of the recording
/// scripts.
enum PerfScriptImporter: TraceImporter {
  static let format = "perf-script"
  static let canFollow = true

  static func recognises(_ head: [UInt8]) -> Bool {
    guard !head.contains(0) else { return false }
    return firstLines(of: head) { bytes in
      var line = EventLine()
      switch PerfScriptLexer.lex(bytes, into: &line) {
      case .event, .loss: return true
      default: return PerfScriptLexer.lacksCPU(bytes)
      }
    }
  }

  static func run(
    _ source: ByteSource, options: ImportOptions,
    into makeSink: (TraceHeader) throws -> any EventSink
  ) throws -> ImportResult {
    var side = SideFiles(beside: source, options)
    if side.clock == nil { side.clock = "perf" }
    side.hidesLosses = "perf script does not show which events perf lost"
    let text = PerfScriptText(text: RecordedText(source: source, format: format))
    var recorded = RecordedImport(source: text, side: side, options: options)
    return try recorded.run(into: makeSink)
  }

  /// Whether one of the first lines of `head` is what is looked for.
  private static func firstLines(of head: [UInt8], are wanted: (Span<UInt8>) -> Bool) -> Bool {
    let text = head.span
    var start = 0
    var seen = 0
    while start < text.count, seen < 256 {
      let end = ByteSource.lineFeed(in: text, from: start, to: text.count) ?? text.count
      if wanted(text.extracting(start..<end)) { return true }
      start = end + 1
      seen += 1
    }
    return false
  }
}

/// The text of `perf script`, which may leave out what an import cannot do without.
private struct PerfScriptText: RecordSource {
  let text: RecordedText<PerfScriptLexer>
  var format: String { text.format }

  func feed<Consumer: RecordConsumer>(to consumer: Consumer) throws -> Consumer {
    try text.feed(to: consumer)
  }

  func refuse(_ survey: Survey) throws(TraceError) {
    if survey.eventLines == 0, let first = survey.firstBad {
      let bytes = Array(first.utf8)
      if PerfScriptLexer.lacksCPU(bytes.span) {
        throw TraceError(
          file: text.source.name, what: "is the text of perf script without the CPU of its events",
          hint: "perf script -F comm,tid,cpu,time,event,trace")
      }
    }
    try text.refuse(survey)
  }
}
