import TraceFormat

/// I20: no lock, unlock or spin on a ptlock after it is freed.
struct LockAfterFree: Invariant {
  static let description = InvariantDescription(
    "I20", "no use of a freed ptlock", severity: .critical,
    requires: [.lockAcquire, .lockRelease, .lockFree],
    stages: "UUUUUBUB✓",
    statement: "No reader takes, releases or spins on a ptlock after it is freed; a lock "
      + "whose memory has become another table's lock counts as freed.",
    rationale: "Use after free of the lock, or a stranger's lock taken.",
    example: "a reader took a freed ptlock")

  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally) {
    for kind in [EventKind.lockWait, .lockAcquire, .lockRelease] {
      for place in batch.places(of: kind) { judge(batch[place], &tally) }
    }
  }

  private func judge(_ event: ResolvedEvent, _ tally: inout Tally) {
    guard let lock = event.lock else {
      tally.pending += 1
      return
    }
    tally.exercised += 1
    let verb =
      switch event.event.kind {
      case .lockWait: "spins on"
      case .lockAcquire: "took"
      default: "released"
      }
    if event.resolution.lockIsForeign {
      tally.report(
        "a reader \(verb) a stranger's ptlock", missing: "rd_exit", at: event,
        since: event.resolution.loadedAt, absent: [.readerLoad, .readerEnter, .readerExit])
    } else if !lock.freed, lock.bornInTrace, event.event.arg1 != 0, lock.pfn != 0,
      lock.pfn != event.event.arg1
    {
      tally.report(
        "a reader \(verb) the ptlock of another table than it meant", at: event,
        since: lock.allocAt, absent: [.lockAlloc])
    } else if lock.freed {
      tally.report(
        "a reader \(verb) a freed ptlock", missing: "rd_exit", at: event, since: lock.freeAt,
        absent: [.lockAlloc])
    }
  }
}
