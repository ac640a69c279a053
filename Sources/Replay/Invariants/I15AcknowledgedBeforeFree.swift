import TraceFormat

/// I15: on the page path, where invalidations are interrupts, a page is freed only after every CPU
/// in the mm's mask has acknowledged one.
///
/// An acknowledgement does not say which of two invalidations of one mm it is for; it counts for
/// both. Nothing is asked of an invalidation by firmware or hardware.
struct AcknowledgedBeforeFree: Invariant {
  static let description = InvariantDescription(
    "I15", "every CPU acknowledged the flush", severity: .critical,
    requires: [.tableQueuePage, .tableFree, .flushStart, .flushCPUs, .flushAck],
    regime: .pagePath,
    stages: "✓✓–✓––✓––",
    statement: "A table in the page gather is freed only after every CPU in the mm's mask has "
      + "acknowledged a flush IPI that was sent after the unlink.",
    rationale: "On this path the interrupt is all that holds off fast GUP, which walks with "
      + "interrupts off: a CPU that has not acknowledged may be inside the table.",
    example: "freed before every CPU had acknowledged the flush IPI")

  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally) {
    for (index, place) in batch.places(of: .tableFree).enumerated() {
      let flush = batch.frees[index].flush
      guard flush.isByInterrupt, let table = batch.table(at: place), table.path == .page,
        !table.queueInferred
      else { continue }
      tally.exercised += 1
      guard flush.missing != 0 else { continue }
      tally.report(
        "freed before every CPU had acknowledged the flush IPI", missing: "tlb_flush_ack",
        at: batch[place], since: flush.since,
        absent: [.flushStart, .flushCPUs, .flushAck, .flushEnd])
    }
  }

  mutating func finish(_ state: Resolver, into tally: inout Tally) {
    for table in state.tables where table.path == .page && !table.isFreed { tally.pending += 1 }
  }
}
