import Glibc
import Replay
import TraceFormat

/// `checkbench convert IN.raw OUT.ptt` · `fused FILE.ptt` · `judged FILE.ptt` (nine counts) ·
/// `nine FILE.ptt [THREADS]`, `all FILE.ptt [THREADS]` (from file to verdict) ·
/// `compare FILE.ptt [RUNS [EVENTS]]` (CPU of each part over the same batches in memory) ·
/// `once PART FILE.ptt EVENTS` (one part once, for callgrind).
@main struct CheckBench {
  static func main() throws {
    let arguments = CommandLine.arguments
    guard arguments.count > 2 else { return fail("checkbench VERB FILE …") }
    switch (arguments[1], arguments.count) {
    case ("convert", 4): try convert(arguments[2], arguments[3])
    case ("fused", 3): try fused(arguments[2])
    case ("judged", 3):
      print(try JudgedCounts.of { try TraceReader(path: arguments[2]) }.text)
    case ("nine", 3...4):
      try verdict(arguments[2], JudgedCounts.invariants, arguments.count > 3 ? arguments[3] : "1")
    case ("all", 3...4):
      try verdict(arguments[2], [], arguments.count > 3 ? arguments[3] : "1")
    case ("compare", 3...5):
      let runs = arguments.count > 3 ? Int(arguments[3]) ?? 5 : 5
      let limit = arguments.count > 4 ? Int(arguments[4]) ?? .max : 2_000_000
      try Comparison(arguments[2], limit: limit).run(runs)
    case ("once", 5):
      try Comparison(arguments[3], limit: Int(arguments[4]) ?? 0).once(arguments[2])
    default: fail("unknown verb, or a wrong number of arguments")
    }
  }

  static func fail(_ text: String) {
    print(text)
    exit(2)
  }

  private static func convert(_ input: String, _ output: String) throws {
    guard let file = fopen(input, "rb") else { return fail("cannot open \(input)") }
    defer { fclose(file) }
    var header = TraceHeader(
      source: "ptgen", producer: "checkbench", cpus: 8, clock: .nanoseconds("mono"))
    for kind: EventKind in [
      .tableAlloc, .tableConstruct, .tableInstall, .tableUnlink, .tableQueueBatch, .tableFallback,
      .tableQueuePage, .tableDefer, .tableDestruct, .tableFree, .lockAlloc, .lockFree,
      .lockAcquire, .lockRelease, .callRCU, .callbackStart, .callbackEnd, .gracePeriodStart,
      .gracePeriodEnd, .readerEnter, .readerExit, .readerAccess, .flushEnd, .ipiSyncEnd,
    ] { header.capabilities[kind] = .sure }
    header.machine = MachineFacts()
    header.machine?.levels = TableLevel.allCases.filter { $0 != .unknown }.map(\.name)
    let writer = try TraceWriter(path: output, header: header)
    var mapper = GeneratorEvents()
    var buffer = [UInt8](repeating: 0, count: GeneratorEvents.size * 8192)
    var events: [Event] = []
    while true {
      let got = fread(&buffer, GeneratorEvents.size, 8192, file)
      if got == 0 { break }
      events.removeAll(keepingCapacity: true)
      for index in 0..<got {
        let record = GeneratorEvents.Record(buffer, at: index * GeneratorEvents.size)
        guard mapper.append(record, to: &events) else { return fail("no such record type") }
      }
      for event in events { try writer.append(event) }
    }
    try writer.finish()
  }

  /// What `tracetool check -q` does, without printing.
  private static func verdict(_ path: String, _ invariants: [String], _ threads: String) throws {
    var options = CheckOptions()
    options.only = invariants
    options.maxFindings = 1
    options.workers = max(1, Int(threads) ?? 1)
    let checker = try Checker(options: options)
    let reader = try TraceReader(path: path)
    reader.workers = options.workers
    let result = try checker.check(reader)
    print(result.judgements.map { "\($0.invariant.id)=\($0.violations)" }.joined(separator: " "))
  }

  private static func fused(_ path: String) throws {
    let reader = try TraceReader(path: path)
    var checker = FusedChecker()
    var batch = EventBatch()
    while try reader.next(into: &batch) { checker.take(batch) }
    checker.finish()
    print(checker.counts.text)
  }
}
