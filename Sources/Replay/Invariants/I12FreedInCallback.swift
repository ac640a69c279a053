import TraceFormat

/// I12: a batch-queued table is freed only inside its callback, after a full grace period.
///
/// Tables that fell back (`tlb_remove_table_one()`) are not its business. A page that is freed
/// after its callback ran was held by somebody else's reference (E15).
struct FreedInCallback: Invariant {
  static let description = InvariantDescription(
    "I12", "batch tables freed in their callback", severity: .critical,
    requires: [
      .tableQueueBatch, .tableFree, .callRCU, .callbackStart, .gracePeriodStart, .gracePeriodEnd,
    ], regime: .tablePath,
    stages: "––✓–✓✓–✓✓", exemptions: [.e15],
    statement: "A table queued into a batch is freed only inside a callback whose grace "
      + "period began after its call_rcu and ended before the callback.",
    rationale: "Software walkers hold off nothing but the grace period. Fallback tables "
      + "are I16's and I17's business.",
    example: "freed outside any callback")

  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally) {
    for place in batch.places(of: .tableFree) {
      guard let table = batch.table(at: place), table.path == .batch, !table.isFreed else {
        continue
      }
      judge(batch[place], table, &tally)
    }
  }

  mutating func finish(_ state: Resolver, into tally: inout Tally) {
    for table in state.tables where table.path == .batch && !table.isFreed { tally.pending += 1 }
  }

  private func judge(_ event: ResolvedEvent, _ table: TableLife, _ tally: inout Tally) {
    if table.queueInferred {
      tally.pending += 1
      return
    }
    if event.resolution.run == 0 {
      if let callback = event.callback, callback.startedAt != .none {
        tally.exempt(.e15)
        return
      }
      tally.exercised += 1
      tally.report(
        "freed outside any callback", missing: "cb_start of its batch", at: event,
        since: table.queueAt, absent: [.callbackStart, .callRCU, .tableFallback])
      return
    }
    tally.exercised += 1
    guard let running = event.running, running.queuedAt != .none,
      running.gracePeriodAtStart <= running.queuedAt
    else { return }
    tally.report(
      "freed in a callback that did not wait for a grace period", missing: "gp_start, gp_end",
      at: event, since: running.queuedAt,
      absent: [.gracePeriodStart, .gracePeriodEnd, .callbackStart, .callbackEnd])
  }
}
