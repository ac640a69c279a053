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
      guard let table = event.table, !table.queueInferred else {
        tally.pending += 1
        continue
      }
      tally.exercised += 1
      if event.gracePeriodPassed(since: table.unreachableSince) { continue }
      if fallback.syncAt == .none {
        report(
          "freed on the fallback without a sync IPI or a grace period", "ipi_sync_start", event,
          &tally)
      } else if fallback.missing.map({ $0 != 0 }) ?? !fallback.isSynced {
        report(
          "freed on the fallback before every CPU had acknowledged the sync IPI", "ipi_sync_ack",
          event, &tally)
      }
    }
  }

  private func report(
    _ cause: String, _ missing: String, _ event: ResolvedEvent, _ tally: inout Tally
  ) {
    tally.report(
      cause, missing: missing, at: event,
      since: event.table?.unreachableSince ?? .none, absent: Self.waits)
  }

  mutating func finish(_ state: Resolver, into tally: inout Tally) {
    for table in state.tables where table.path == .fallback && !table.isFreed {
      tally.pending += 1
    }
  }
}
