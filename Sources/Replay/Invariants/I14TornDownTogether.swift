import TraceFormat

/// I14: destructor and free of a table happen in the same activation, adjacent, destructor first,
/// on the same CPU.
///
/// Owed by the table path and its fallback. A free after the callback has run, by whoever held
/// the last reference, is E15. A fallback call in task context may be interrupted and may migrate:
/// there, same task stands for same CPU.
struct TornDownTogether: Invariant {
  static let description = InvariantDescription(
    "I14", "destructor and free in one activation", severity: .high,
    requires: [.tableQueueBatch, .tableDestruct, .tableFree], regime: .tablePath,
    stages: "––✗–✗✓–✓✓", exemptions: [.e15],
    statement: "Destructor and free of a table on the table path happen in the same "
      + "callback or fallback call, next to each other, destructor first, on the same CPU.",
    rationale: "One lifetime for lock and page. A callback cannot change its CPU; a "
      + "fallback in task context may be interrupted and may migrate, so there the same "
      + "task is asked for.",
    example: "destructor before the queue, free inside the callback")

  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally) {
    for place in batch.places(of: .tableFree) {
      guard let table = batch.table(at: place), table.destructAt != .none, !table.isFreed else {
        continue
      }
      let event = batch[place]
      // A table queued before the recording began shows itself in its callback.
      guard
        table.path == .batch || table.path == .fallback
          || (table.path == .none && table.destructRun != 0
            && event.running?.function == .removeTableBatch)
      else { continue }
      judge(event, table, &tally)
    }
  }

  mutating func finish(_ state: Resolver, into tally: inout Tally) {
    for table in state.tables
    where table.path == .batch || table.path == .fallback {
      if !table.isFreed { tally.pending += 1 }
    }
  }

  private func judge(_ event: ResolvedEvent, _ table: TableLife, _ tally: inout Tally) {
    if table.queueInferred {
      tally.pending += 1
      return
    }
    if table.destructAt < table.queueAt {
      tally.exercised += 1
      tally.report(
        event.resolution.run != 0
          ? "destructor before the queue, free inside the callback"
          : "destructor before the queue, free on its own", at: event, since: table.destructAt,
        absent: table.destructRun == 0 ? [] : [.tableAlloc])
      return
    }
    if event.resolution.run == 0,
      table.destructRun != 0 || table.destructTask != event.event.task
    {
      tally.exempt(.e15)
      return
    }
    tally.exercised += 1
    // Neither the start of the callback that destructed (not before the queue) nor the end of the
    // one that seems to run may be missing.
    let since = min(table.destructAt, table.queueAt, event.running?.startedAt ?? table.queueAt)
    if event.resolution.run != table.destructRun {
      tally.report(
        "destructor outside the callback that frees", at: event, since: since,
        absent: [.callbackStart, .callbackEnd, .tableAlloc])
    } else if !event.resolution.isAdjacent {
      tally.report(
        "another table torn down between destructor and free", at: event, since: since,
        absent: [.callbackStart, .callbackEnd])
    }
  }
}
