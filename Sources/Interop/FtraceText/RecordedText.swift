import TraceFormat

/// Takes the lines of one form of text apart.
protocol TextLexer {
  /// Most lines can be read by ``LineColumns``.
  static var hasColumns: Bool { get }
  /// Fills `line` from `bytes`; `line` is valid for `.event` and `.function` only.
  static func lex(_ bytes: Span<UInt8>, into line: inout EventLine) -> EventLine.Form
}

extension TextLexer {
  static var hasColumns: Bool { false }
}

/// Text, a line an event, as a source of recorded events.
struct RecordedText<Lexer: TextLexer>: RecordSource {
  let source: ByteSource
  let format: String
  var sampling = LineReader.Sampling()

  func feed<Consumer: RecordConsumer>(to consumer: Consumer) throws -> Consumer {
    var feed = TextFeed<Consumer, Lexer>(to: consumer)
    try LineReader.feed(source, to: &feed)
    return feed.consumer
  }

  func sample<Consumer: RecordConsumer>(for consumer: Consumer) throws -> Consumer? {
    var feed = TextFeed<Consumer, Lexer>(to: consumer)
    guard try LineReader.sample(source, sampling, to: &feed) else { return nil }
    return feed.consumer
  }

  func plan(passes: UInt64) { source.passes = passes }

  func refuse(_ survey: Survey) throws(TraceError) {
    if survey.functionLines > 0, survey.functionLines * 4 > survey.eventLines {
      throw Importing.functionTracer(source.name)
    }
    let good = survey.eventLines + survey.functionLines + survey.holeCount
    let others = survey.lines - survey.comments - good
    guard others > good else { return }
    if let first = survey.firstBad, Self.isRaw(first) {
      throw TraceError(
        file: source.name,
        what: "was read while options/raw was set: its lines hold the numbers of events and not "
          + "their values",
        hint: "echo 0 > /sys/kernel/tracing/options/raw, then read the trace again")
    }
    throw TraceError(
      file: source.name, what: "is no trace: \(others) of \(survey.lines) lines are no events",
      hint: "ftrace text is expected: /sys/kernel/tracing/trace or trace_pipe")
  }

  /// `PID CPU TIME type: NUMBER`
  private static func isRaw(_ line: String) -> Bool {
    let words = line.split(separator: " ")
    return words.count >= 4 && words[3] == "type:"
      && words[..<3].allSatisfy { $0.allSatisfy(\.isNumber) }
  }
}
