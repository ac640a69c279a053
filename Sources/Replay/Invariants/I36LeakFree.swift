import TraceFormat

/// I36: at quiesce every user table and every batch page has been freed.
///
/// Vacuous on a trace without `quiesce`: a recording that merely stops leaves tables behind.
struct LeakFree: Invariant {
  static let description = InvariantDescription(
    "I36", "nothing leaks", severity: .high,
    requires: [.tableAlloc, .tableFree, .quiesce],
    stages: "✓✓✓✓✓✓✓✓✓", exemptions: [.e10],
    statement: "After all mms have exited and rcu_barrier() has returned, every user "
      + "table and every batch page has been freed.",
    rationale: "Leaks. Without quiesce nothing is owed.",
    example: "table never freed")

  private var quiescence = Quiescence()

  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally) { quiescence.take(batch) }

  mutating func finish(_ state: Resolver, into tally: inout Tally) {
    for table in state.tables where table.bornInTrace {
      guard quiescence.binds(table.allocAt) else {
        if !table.isFreed { tally.pending += 1 }
        continue
      }
      if table.kernelTable {
        tally.exempt(.e10)
        continue
      }
      tally.exercised += 1
      guard !table.isFreed else { continue }
      tally.reportLeft(
        "table never freed", missing: "pt_free", state: state, at: quiescence,
        since: table.allocAt, absent: [.tableFree], table: table)
    }
    for (_, since) in state.liveBatches.sorted(by: { $0.value < $1.value })
    where quiescence.binds(since) {
      tally.exercised += 1
      tally.reportLeft(
        "batch page never freed", missing: "batch_free", state: state, at: quiescence,
        since: since, absent: [.batchFree])
    }
  }
}
