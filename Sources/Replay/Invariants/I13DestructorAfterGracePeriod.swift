import TraceFormat

/// I13, the patch invariant: neither destructor nor ptlock free before the grace period that
/// follows the unlink.
///
/// Judged once per table that is queued (table or page path), falls back, or is deferred; tables
/// that are freed without being queued owe no grace period (E1, E2, E4, E8, E11). On S0, S1 and
/// the page path the early destructor is a property of the stage (E13): it is a finding, and it
/// says nothing about a reader having touched the dead lock, which is I20 to I22b.
struct DestructorAfterGracePeriod: Invariant {
  static let description = InvariantDescription(
    "I13", "no destructor before the grace period", severity: .critical,
    requires: [.tableDestruct],
    stages: "✗✗✗✗✗B✗B✓", exemptions: [.e1, .e3, .e4, .e8, .e10],
    statement: "The ptlock is not freed and the destructor does not run before the end "
      + "of a grace period that began after the table was unlinked.",
    rationale: "The promise of the series: a reader inside RCU may still take the lock. "
      + "synchronize_rcu() counts as a grace period, an IPI sync does not. Where a stage "
      + "destructs early by design (E13) this is a property of the stage; that a reader "
      + "was harmed is I18 to I22b.",
    example: "destructor ran before the table was queued")

  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally) {
    for kind in [EventKind.tableQueueBatch, .tableQueuePage, .tableDefer, .tableFallback] {
      for place in batch.places(of: kind) { judge(queue: batch[place], kind, &tally) }
    }
    for place in batch.places(of: .lockFree) { judge(teardown: batch[place], &tally) }
    for place in batch.places(of: .tableDestruct) { judge(teardown: batch[place], &tally) }
    for place in batch.places(of: .tableFree) { excuse(batch.table(at: place), &tally) }
  }

  /// Counts the tables that are freed without being queued, and why they owe no grace period.
  private func excuse(_ table: TableLife?, _ tally: inout Tally) {
    guard let table, table.path == .none, !table.isFreed, table.bornInTrace,
      table.destructAt != .none, table.destructRun == 0
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

  /// A table is queued: whatever of its destructor has run, ran too early.
  private func judge(queue event: ResolvedEvent, _ kind: EventKind, _ tally: inout Tally) {
    guard let table = event.table, table.queueAt == .none, !table.isFreed else { return }
    let first = firstTeardown(table)
    guard first != .none else { return }
    tally.exercised += 1
    // Early all the same, but not too early: it happened to wait.
    if table.lockFreeAt == first ? table.lockFreeWaited : table.destructWaited { return }
    let how = kind == .tableQueuePage ? "put into the page gather" : "queued"
    tally.report(
      table.lockFreeAt == first
        ? "ptlock freed before the table was \(how)"
        : "destructor ran before the table was \(how)",
      missing: kind == .tableQueuePage ? "any grace period" : "queue, call_rcu, grace period",
      at: event, since: first,
      // What was destructed in a callback and is queued later is more likely the next life.
      absent: table.destructRun == 0 ? [] : [.tableAlloc],
      // Where the queue was concluded, its place proves nothing.
      concluded: event.event.flags.contains(.inferred),
      sameCPU: isOneStep(event, table))
  }

  /// Destructor and queue are two halves of one step of one task on one CPU: a hole on another CPU
  /// hides nothing in between. A destructor in a callback is not such a half (the task was merely
  /// interrupted by it), nor is that of a table that was never in use (E1: its page may have come
  /// back as another table while the task was on a CPU that is blind).
  private func isOneStep(_ event: ResolvedEvent, _ table: TableLife) -> Bool {
    table.destructAt != .none && table.destructRun == 0 && table.installAt != .none
      && table.installAt < table.destructAt && !table.deposited
      && table.destructCPU == event.event.cpu
      && table.destructTask == event.event.task && event.resolution.isAdjacent
  }

  /// The destructor of a table that is already queued begins.
  private func judge(teardown event: ResolvedEvent, _ tally: inout Tally) {
    guard let table = event.table, !table.isFreed, firstTeardown(table) == .none else { return }
    guard table.path != .none, !table.queueInferred else {
      if let running = event.running, running.function == .removeTableBatch {
        // Queued before the recording began; whether it waited is visible all the same.
        judge(callback: running, event, &tally)
      } else if table.queueInferred || !table.bornInTrace {
        tally.pending += 1
      }
      return
    }
    tally.exercised += 1
    if table.path == .deferred { tally.exempt(.e3, judged: true) }
    let unreachable = table.unreachableSince
    if event.gracePeriodPassed(since: unreachable) { return }
    let what = event.event.kind == .lockFree ? "ptlock freed" : "destructor ran"
    if event.resolution.run != 0 {
      tally.report(
        "\(what) in a callback that did not wait for a grace period",
        missing: "gp_start, gp_end", at: event, since: unreachable,
        absent: [.gracePeriodStart, .gracePeriodEnd])
    } else {
      let path = table.path == .fallback ? "on the no-memory fallback" : "outside any callback"
      tally.report(
        "\(what) without a grace period, \(path)", missing: "gp_start, gp_end", at: event,
        since: unreachable, absent: [.gracePeriodStart, .gracePeriodEnd, .synchronizeEnd])
    }
  }

  private func judge(
    callback: CallbackLife, _ event: ResolvedEvent, _ tally: inout Tally
  ) {
    tally.exercised += 1
    guard callback.queuedAt != .none, callback.gracePeriodAtStart <= callback.queuedAt else {
      return
    }
    tally.report(
      "destructor ran in a callback that did not wait for a grace period",
      missing: "gp_start, gp_end", at: event, since: callback.queuedAt,
      absent: [.gracePeriodStart, .gracePeriodEnd])
  }

  mutating func finish(_ state: Resolver, into tally: inout Tally) {
    for table in state.tables
    where table.path != .none && !table.isFreed && firstTeardown(table) == .none {
      tally.pending += 1
    }
  }

  private func firstTeardown(_ table: TableLife) -> Ordinal {
    switch (table.lockFreeAt, table.destructAt) {
    case (.none, let other), (let other, .none): other
    case (let lock, let destructor): min(lock, destructor)
    }
  }
}
