import TraceFormat

/// I17: a table that falls back is freed only after a real grace period.
///
/// Up to v7.0 without PT_RECLAIM it is not, by design: the IPI waits for walkers with interrupts
/// off and for nobody else. A grace period that happens to pass meanwhile counts.
struct FallbackIsGracePeriod: Invariant {
  static let description = InvariantDescription(
    "I17", "fallback is a grace period", severity: .high,
    requires: [.tableFallback, .tableFree, .gracePeriodStart, .gracePeriodEnd],
    regime: .tablePath,
    stages: "––✗–✗✗–✗✓",
    statement: "Between the unlink and the free of a table on the no-memory fallback, a grace "
      + "period begins and ends.",
    rationale: "Readers inside rcu_read_lock() take interrupts, and the sync IPI with them: only "
      + "a grace period waits for them. A property of the stage; that a reader was harmed is I18 "
      + "to I22b.",
    example: "freed on the no-memory fallback without a grace period")

  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally) {
    for (index, place) in batch.places(of: .tableFree).enumerated() {
      guard let table = batch.table(at: place), table.path == .fallback, !table.isFreed else {
        continue
      }
      let since = batch.frees[index].unreachableSince
      guard since != .none, !table.queueInferred else {
        tally.pending += 1
        continue
      }
      tally.exercised += 1
      let event = batch[place]
      guard !event.gracePeriodPassed(since: since) else { continue }
      tally.report(
        "freed on the no-memory fallback without a grace period", missing: "gp_start, gp_end",
        at: event, since: since, absent: [.gracePeriodStart, .gracePeriodEnd, .synchronizeEnd])
    }
  }

  mutating func finish(_ state: Resolver, into tally: inout Tally) {
    for table in state.tables where table.path == .fallback && !table.isFreed {
      tally.pending += 1
    }
  }
}
