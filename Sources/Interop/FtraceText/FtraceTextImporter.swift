import TraceFormat

/// Imports the text of ftrace: `/sys/kernel/tracing/trace`, `trace_pipe`, `trace-cmd report`.
///
/// The function tracer's text is refused: it names functions and no tables.
enum FtraceTextImporter: TraceImporter {
  static let format = "ftrace-text"
  static let canFollow = true

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
    let text = RecordedText<LineLexer>(
      source: source, format: format, sampling: options.sampling)
    let side = SideFiles(beside: source, options)
    var recorded = RecordedImport(source: text, side: side, options: options)
    return try recorded.run(into: makeSink)
  }
}
