import TraceFormat

/// I21: a ptlock is not held and not waited for when it is freed.
struct LockFreedInUse: Invariant {
  static let description = InvariantDescription(
    "I21", "no ptlock freed while in use", severity: .critical,
    requires: [.lockFree, .lockAcquire, .lockRelease],
    stages: "UUUUUBUB✓",
    statement: "Nobody holds or waits for a ptlock when it is freed.",
    rationale: "The holder's unlock, or the waiter, comes too late.",
    example: "a held ptlock was freed")

  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally) {
    for place in batch.places(of: .lockFree) {
      tally.exercised += 1
      let event = batch[place]
      guard let lock = event.lock, !lock.freed else { continue }
      if lock.heldSince != .none {
        tally.report(
          "a held ptlock was freed", missing: "ptl_unlock", at: event, since: lock.heldSince,
          absent: [.lockRelease])
      } else if lock.waiters > 0 {
        tally.report(
          "a ptlock was freed while a reader was spinning on it", missing: "ptl_lock",
          at: event, since: lock.waitingSince, absent: [.lockAcquire])
      }
    }
  }
}
