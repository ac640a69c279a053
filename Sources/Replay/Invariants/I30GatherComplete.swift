import TraceFormat

/// I30: `tlb_finish_mmu()` leaves nothing behind.
struct GatherComplete: Invariant {
  static let description = InvariantDescription(
    "I30", "nothing pending at gather finish", severity: .high,
    requires: [.gatherStart, .gatherFinish, .flushEnd, .mmFlushPending],
    observed: [.gatherFinish, .flushEnd], stages: "✓✓✓✓✓✓✓✓✓",
    statement: "When a gather is finished its table batch has been given to call_rcu, the TLB was "
      + "invalidated after the last table went into its page list, and tlb_flush_pending is "
      + "where it was before the gather.",
    rationale: "The gather lies on the stack: what it still holds is lost. A tlb_flush_pending "
      + "that stays raised makes every later protection change flush too much; one that is too "
      + "low makes another task skip a flush it needs.",
    example: "gather finished with a table batch pending")

  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally) {
    for place in batch.places(of: .gatherFinish) {
      guard let gather = batch.gather(at: place), gather.startedAt != .none,
        gather.finishedAt == .none, gather.task == batch.event(at: place).task
      else {
        tally.pending += 1
        continue
      }
      tally.exercised += 1
      judge(finish: batch[place], gather, &tally)
    }
  }

  private func judge(finish event: ResolvedEvent, _ gather: GatherLife, _ tally: inout Tally) {
    if let open = event.callback, open.queuedAt == .none, open.members > 0,
      open.gather == gather.address, open.openedAt > gather.startedAt
    {
      tally.report(
        "gather finished with a table batch pending", missing: "call_rcu", at: event,
        since: open.openedAt, absent: [.callRCU, .tableFallback])
    }
    if gather.pageQueuedAt > gather.flushedAt {
      tally.report(
        "gather finished with tables in its page list that no TLB flush followed",
        missing: "tlb_flush_end", at: event, since: gather.pageQueuedAt, absent: [.flushEnd])
    }
    if gather.flushPending != 0 {
      let what = gather.flushPending > 0 ? "raised" : "too low"
      tally.report(
        "gather finished and left tlb_flush_pending \(what)", missing: "mm_flush_pending",
        at: event, since: gather.startedAt, absent: [.mmFlushPending])
    }
  }

  mutating func finish(_ state: Resolver, into tally: inout Tally) {
    for gather in state.gathers where gather.startedAt != .none && gather.finishedAt == .none {
      tally.pending += 1
    }
  }
}
