/// The header of a merged trace: what all inputs have in common.
struct HeaderMerge {
  private(set) var isEmpty = true
  /// The header so far.
  var header: TraceHeader
  private let order: TraceMerge.Order
  /// What is known of the run from any input so far.
  private var run: (boot: String?, seed: UInt64?) = (nil, nil)

  init(producer: String, order: TraceMerge.Order) {
    self.order = order
    header = TraceHeader(
      source: "merge", producer: producer, cpus: 0,
      clock: Clock(name: "", unitsPerSecond: nil))
  }

  /// Takes the header of the next input.
  ///
  /// Throws ``TraceError`` if that input was recorded with another clock or on another kernel,
  /// machine or (by time) run.
  mutating func add(_ next: TraceHeader, of file: String) throws {
    defer {
      isEmpty = false
      run = (run.boot ?? next.boot, run.seed ?? next.seed)
    }
    if isEmpty {
      let producer = header.producer
      header = next
      header.source = "merge"
      header.producer = producer
      // Ordinals and what was before them are those of the parts, not of the whole.
      header.firstOrdinal = nil
      return
    }
    try check(next, file)
    header.kernel = header.kernel ?? next.kernel
    header.arch = header.arch ?? next.arch
    header.host = header.host ?? next.host
    if header.boot != next.boot { header.boot = nil }
    if header.stage != next.stage { header.stage = nil }
    if header.workload != next.workload { header.workload = nil }
    if header.seed != next.seed { header.seed = nil }
    header.options = header.options.filter { next.options[$0.key] == $0.value }
    header.cpus = max(header.cpus, next.cpus)
    header.capabilities = Self.intersection(header.capabilities, next.capabilities)
    header.machine = MachineFacts.intersection(header.machine, next.machine)
    header.counts.merge(next.counts, uniquingKeysWith: Self.sum)
    for remark in next.remarks where !header.remarks.contains(remark) {
      header.remarks.append(remark)
    }
  }

  /// Refuses what was recorded with another clock, on another machine or, by time, in another run:
  /// a page frame of one is not the page frame of that number in the other.
  private func check(_ next: TraceHeader, _ file: String) throws {
    func refuse(
      _ what: String, _ one: String, _ other: String,
      hint: String = "only traces of one machine and one clock can be merged"
    ) -> TraceError {
      TraceError(
        file: file, what: "has \(what) \(other), and the traces before have \(one)", hint: hint)
    }
    guard next.clock == header.clock else {
      throw refuse("clock", Self.name(header.clock), Self.name(next.clock))
    }
    if let one = header.kernel, let other = next.kernel, one != other {
      throw refuse("kernel", one, other)
    }
    if let one = header.arch, let other = next.arch, one != other {
      throw refuse("architecture", one, other)
    }
    if let one = header.host, let other = next.host, one != other {
      throw refuse("host", one, other)
    }
    guard order == .time else { return }
    let hint = "those are two runs; '--order given' puts one after the other"
    if let one = run.boot, let other = next.boot, one != other {
      throw refuse("boot id", one, other, hint: hint)
    }
    if let one = run.seed, let other = next.seed, one != other {
      throw refuse("seed", String(one), String(other), hint: hint)
    }
  }

  private static func name(_ clock: Clock) -> String {
    clock.name + (clock.unitsPerSecond.map { " (\($0) per second)" } ?? " (no seconds)")
  }

  /// What both see, as surely as the one that sees it less surely.
  static func intersection(_ left: Capabilities, _ right: Capabilities) -> Capabilities {
    let order: [Capabilities.Visibility] = [.sure, .mayMiss, .inferred]
    var result = Capabilities()
    for (kind, one) in left.kinds {
      guard let other = right.kinds[kind] else { continue }
      result.kinds[kind] = order.last { $0 == one || $0 == other }
      result.reasons[kind] = left.reasons[kind] ?? right.reasons[kind]
    }
    result.misses = left.misses.merging(right.misses, uniquingKeysWith: sum)
    result.missesAreCumulative = left.missesAreCumulative || right.missesAreCumulative
    return result
  }

  private static func sum(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let (sum, overflow) = left.addingReportingOverflow(right)
    return overflow ? .max : sum
  }
}
