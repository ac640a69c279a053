import TraceFormat

/// I08: exactly one free per life.
///
/// A life that is never freed by the end of the trace is ``LeakFree``'s.
struct FreedOnce: Invariant {
  static let description = InvariantDescription(
    "I08", "freed exactly once", severity: .critical,
    requires: [.tableAlloc, .tableFree],
    stages: "✓✓✓✓✓✓✓✓✓",
    statement: "A table's page is freed exactly once before it is allocated again.",
    rationale: "A double free, or two owners of one page.",
    example: "freed a second time")

  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally) {
    for place in batch.places(of: .tableFree) {
      tally.exercised += 1
      guard let table = batch.table(at: place), table.isFreed else { continue }
      tally.report(
        "freed a second time", missing: "pt_alloc", at: batch[place], since: table.freeAt,
        absent: [.tableAlloc, .pageReuse])
    }
    for place in batch.places(of: .tableAlloc) {
      guard let table = batch.table(at: place), table.bornInTrace, !table.isFreed else { continue }
      tally.exercised += 1
      tally.report(
        "page allocated again, never freed", missing: "pt_free", at: batch[place],
        since: table.allocAt, absent: [.tableFree])
    }
  }

  mutating func finish(_ state: Resolver, into tally: inout Tally) {
    for table in state.tables where table.bornInTrace && !table.isFreed { tally.pending += 1 }
  }
}
