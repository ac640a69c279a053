import TraceFormat

/// I01: a life begins with its allocation, and nothing happens to a page between its free and its
/// next allocation.
///
/// Destructors and second frees after the free are left to ``DestructorBeforeFree`` and
/// ``FreedOnce``, so that one fault is reported once.
struct AllocationFirst: Invariant {
  static let description = InvariantDescription(
    "I01", "allocation comes first", severity: .critical,
    requires: [.tableAlloc, .tableFree],
    stages: "✓✓✓✓✓✓✓✓✓",
    statement: "The first event of a table is its allocation; nothing happens to it "
      + "between its free and the next allocation of its page.",
    rationale: "Whatever happens to a freed page happens to somebody else's memory.",
    example: "pt_ctor on a table that is freed")

  private static let kinds: [EventKind] = [
    .tableZero, .tableConstruct, .tableInstall, .tableUnlink, .tableQueueBatch, .tableQueuePage,
    .tableFallback, .tableDeposit, .tableWithdraw, .tableDefer,
  ]

  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally) {
    tally.exercised += batch.places(of: .tableAlloc).count
    for kind in Self.kinds {
      for place in batch.places(of: kind) {
        guard let table = batch.table(at: place) else { continue }
        if table.firstAt == batch.firstOrdinal + Ordinal(place), !table.bornInTrace {
          // First sight of a page that was a table before the recording began.
          tally.pending += 1
        } else if table.isFreed, !batch.event(at: place).flags.contains(.inferred) {
          tally.exercised += 1
          tally.report(
            "\(kind.name) on a table that is freed", missing: "pt_alloc", at: batch[place],
            since: table.freeAt, absent: [.tableAlloc])
        }
      }
    }
  }
}
