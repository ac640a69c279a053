import TraceFormat

/// I04: no entry points at a table when it is queued or deferred.
///
/// Of a table that was never installed in the recording nothing has to be cleared. An importer
/// that puts `pt_unlink` before the queueing because it must have been there proves nothing.
struct QueuedUnlinked: Invariant {
  static let description = InvariantDescription(
    "I04", "unlinked before it is queued", severity: .critical,
    requires: [.tableInstall, .tableUnlink], observed: [.tableInstall, .tableUnlink],
    stages: "✓✓✓✓✓✓✓✓✓", exemptions: [.e10],
    statement: "When a table is queued for freeing, no entry points at it any more.",
    rationale: "A table that can still be reached when it is queued can be reached when it is "
      + "freed: new walks begin after the grace period has.",
    example: "queued while an entry points at it")

  private static let kinds: [EventKind] = [.tableQueueBatch, .tableQueuePage, .tableDefer]

  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally) {
    for kind in Self.kinds {
      for place in batch.places(of: kind) {
        guard let table = batch.table(at: place), table.queueAt == .none, !table.isFreed else {
          continue
        }
        if table.kernelTable {
          tally.exempt(.e10)
        } else if !table.bornInTrace, table.installAt == .none, table.unlinkAt == .none {
          tally.pending += 1
        } else {
          tally.exercised += 1
          guard table.installed else { continue }
          tally.report(
            "queued while an entry points at it", missing: "pt_unlink", at: batch[place],
            since: table.enteredAt, absent: [.tableUnlink])
        }
      }
    }
  }
}
