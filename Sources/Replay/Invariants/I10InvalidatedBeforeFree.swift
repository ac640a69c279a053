import TraceFormat

/// I10: an invalidation of the table's mm began after its unlink and ended before its free.
///
/// An invalidation of part of the mm counts as well: which addresses a table covers is not in a
/// trace. Tables that nothing ever pointed at owe none, and of those that a kernel takes back
/// without queueing them only the ones whose unlink was observed are judged.
struct InvalidatedBeforeFree: Invariant {
  static let description = InvariantDescription(
    "I10", "invalidated before it is freed", severity: .critical,
    requires: [.tableFree, .flushStart, .flushEnd],
    stages: "✗✓✓✓✓✓✓✓✓", exemptions: [.e1, .e4, .e8, .e10],
    statement: "Between the unlink of a table and the free of its page, a TLB invalidation of its "
      + "mm begins and ends.",
    rationale: "Page walkers keep pointers to tables: until they are told, they read whatever the "
      + "page has become. Up to v6.7 RISC-V freed upper tables first (S0a). How much of the mm "
      + "was invalidated is not judged.",
    example: "freed before the TLB was invalidated")

  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally) {
    for (index, place) in batch.places(of: .tableFree).enumerated() {
      guard let table = batch.table(at: place), !table.isFreed else { continue }
      judge(batch[place], table, batch.frees[index].flush, &tally)
    }
  }

  private func judge(
    _ event: ResolvedEvent, _ table: TableLife, _ flush: FlushView, _ tally: inout Tally
  ) {
    if table.kernelTable {
      tally.exempt(.e10)
    } else if table.level == .pgd {
      tally.exempt(.e8)
    } else if table.path == .none, table.deposited {
      tally.exempt(.e4)
    } else if table.path == .none, table.bornInTrace, table.installAt == .none {
      tally.exempt(.e1)
    } else if flush.since == .none || table.queueInferred
      || (table.path == .none && table.unlinkInferred)
    {
      tally.pending += 1
    } else {
      tally.exercised += 1
      guard !flush.isComplete else { return }
      tally.report(
        flush.startedAt == .none
          ? "freed before the TLB was invalidated" : "freed while the TLB was being invalidated",
        missing: flush.startedAt == .none ? "tlb_flush_start, tlb_flush_end" : "tlb_flush_end",
        at: event, since: flush.since, absent: [.flushStart, .flushEnd])
    }
  }

  mutating func finish(_ state: Resolver, into tally: inout Tally) {
    for table in state.tables where table.path != .none && !table.isFreed { tally.pending += 1 }
  }
}
