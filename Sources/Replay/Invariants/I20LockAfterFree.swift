import TraceFormat

/// I20: no lock, unlock or spin on a ptlock after it is freed.
struct LockAfterFree: Invariant {
  static let description = InvariantDescription(
    "I20", "no use of a freed ptlock", severity: .critical,
    requires: [.lockAcquire, .lockRelease, .lockFree],
    "No reader takes, releases or spins on a ptlock after it is freed; a lock whose memory has "
      + "become another table's lock counts as freed.")

  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally) {
    for kind in [EventKind.lockWait, .lockAcquire, .lockRelease] {
      for place in batch.places(of: kind) { judge(batch[place], &tally) }
    }
  }

  private func judge(_ event: ResolvedEvent, _ tally: inout Tally) {
    tally.exercised += 1
    guard let lock = event.lock else { return }
    let verb =
      switch event.event.kind {
      case .lockWait: "spins on"
      case .lockAcquire: "took"
      default: "released"
      }
    if event.resolution.lockIsForeign {
      tally.report(
        "a reader \(verb) a stranger's ptlock", missing: "rd_exit", at: event,
        since: lock.allocAt)
    } else if lock.freed {
      tally.report(
        "a reader \(verb) a freed ptlock", missing: "rd_exit", at: event, since: lock.freeAt,
        absent: [.lockAlloc])
    }
  }
}
