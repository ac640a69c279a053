import TraceFormat

/// I40: PT_RECLAIM takes a PTE table away only when it is empty, and holds both locks.
///
/// The zap that emptied the table either still holds its ptlock and gets the pmd lock without
/// waiting, or takes both anew and looks at all entries again; either way both are held when the
/// entry is cleared. Locks that are no objects of their own are not seen, and not judged.
struct ReclaimEmpty: Invariant {
  static let description = InvariantDescription(
    "I40", "reclaimed tables are empty and locked", severity: .high,
    requires: [.tableReclaim, .tableUnlink], stages: "––––––––✓",
    statement: "When PT_RECLAIM unlinks a PTE table all its entries are none, the pmd lock is held "
      + "and the table's ptlock is held, from where the entries were last looked at.",
    rationale: "An entry that is filled in while nobody looks goes with the table: its page is "
      + "lost to the mm, and leaked.",
    example: "reclaimed with entries in use")

  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally) {
    for place in batch.places(of: .tableReclaim) {
      tally.exercised += 1
      judge(batch[place], batch.upperLock(at: place), &tally)
    }
  }

  /// The lock's memory has not become another table's.
  private func isOf(_ table: TableLife?, _ lock: LockLife) -> Bool {
    table.map { $0.pfn == lock.pfn && $0.generation == lock.tableGeneration } ?? false
  }

  private func judge(_ event: ResolvedEvent, _ upper: LockLife?, _ tally: inout Tally) {
    if event.event.arg1 != 0 {
      tally.report("reclaimed with entries in use", at: event, since: event.ordinal)
    }
    let task = event.event.task
    if let lock = event.lock, lock.table >= 0, !lock.freed, isOf(event.table, lock),
      lock.heldSince == .none || lock.holder != task
    {
      tally.report(
        "reclaimed without holding its ptlock", missing: "ptl_lock", at: event,
        since: lock.allocAt, absent: [.lockAcquire])
    }
    if event.event.arg0 != 0, let lock = upper, lock.heldSince == .none || lock.holder != task {
      tally.report(
        "reclaimed without holding the pmd lock", missing: "ptl_lock of the PMD table", at: event,
        since: lock.allocAt, absent: [.lockAcquire])
    }
  }
}
