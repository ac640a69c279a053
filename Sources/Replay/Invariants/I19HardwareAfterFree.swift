import TraceFormat

/// I19: no page walker reads a table after its page is freed.
struct HardwareAfterFree: Invariant {
  static let description = InvariantDescription(
    "I19", "no hardware walk after free", severity: .critical,
    requires: [.hardwareAccess, .tableFree],
    stages: "✗✓✓✓✓✓✓✓✓",
    statement: "No hardware page walker reads a table's content after its page is freed.",
    rationale: "The walker would translate through somebody else's memory. Only an invalidation "
      + "holds it off (I10): no lock and no grace period does. Only the simulator sees page "
      + "walkers.",
    example: "a page walker read a freed table")

  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally) {
    for (index, place) in batch.places(of: .hardwareAccess).enumerated() {
      let event = batch[place]
      guard let table = event.table else {
        tally.pending += 1
        continue
      }
      tally.exercised += 1
      let walk = batch.walks[index]
      if walk.loadedAt != .none, walk.isForeign {
        tally.report(
          "a page walker read a table whose page is another table now", at: event,
          since: walk.loadedAt, absent: [.hardwareLoad])
      } else if table.isFreed {
        tally.report(
          "a page walker read a freed table", missing: "tlb_flush_end", at: event,
          since: table.freeAt, absent: [.tableAlloc])
      }
    }
  }
}
