import TraceFormat

/// I33: NR_PAGETABLE goes up at the constructor and down by as much at the destructor.
///
/// Judged per life, so that tables older than the recording do not matter; the sum over all lives
/// is judged at quiesce. It is *not* zero when an mm is torn down: tables may still wait for RCU.
struct StatisticBalances: Invariant {
  static let description = InvariantDescription(
    "I33", "NR_PAGETABLE balances", severity: .medium,
    requires: [.tableConstruct, .tableDestruct],
    stages: "✓✓✓✓✓✓✓✓✓", exemptions: [.e10],
    statement: "NR_PAGETABLE rises by n at the constructor and falls by n at the "
      + "destructor; over the lives of a trace the sum is zero at quiesce.",
    rationale: "Accounting. The sum is not zero when an mm is torn down: its tables may "
      + "still wait.",
    example: "destructor lowered NR_PAGETABLE by another amount than the constructor raised it")

  private var sum: Int64 = 0
  /// The sum where the trace last said that nothing is left.
  private var sumAtQuiesce: Int64 = 0
  private var quiescence = Quiescence()
  /// First allocation or constructor: from there on, what is missing may unbalance the sum.
  private var since: Ordinal = .none

  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally) {
    quiescence.take(batch)
    if since == .none {
      let first = [EventKind.tableAlloc, .tableConstruct].compactMap { batch.places(of: $0).first }
      since = first.min().map { batch.firstOrdinal + Ordinal($0) } ?? .none
    }
    var changes: [(place: Int32, pages: Int64)] = []
    for place in batch.places(of: .tableConstruct) {
      let event = batch[place]
      let pages = Int64(bitPattern: event.event.arg1)
      if event.table?.kernelTable != true, !event.event.flags.contains(.kernelTable) {
        changes.append((place, pages))
      }
      tally.exercised += 1
      if pages <= 0 {
        tally.report("constructor did not raise NR_PAGETABLE", at: event, since: event.ordinal)
      }
    }
    for place in batch.places(of: .tableDestruct) {
      let event = batch[place]
      guard let table = event.table, table.isConstructed, table.destructAt == .none else {
        if let table = event.table, table.bornInTrace, !table.kernelTable {
          changes.append((place, Int64(bitPattern: event.event.arg1)))
        }
        continue
      }
      if table.kernelTable {
        tally.exempt(.e10)
        continue
      }
      changes.append((place, Int64(bitPattern: event.event.arg1)))
      let raised = Int32(truncatingIfNeeded: 0 &- Int64(bitPattern: event.event.arg1))
      if raised != table.pages {
        tally.exercised += 1
        tally.report(
          "destructor lowered NR_PAGETABLE by another amount than the constructor raised it",
          at: event, since: table.constructAt, absent: [.tableConstruct])
      }
    }
    add(changes, batch)
  }

  /// Brings the sums up to date, the one at the last `quiesce` of the batch on the way.
  private mutating func add(_ changes: [(place: Int32, pages: Int64)], _ batch: ResolvedBatch) {
    if let quiet = batch.places(of: .quiesce).last {
      sumAtQuiesce = changes.reduce(sum) { $1.place < quiet ? $0 &+ $1.pages : $0 }
    }
    sum = changes.reduce(sum) { $0 &+ $1.pages }
  }

  mutating func finish(_ state: Resolver, into tally: inout Tally) {
    for table in state.tables where table.owesDestructor && !quiescence.binds(table.constructAt) {
      tally.pending += 1
    }
    guard quiescence.event != nil, sumAtQuiesce != 0 else { return }
    tally.exercised += 1
    tally.reportLeft(
      "NR_PAGETABLE is off by \(sumAtQuiesce) at quiesce", state: state, at: quiescence,
      since: since, absent: [.tableConstruct, .tableDestruct])
  }
}
