import TraceFormat

/// Imports the trace.dat of trace-cmd, versions 6 and 7.
enum TraceDatImporter: TraceImporter {
  static let format = "trace.dat"

  static func recognises(_ head: [UInt8]) -> Bool { head.starts(with: TraceDatFile.magic) }

  static func run(
    _ source: ByteSource, options: ImportOptions,
    into makeSink: (TraceHeader) throws -> any EventSink
  ) throws -> ImportResult {
    let trace = try TraceDatFile(try source.randomFile())
    let decoder = try EventDecoder(trace)
    let buffers = try BufferChoice(trace: trace, decoder: decoder).buffers(options.buffer)
    var side = SideFiles(beside: source, options)
    side.isReadToEnd = true
    side.clock = buffers.first?.clock
    if side.arch == nil { side.arch = trace.system.flatMap(arch(of:)) }
    if buffers.count == 1, trace.buffers.count == 1, !trace.statistics.isEmpty {
      side.readStatistics(trace.statistics)
    }
    let dat = TraceDat(trace: trace, decoder: decoder, buffers: buffers)
    var recorded = RecordedImport(source: dat, side: side, options: options)
    return try recorded.run(into: makeSink)
  }

  /// `Linux NAME RELEASE MACHINE` as the architecture of the header.
  private static func arch(of system: String) -> String? {
    switch system.split(separator: " ").last {
    case "aarch64": "arm64"
    case "x86_64": "x86_64"
    case "riscv64": "riscv64"
    default: nil
    }
  }
}

/// Which of several buffers of a trace.dat are imported.
struct BufferChoice {
  let trace: TraceDatFile
  let decoder: EventDecoder

  /// The buffer called `name`, or all that do not show the same things twice.
  func buffers(_ name: String?) throws -> [TraceDatFile.Buffer] {
    if let name {
      let wanted = name == "top" ? "" : name
      let found = trace.buffers.filter { $0.name == wanted }
      guard found.isEmpty else { return found }
      throw TraceError(
        file: trace.file.name, what: "has no buffer called \(name)",
        hint: "it has \(list(trace.buffers)); the main one is called top")
    }
    let full = trace.buffers.filter { $0.cpus.contains { $0.size > 0 } }
    guard full.count > 1 else { return full.isEmpty ? Array(trace.buffers.prefix(1)) : full }
    var seen: Set<Int> = []
    var useful: [TraceDatFile.Buffer] = []
    for buffer in full {
      let events = try knownEvents(of: buffer)
      guard !events.isEmpty else { continue }
      guard seen.isDisjoint(with: events) else {
        throw choose(full, "record the same events")
      }
      seen.formUnion(events)
      useful.append(buffer)
    }
    guard Set(useful.map(\.clock)).count <= 1 else {
      throw choose(useful, "have different clocks")
    }
    return useful.isEmpty ? Array(full.prefix(1)) : useful
  }

  private func knownEvents(of buffer: TraceDatFile.Buffer) throws -> Set<Int> {
    guard let layout = trace.layout else { return [] }
    var events: Set<Int> = []
    for data in buffer.cpus {
      var stream = try PageStream(trace, layout, buffer, data)
      while try stream.next() {
        let record = stream.page.span.extracting(stream.payload)
        if let (id, isKnown) = decoder.event(of: record), isKnown { events.insert(id) }
      }
    }
    return events
  }

  private func choose(_ buffers: [TraceDatFile.Buffer], _ why: String) -> TraceError {
    TraceError(
      file: trace.file.name, what: "holds \(buffers.count) buffers that \(why)",
      hint: "choose one with --buffer: \(list(buffers))")
  }

  private func list(_ buffers: [TraceDatFile.Buffer]) -> String {
    buffers.map { $0.name.isEmpty ? "top" : $0.name }.joined(separator: ", ")
  }
}

/// A trace.dat as a source of recorded events: the CPUs' pages, merged by time.
struct TraceDat: RecordSource {
  let trace: TraceDatFile
  let decoder: EventDecoder
  let buffers: [TraceDatFile.Buffer]
  var format: String { TraceDatImporter.format }
  var unit: String { "record" }

  func refuse(_ survey: Survey) throws(TraceError) {
    if survey.functionLines > 0, survey.functionLines * 4 > survey.eventLines {
      throw Importing.functionTracer(trace.file.name)
    }
  }

  func describe(_ header: inout TraceHeader) {
    let words = trace.system?.split(separator: " ") ?? []
    if header.kernel == nil, words.count >= 4 { header.kernel = String(words[words.count - 2]) }
    if header.host == nil, words.count == 4 { header.host = SideFiles.host(words[1]) }
    header.options["trace.dat"] = "version \(trace.version)"
    let names = buffers.map(\.name).filter { !$0.isEmpty }
    if !names.isEmpty { header.options["buffers"] = names.joined(separator: " ") }
    if decoder.hidesSymbols {
      header.remarks.append(
        "the file names no kernel symbol (kernel.kptr_restrict was set): callbacks and call sites "
          + "cannot be told apart")
    }
  }

  func feed<Consumer: RecordConsumer>(to consumer: Consumer) throws -> Consumer {
    var consumer = consumer
    guard let layout = trace.layout else { return consumer }
    var streams: [PageStream] = []
    for buffer in buffers {
      for data in buffer.cpus where data.size > 0 {
        var stream = try PageStream(trace, layout, buffer, data)
        if try stream.next() { streams.append(stream) }
      }
    }
    let isCounter = !Self.countsTime(buffers.first?.clock ?? "") && trace.conversion == nil
    // As the kernel prints: the oldest event, and of equal ones that of the lowest CPU.
    streams = streams.enumerated().sorted {
      ($0.element.cpu, $0.offset) < ($1.element.cpu, $1.offset)
    }.map(\.element)
    while let first = Self.oldest(streams, but: nil) {
      let second = Self.oldest(streams, but: first)
      while second.map({ Self.isBefore(streams, first, $0) }) ?? true {
        try deliver(streams[first], isCounter, to: &consumer)
        guard try streams[first].next() else {
          streams.remove(at: first)
          break
        }
      }
    }
    return consumer
  }

  private func deliver(
    _ stream: borrowing PageStream, _ isCounter: Bool, to consumer: inout some RecordConsumer
  ) throws {
    if stream.hasMissed {
      try consumer.takeLoss(cpu: UInt16(clamping: stream.cpu), count: stream.missed)
    }
    consumer.event.cpu = UInt16(clamping: stream.cpu)
    consumer.event.time = nanoseconds(stream.time)
    consumer.event.isCounter = isCounter
    try decoder.deliver(stream.page.span.extracting(stream.payload), to: &consumer)
  }

  private func nanoseconds(_ time: UInt64) -> UInt64 {
    guard let conversion = trace.conversion else { return time }
    let (high, low) = time.multipliedFullWidth(by: UInt64(conversion.multiplier))
    let shift = UInt64(conversion.shift)
    let scaled = shift == 0 ? low : low >> shift | high << (64 - shift)
    return scaled &+ conversion.offset
  }

  /// Clocks whose numbers are nanoseconds; the others only count.
  private static func countsTime(_ clock: String) -> Bool {
    ["", "local", "global", "perf", "mono", "mono_raw", "boot", "tai"].contains(clock)
  }

  private static func oldest(_ streams: [PageStream], but other: Int?) -> Int? {
    var best: Int?
    for index in streams.indices where index != other {
      if let found = best, !isBefore(streams, index, found) { continue }
      best = index
    }
    return best
  }

  private static func isBefore(_ streams: [PageStream], _ one: Int, _ two: Int) -> Bool {
    (streams[one].time, one) < (streams[two].time, two)
  }
}
