import TraceFormat

/// I35: ptlock allocations and frees balance, and a ptlock belongs to one table at a time.
struct LockBelongsToOneTable: Invariant {
  static let description = InvariantDescription(
    "I35", "ptlocks balance, one table each", severity: .high,
    requires: [.lockAlloc, .lockFree],
    stages: "✓✓✓✓✓✓✓✓✓",
    statement: "A ptlock belongs to exactly one table at a time, is freed once, and none "
      + "is left at quiesce.",
    rationale: "Slab accounting; two tables on one lock.",
    example: "ptlock freed a second time")

  private var quiescence = Quiescence()

  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally) {
    quiescence.take(batch)
    for place in batch.places(of: .lockAlloc) {
      tally.exercised += 1
      let event = batch[place]
      guard let lock = event.lock, lock.bornInTrace, !lock.freed else { continue }
      tally.report(
        "ptlock memory handed out while it is a ptlock", missing: "ptl_free", at: event,
        since: lock.allocAt, absent: [.lockFree])
    }
    for place in batch.places(of: .lockFree) {
      let event = batch[place]
      guard let lock = event.lock else {
        tally.pending += 1
        continue
      }
      tally.exercised += 1
      if lock.freed {
        tally.report(
          "ptlock freed a second time", missing: "ptl_alloc", at: event, since: lock.freeAt,
          absent: [.lockAlloc])
      } else if lock.bornInTrace, event.event.arg0 != 0, lock.pfn != 0,
        lock.pfn != event.event.arg0
      {
        tally.report(
          "ptlock freed for another table than it was allocated for", at: event,
          since: lock.allocAt, absent: [.lockAlloc, .tableConstruct])
      }
    }
  }

  mutating func finish(_ state: Resolver, into tally: inout Tally) {
    for lock in state.locks where lock.bornInTrace && !lock.freed {
      if quiescence.binds(lock.allocAt) {
        tally.exercised += 1
        tally.reportLeft(
          "ptlock never freed", missing: "ptl_free", state: state, at: quiescence,
          since: lock.allocAt, absent: [.lockFree], lock: lock)
      } else {
        tally.pending += 1
      }
    }
  }
}
