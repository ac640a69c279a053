import TraceFormat

/// I38: the page stays typed as a table until no reader can hold it.
///
/// The destructor clears the type right after it has freed the lock, so the two stand and fall
/// with each other; but whoever looks at a page by its number (memory failure, compaction,
/// page dumps) goes by the type.
struct TypeStays: Invariant {
  static let description = InvariantDescription(
    "I38", "page type stays until readers are gone", severity: .low,
    requires: [.tableTypeClear], stages: "✗✗✗✗✗B✗B✓",
    exemptions: [.e1, .e3, .e4, .e8, .e10],
    statement: "A table's page type is cleared only after a grace period that began after the "
      + "table was unlinked.",
    rationale: "Between an early clear and the free the page is a table to its readers and "
      + "nothing to everybody else. Early by design on the stages with an early destructor "
      + "(E13).",
    example: "page type cleared before the table was queued")

  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally) {
    for kind in [EventKind.tableQueueBatch, .tableQueuePage, .tableDefer, .tableFallback] {
      for place in batch.places(of: kind) { judge(queue: batch[place], kind, &tally) }
    }
    for place in batch.places(of: .tableTypeClear) { judge(clear: batch[place], &tally) }
    for place in batch.places(of: .tableFree) {
      if let table = batch.table(at: place) { excuse(table, &tally) }
    }
  }

  private func judge(queue event: ResolvedEvent, _ kind: EventKind, _ tally: inout Tally) {
    guard let table = event.table, table.queueAt == .none, !table.isFreed,
      table.typeClearAt != .none
    else { return }
    tally.exercised += 1
    if table.typeClearWaited { return }
    tally.report(
      kind == .tableQueuePage
        ? "page type cleared before the table was put into the page gather"
        : "page type cleared before the table was queued",
      missing: "queue, grace period", at: event, since: table.typeClearAt,
      absent: [.tableAlloc], concluded: event.event.flags.contains(.inferred))
  }

  private func judge(clear event: ResolvedEvent, _ tally: inout Tally) {
    guard let table = event.table, !table.isFreed, table.typeClearAt == .none else { return }
    guard table.path != .none, !table.queueInferred else {
      if !table.bornInTrace || table.queueInferred { tally.pending += 1 }
      return
    }
    tally.exercised += 1
    if table.path == .deferred { tally.exempt(.e3) }
    let unreachable = table.unreachableSince
    if event.gracePeriodPassed(since: unreachable) { return }
    let place =
      event.resolution.run != 0
      ? "in a callback that did not wait for a grace period"
      : "without a grace period, "
        + (table.path == .fallback ? "on the no-memory fallback" : "outside any callback")
    tally.report(
      "page type cleared \(place)", missing: "gp_start, gp_end", at: event, since: unreachable,
      absent: [.gracePeriodStart, .gracePeriodEnd, .synchronizeEnd])
  }

  /// Counts the tables that end without being queued, and why they owe no grace period.
  private func excuse(_ table: TableLife, _ tally: inout Tally) {
    guard table.path == .none, !table.isFreed, table.bornInTrace, table.typeClearAt != .none
    else { return }
    if table.kernelTable {
      tally.exempt(.e10)
    } else if table.level == .pgd {
      tally.exempt(.e8)
    } else if table.deposited {
      tally.exempt(.e4)
    } else if table.installAt == .none {
      tally.exempt(.e1)
    }
  }

  mutating func finish(_ state: Resolver, into tally: inout Tally) {
    for table in state.tables
    where table.path != .none && !table.isFreed && table.typeClearAt == .none {
      tally.pending += 1
    }
  }
}
