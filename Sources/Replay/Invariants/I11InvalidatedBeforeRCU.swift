import TraceFormat

/// I11: on the table path the invalidation is over before RCU, or the fallback, begins to wait.
struct InvalidatedBeforeRCU: Invariant {
  static let description = InvariantDescription(
    "I11", "invalidated before RCU waits", severity: .critical,
    requires: [.tableQueueBatch, .callRCU, .flushStart, .flushEnd], regime: .tablePath,
    stages: "––✓–✓✓–✓✓",
    statement: "On the table path, a TLB invalidation that began after a table's unlink is over "
      + "before its batch is given to call_rcu(), and before its fallback waits for readers.",
    rationale: "A page walker that goes on during the grace period hands out pages of the table "
      + "to software that RCU does not wait for any more.",
    example: "batch given to RCU before its tables were invalidated")

  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally) {
    for (index, place) in batch.places(of: .callRCU).enumerated() {
      let function = UInt8(truncatingIfNeeded: batch.event(at: place).arg0)
      guard function == CallbackFunction.removeTableBatch.rawValue else { continue }
      let flush = batch.calls[index]
      guard flush.since != .none else {
        tally.pending += 1
        continue
      }
      tally.exercised += 1
      guard !flush.isComplete else { continue }
      tally.report(
        "batch given to RCU before its tables were invalidated",
        missing: "tlb_flush_start, tlb_flush_end", at: batch[place], since: flush.since,
        absent: [.flushStart, .flushEnd])
    }
    for (index, place) in batch.places(of: .tableFree).enumerated() {
      guard let fallback = batch.frees[index].fallback else { continue }
      let flush = batch.frees[index].flush
      guard flush.since != .none else {
        tally.pending += 1
        continue
      }
      tally.exercised += 1
      let waited = fallback.waitAt != .none
      guard waited ? !fallback.isFlushed : !flush.isComplete else { continue }
      tally.report(
        waited
          ? "fallback waited for readers before the table was invalidated"
          : "freed on the fallback before the table was invalidated",
        missing: "tlb_flush_start, tlb_flush_end", at: batch[place], since: flush.since,
        absent: [.flushStart, .flushEnd])
    }
  }

  mutating func finish(_ state: Resolver, into tally: inout Tally) {
    tally.pending += state.openBatches.count
  }
}
