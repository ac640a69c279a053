import TraceFormat

/// I16: a table that falls back is freed only after every other CPU has acknowledged a sync IPI,
/// or after a grace period.
///
/// Where the source does not say whom the IPI was sent to, its end stands for all of them.
struct FallbackSynchronizes: Invariant {
  static let description = InvariantDescription(
    "I16", "fallback waits for every CPU", severity: .critical,
    requires: [.tableFallback, .tableFree, .ipiSyncStart, .ipiSyncEnd], regime: .tablePath,
    stages: "––✓–✓✓–✓✓",
    statement: "Between the unlink and the free of a table on the no-memory fallback, every other "
      + "online CPU acknowledges a sync IPI, or a grace period passes.",
    rationale: "Fast GUP walks with interrupts off: the IPI waits for it. It does not wait for "
      + "readers that merely hold rcu_read_lock(): that is I17.",
    example: "freed on the fallback without a sync IPI or a grace period")

  private static let waits: KindSet = [
    .ipiSyncStart, .ipiSyncAck, .ipiSyncEnd, .gracePeriodStart, .gracePeriodEnd, .synchronizeEnd,
  ]

  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally) {
    for (index, place) in batch.places(of: .tableFree).enumerated() {
      guard let fallback = batch.frees[index].fallback else { continue }
      let event = batch[place]
      let since = batch.frees[index].unreachableSince
      guard since != .none, event.table?.queueInferred == false else {
        tally.pending += 1
        continue
      }
      tally.exercised += 1
      if event.gracePeriodPassed(since: since) { continue }
      let cause: String
      if fallback.syncAt == .none {
        cause = "freed on the fallback without a sync IPI or a grace period"
      } else if fallback.missing.map({ $0 != 0 }) ?? !fallback.isSynced {
        cause = "freed on the fallback before every CPU had acknowledged the sync IPI"
      } else {
        continue
      }
      tally.report(
        cause, missing: fallback.syncAt == .none ? "ipi_sync_start" : "ipi_sync_ack", at: event,
        since: since, absent: Self.waits)
    }
  }

  mutating func finish(_ state: Resolver, into tally: inout Tally) {
    for table in state.tables where table.path == .fallback && !table.isFreed {
      tally.pending += 1
    }
  }
}
