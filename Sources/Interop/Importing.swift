public import TraceFormat

/// What an import leaves behind besides the events.
public struct ImportResult: Sendable {
  /// The header, complete; goes into the trace's footer.
  public var header: TraceHeader
  /// What was met on the way.
  public var report: ImportReport
}

/// Reads traces other programs wrote.
public enum Importing {
  static var formats: [any TraceImporter.Type] { [FtraceTextImporter.self] }

  /// Imports the trace at `path` (a file, or `-` for standard input; zstd is read directly).
  ///
  /// `makeSink` is called once, with what is known before the first event. Reads the input twice
  /// (what cannot be read twice is spooled to a temporary file), never holds it in memory, and
  /// keeps state in proportion to the pages, tasks and locks in use. Throws a ``TraceError`` for
  /// an input that is no trace, and whatever the sink throws.
  public static func importTrace(
    path: String, options: ImportOptions = ImportOptions(),
    into makeSink: (TraceHeader) throws -> any EventSink
  ) throws -> ImportResult {
    let source = try ByteSource(path: path)
    source.progress = options.progress
    let head = try head(of: source)
    guard !head.isEmpty else {
      throw TraceError(file: path, what: "is empty", hint: "record again, or name another file")
    }
    for format in formats where format.recognises(head) {
      return try format.run(source, options: options, into: makeSink)
    }
    throw refusal(of: head, path: path)
  }

  private static func head(of source: ByteSource) throws -> [UInt8] {
    var head = [UInt8](repeating: 0, count: 1 << 16)
    var filled = 0
    while filled < head.count {
      let count = try source.read(into: &head, at: filled)
      if count == 0 { break }
      filled += count
    }
    head.removeLast(head.count - filled)
    return head
  }

  /// Says what an input is that no importer takes.
  private static func refusal(of head: [UInt8], path: String) -> TraceError {
    if head.starts(with: [0x17, 0x08, 0x44] + Array("tracing".utf8)) {
      return TraceError(
        file: path, what: "is a trace.dat of trace-cmd, which is not read directly",
        hint: "import the text: trace-cmd report FILE, or /sys/kernel/tracing/trace")
    }
    if head.contains(0) {
      return TraceError(
        file: path, what: "is binary and no known trace format",
        hint: "ftrace text is expected: /sys/kernel/tracing/trace or trace_pipe")
    }
    let text = head.prefix(4096)
    for tracer in ["# tracer: function", "# tracer: function_graph"]
    where text.starts(with: Array(tracer.utf8)) {
      return functionTracer(path)
    }
    return TraceError(
      file: path, what: "is no trace: none of its first lines is an event",
      hint: "ftrace text is expected: /sys/kernel/tracing/trace or trace_pipe")
  }

  /// The refusal of a function tracer's text.
  static func functionTracer(_ path: String) -> TraceError {
    TraceError(
      file: path,
      what: "is the text of ftrace's function tracer, which names functions but no tables",
      hint: "record with the probes that 'tracetool probes' prints")
  }
}
