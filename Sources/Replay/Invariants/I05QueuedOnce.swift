import TraceFormat

/// I05: a table is queued at most once, and never installed again after that.
///
/// The no-memory fallback takes a table out of the batch it was queued for: that is one queueing.
/// A table that is unlinked and installed again without being queued (E5, E6) is none.
struct QueuedOnce: Invariant {
  static let description = InvariantDescription(
    "I05", "queued once, and for good", severity: .critical,
    requires: [.tableAlloc, .tableFree],
    stages: "✓✓✓✓✓✓✓✓✓",
    statement: "A table is queued for freeing at most once, and no entry points at it again "
      + "after that.",
    rationale: "Twice is a double free one grace period later; installed again is a live table "
      + "that will be freed.",
    example: "queued a second time")

  private static let kinds: [EventKind] = [.tableQueueBatch, .tableQueuePage, .tableDefer]

  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally) {
    for kind in Self.kinds {
      for place in batch.places(of: kind) {
        guard let table = batch.table(at: place), !table.isFreed else { continue }
        if table.queueInferred || batch.event(at: place).flags.contains(.inferred) {
          tally.pending += 1
          continue
        }
        tally.exercised += 1
        guard table.queueAt != .none else { continue }
        report("queued a second time", batch[place], table, &tally)
      }
    }
    for place in batch.places(of: .tableInstall) {
      // Where an install is concluded from what comes later, it may stand anywhere.
      guard let table = batch.table(at: place), table.queueAt != .none, !table.isFreed,
        !table.queueInferred, !batch.event(at: place).flags.contains(.inferred)
      else { continue }
      report("installed after it was queued", batch[place], table, &tally)
    }
  }

  private func report(
    _ cause: String, _ event: ResolvedEvent, _ table: TableLife, _ tally: inout Tally
  ) {
    tally.report(
      cause, missing: "pt_free, pt_alloc", at: event, since: table.queueAt,
      absent: [.tableAlloc, .tableFree])
  }
}
