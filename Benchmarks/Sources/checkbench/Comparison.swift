import Glibc
import Replay
import TraceFormat

/// CPU time of the judge and of its parts, against the fused checker, over the same batches.
struct Comparison {
  private let batches: [EventBatch]
  private let header: TraceHeader
  private let count: Int

  init(_ path: String, limit: Int) throws {
    let reader = try TraceReader(path: path)
    var batches: [EventBatch] = []
    var count = 0
    var batch = EventBatch()
    while count < limit, try reader.next(into: &batch) {
      count += batch.events.count
      batches.append(batch)
    }
    self.batches = batches
    self.count = count
    header = reader.header
  }

  /// Batches that were decoded before.
  private final class Memory: EventSource {
    let header: TraceHeader
    private let batches: [EventBatch]
    private var next = 0

    init(_ header: TraceHeader, _ batches: [EventBatch]) {
      self.header = header
      self.batches = batches
    }

    func taskName(_ task: UInt32) -> String? { nil }
    func string(_ index: UInt64) -> String? { nil }
    func next(into batch: inout EventBatch) -> Bool {
      guard next < batches.count else { return false }
      batch = batches[next]
      next += 1
      return true
    }
  }

  /// Runs one part and returns something that depends on all of it.
  private func run(_ part: String) throws -> Int {
    switch part {
    case "nothing": return batches.reduce(0) { $0 + $1.events.count }
    case "fused":
      var checker = FusedChecker()
      for batch in batches { checker.take(batch) }
      checker.finish()
      return checker.counts.dtorBeforeGP
    case "resolve":
      var resolver = Resolver()
      var resolved = ResolvedBatch()
      for batch in batches { resolver.resolve(inParts: batch, &resolved) { _ in } }
      return resolver.tables.count
    default:
      var options = CheckOptions()
      if part == "nine" {
        options.only = JudgedCounts.invariants
      } else if part != "all" {
        options.only = [part]
      }
      options.maxFindings = 1
      let checker = try Checker(options: options)
      let result = try checker.check(Memory(header, batches))
      return result.judgements.reduce(0) { $0 + $1.violations }
    }
  }

  /// One part once: what callgrind counts.
  func once(_ part: String) throws { print(part, try run(part)) }

  func run(_ runs: Int) throws {
    let ids = InvariantRegistry.all.map { $0.description.id }
    let parts = ["fused", "resolve", "nine", "all"] + ids
    var seconds: [String: [Double]] = [:]
    for _ in 0..<runs {
      for part in parts {
        let start = Self.cpuSeconds()
        _ = try run(part)
        seconds[part, default: []].append(Self.cpuSeconds() - start)
      }
    }
    func nanoseconds(_ part: String) -> Double {
      let sorted = seconds[part]!.sorted()
      return sorted[sorted.count / 2] / Double(count) * 1e9
    }
    func tenths(_ value: Double) -> String { String(Double(Int((value * 100).rounded())) / 100) }
    print("\(count) events, CPU ns/event, medians of \(runs)")
    for part in parts { print("\(part)\t\(tenths(nanoseconds(part)))") }
    let base = ids.map(nanoseconds).min() ?? 0
    print("all ÷ fused\t\(tenths(nanoseconds("all") / nanoseconds("fused")))")
    print("nine ÷ fused\t\(tenths(nanoseconds("nine") / nanoseconds("fused")))")
    let each = (nanoseconds("all") - base) / Double(max(1, ids.count - 1))
    print("each further invariant\t\(tenths(each)) ns/event")
  }

  private static func cpuSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
