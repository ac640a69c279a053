import TraceFormat

/// I22b: the memory of a ptlock is not allocated again while a section that loaded its table, and
/// may take its lock, is open.
///
/// Fast GUP (G) and `pte_offset_map()` walkers (M) never take a ptlock: that the lock is reused
/// under them is early (I13) and harmless.
struct LockReusedUnderReader: Invariant {
  static let description = InvariantDescription(
    "I22b", "no ptlock reuse under a reader", severity: .critical,
    requires: [.readerEnter, .readerExit, .readerLoad, .lockAlloc],
    stages: "UUUUUBUB✓",
    statement: "A ptlock's memory is not allocated again while a reader section that "
      + "loaded its table, and may take the lock, is open.",
    rationale: "The reader would take a stranger's lock.",
    example: "ptlock memory allocated again under a reader that loaded its table")

  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally) {
    // An instance is a lock within reach of a section.
    for place in batch.places(of: .readerLoad) where batch.resolutions[Int(place)].mayTakeLock {
      tally.exercised += 1
    }
    for place in batch.places(of: .lockAlloc) {
      let event = batch[place]
      guard let lock = event.lock, lock.freed, lock.openLoads > 0 else { continue }
      // That the loaded table has this lock is known since the lock was allocated for it.
      tally.report(
        "ptlock memory allocated again under a reader that loaded its table",
        missing: "rd_exit", at: event, since: min(lock.allocAt, lock.loadedSince),
        absent: [.readerExit])
    }
  }
}
