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
  static var formats: [any TraceImporter.Type] {
    [
      TarImporter.self, TraceDatImporter.self, DumpImporter.self, FtraceTextImporter.self,
      PerfScriptImporter.self, PerfettoImporter.self,
    ]
  }

  /// Imports the trace at `path` (a file, or `-` for standard input; zstd is read directly).
  ///
  /// `makeSink` is called with what is known before the first event: once, unless
  /// ``ImportOptions/mayStartAgain`` is set. Reads the input at most twice (what cannot be read twice
  /// is spooled to a temporary file), never holds it in memory, and
  /// keeps state in proportion to the pages, tasks and locks in use. Throws a ``TraceError`` for
  /// an input that is no trace, and whatever the sink throws.
  public static func importTrace(
    path: String, options: ImportOptions = ImportOptions(),
    into makeSink: (TraceHeader) throws -> any EventSink
  ) throws -> ImportResult {
    let source =
      options.follow
      ? try ByteSource(following: path, output: options.followersOutput)
      : try ByteSource(path: path)
    return try importTrace(from: source, options: options, into: makeSink)
  }

  /// Imports what `source` holds.
  static func importTrace(
    from source: ByteSource, options: ImportOptions,
    into makeSink: (TraceHeader) throws -> any EventSink
  ) throws -> ImportResult {
    let path = source.name
    try source.rewind()
    source.progress = options.progress
    let head = try head(of: source)
    guard !head.isEmpty else {
      throw TraceError(file: path, what: "is empty", hint: "record again, or name another file")
    }
    if let map = options.map, !TarImporter.recognises(head) {
      guard !source.isLive else { throw unfollowable("read with --map", path) }
      return try MappedImporter.run(source, map: map, options: options, into: makeSink)
    }
    for format in formats where format.recognises(head) {
      guard format.canFollow || !source.isLive else { throw unfollowable(format.format, path) }
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
      // What is being written is known by its first lines; more may be long in coming.
      if source.isLive, let end = head[..<filled].lastIndex(of: 0x0A) {
        let lines = Array(head[...end])
        if formats.contains(where: { $0.recognises(lines) }) { break }
      }
    }
    head.removeLast(head.count - filled)
    return head
  }

  /// Refuses a format whose parts are not written in the order they are read in.
  private static func unfollowable(_ format: String, _ path: String) -> TraceError {
    TraceError(
      file: path, what: "is \(format), which cannot be followed while it is written",
      hint: "follow ftrace text (trace_pipe) or perf script, or import it without --follow when "
        + "it is complete")
  }

  /// Says what an input is that no importer takes.
  private static func refusal(of head: [UInt8], path: String) -> TraceError {
    if head.contains(0) {
      return TraceError(
        file: path, what: "is binary and no known trace format",
        hint: "a trace.dat, a tar of a capture or ftrace text is expected")
    }
    let text = head.prefix(4096)
    for tracer in ["# tracer: function", "# tracer: function_graph"]
    where text.starts(with: Array(tracer.utf8)) {
      return functionTracer(path)
    }
    if head.first == 0x7B {
      return TraceError(
        file: path, what: "is JSON that no importer knows",
        hint: "say with --map what its keys mean; docs/IMPORT.md shows how")
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
