import TraceFormat

/// I33: NR_PAGETABLE goes up at the constructor and down by as much at the destructor.
///
/// Judged per life, so that tables older than the recording do not matter; the sum over all lives
/// is judged at quiesce. It is *not* zero when an mm is torn down: tables may still wait for RCU.
struct StatisticBalances: Invariant {
  static let description = InvariantDescription(
    "I33", "NR_PAGETABLE balances", severity: .medium,
    requires: [.tableConstruct, .tableDestruct],
    "NR_PAGETABLE rises by n at the constructor and falls by n at the destructor; over the lives "
      + "of a trace the sum is zero at quiesce.")

  private var sum: Int64 = 0
  private var quiesced: Event?
  private var since: Ordinal = .none

  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally) {
    for place in batch.places(of: .tableConstruct) {
      let event = batch[place]
      let pages = Int64(bitPattern: event.event.arg1)
      sum &+= pages
      if since == .none { since = event.ordinal }
      tally.exercised += 1
      if pages <= 0 {
        tally.report("constructor did not raise NR_PAGETABLE", at: event, since: event.ordinal)
      }
    }
    for place in batch.places(of: .tableDestruct) {
      let event = batch[place]
      guard let table = event.table, table.isConstructed, table.destructAt == .none else {
        if event.table?.bornInTrace == true { sum &+= Int64(bitPattern: event.event.arg1) }
        continue
      }
      sum &+= Int64(bitPattern: event.event.arg1)
      if Int64(bitPattern: event.event.arg1) != -Int64(table.pages) {
        tally.report(
          "destructor lowered NR_PAGETABLE by another amount than the constructor raised it",
          at: event, since: table.constructAt, absent: [.tableAlloc, .tableConstruct])
      }
    }
    if let place = batch.places(of: .quiesce).last { quiesced = batch.events[Int(place)] }
  }

  mutating func finish(_ state: Resolver, into tally: inout Tally) {
    guard let quiesced, sum != 0 else { return }
    tally.reportLeft(
      "NR_PAGETABLE is off by \(sum) at quiesce", state: state, event: quiesced, since: since,
      absent: [.tableConstruct, .tableDestruct])
  }
}
