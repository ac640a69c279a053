import TraceFormat

/// Imports the ftrace events of a Perfetto trace: its own messages for the page allocator and the
/// slabs, and the probes, which it stores with the names of their fields.
enum PerfettoImporter: TraceImporter {
  static let format = "perfetto"

  static func recognises(_ head: [UInt8]) -> Bool { PerfettoFile.recognises(head) }

  static func run(
    _ source: ByteSource, options: ImportOptions,
    into makeSink: (TraceHeader) throws -> any EventSink
  ) throws -> ImportResult {
    let trace = try PerfettoFile(try source.randomFile())
    var side = SideFiles(beside: source, options)
    side.isReadToEnd = true
    if side.clock == nil { side.clock = trace.clock }
    let machines = ["aarch64": "arm64", "x86_64": "x86_64", "riscv64": "riscv64"]
    if side.arch == nil { side.arch = trace.system.machine.flatMap { machines[$0] } }
    let perfetto = Perfetto(trace: trace, symbols: KernelSymbols(side.kallsyms ?? []))
    var recorded = RecordedImport(source: perfetto, side: side, options: options)
    return try recorded.run(into: makeSink)
  }
}

/// A Perfetto trace as a source of recorded events: the CPUs' bundles, merged by time.
struct Perfetto: RecordSource {
  let trace: PerfettoFile
  let symbols: KernelSymbols
  var format: String { PerfettoImporter.format }
  var unit: String { "record" }

  func refuse(_ survey: Survey) throws(TraceError) {}

  func describe(_ header: inout TraceHeader) {
    if header.kernel == nil { header.kernel = trace.system.release }
    if symbols.count == 0 || symbols.isHidden {
      header.remarks.append(
        "no kallsyms lies beside the trace: callbacks and call sites cannot be told apart")
    }
  }

  func feed<Consumer: RecordConsumer>(to consumer: Consumer) throws -> Consumer {
    var consumer = consumer
    var streams: [BundleStream] = []
    for (cpu, bundles) in trace.bundles.enumerated() where !bundles.isEmpty {
      var stream = BundleStream(trace.file, bundles, cpu: cpu)
      if try stream.next() { streams.append(stream) }
    }
    let decoder = PerfettoDecoder(trace: trace, symbols: symbols)
    while var best = streams.indices.first {
      for index in streams.indices where streams[index].time < streams[best].time { best = index }
      let stream = streams[best]
      if stream.isAfterLoss {
        try consumer.takeLoss(cpu: UInt16(stream.cpu), count: nil)
      }
      consumer.event.cpu = UInt16(stream.cpu)
      consumer.event.time = stream.time
      consumer.event.isCounter = false
      try decoder.deliver(stream.bytes.span, stream.event, to: &consumer)
      if try !streams[best].next() { streams.remove(at: best) }
    }
    return consumer
  }
}

/// The events of one CPU, bundle by bundle.
struct BundleStream {
  let cpu: Int
  private(set) var time: UInt64 = 0
  /// The event at hand: a `FtraceEvent` in ``bytes``.
  private(set) var event = 0..<0
  private(set) var bytes: [UInt8] = []
  /// Events before the one at hand are missing.
  private(set) var isAfterLoss = false

  private let file: RandomFile
  private let bundles: [PerfettoFile.Bundle]
  private var index = 0
  private var reader = WireReader(0..<0)

  init(_ file: RandomFile, _ bundles: [PerfettoFile.Bundle], cpu: Int) {
    self.file = file
    self.bundles = bundles
    self.cpu = cpu
  }

  /// Goes on to the next event; false at the end.
  mutating func next() throws(TraceError) -> Bool {
    isAfterLoss = false
    while true {
      if nextInBundle() { return true }
      guard index < bundles.count else { return false }
      if bundles[index].isAfterLoss { isAfterLoss = true }
      bytes = try file.read(at: bundles[index].offset, count: bundles[index].size)
      reader = WireReader(0..<bytes.count)
      index += 1
    }
  }

  private mutating func nextInBundle() -> Bool {
    let bytes = bytes
    var rest = reader
    defer { reader = rest }
    while let (field, value) = rest.next(bytes.span) {
      guard field == 2, let range = value.piece else { continue }
      event = range
      var head = WireReader(range)
      while let (field, value) = head.next(bytes.span) {
        guard field == 1, let stamp = value.number else { continue }
        time = stamp
        break
      }
      return true
    }
    return false
  }
}
