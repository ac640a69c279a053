import TraceFormat

/// I39: a deposited table is constructed, nothing points at it, and it is withdrawn exactly once
/// before anything else happens to it.
struct DepositDiscipline: Invariant {
  static let description = InvariantDescription(
    "I39", "deposited tables wait to be withdrawn", severity: .medium,
    requires: [.tableDeposit, .tableWithdraw], observed: [.tableDeposit, .tableWithdraw],
    stages: "✓✓✓✓✓✓✓✓✓",
    statement: "A table that is deposited on a PMD table is constructed and not installed, and is "
      + "withdrawn exactly once; while it lies there it is not installed, queued, destructed or "
      + "freed.",
    rationale: "A THP split takes the deposited table because it cannot fail for want of memory: "
      + "what it takes must be a table, and nobody else's.",
    example: "deposited while an entry points at it")

  private var quiescence = Quiescence()

  /// What must not happen to a table while it is deposited.
  private static let forbidden: [(kind: EventKind, verb: String)] = [
    (.tableInstall, "installed"), (.tableQueueBatch, "queued"), (.tableQueuePage, "queued"),
    (.tableDefer, "deferred"), (.tableDestruct, "destructed"), (.tableFree, "freed"),
  ]

  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally) {
    quiescence.take(batch)
    for place in batch.places(of: .tableDeposit) { judge(deposit: batch[place], &tally) }
    for place in batch.places(of: .tableWithdraw) { judge(withdraw: batch[place], &tally) }
    for (kind, verb) in Self.forbidden {
      for place in batch.places(of: kind) {
        guard let table = batch.table(at: place), table.isDeposited, !table.isFreed else {
          continue
        }
        tally.report(
          "\(verb) while it is deposited", missing: "pt_withdraw", at: batch[place],
          since: table.depositAt, absent: [.tableWithdraw])
      }
    }
  }

  private func judge(deposit event: ResolvedEvent, _ tally: inout Tally) {
    guard let table = event.table, table.bornInTrace else {
      tally.pending += 1
      return
    }
    tally.exercised += 1
    if table.isDeposited {
      tally.report(
        "deposited a second time", missing: "pt_withdraw", at: event, since: table.depositAt,
        absent: [.tableWithdraw])
    } else if table.installed {
      tally.report(
        "deposited while an entry points at it", missing: "pt_unlink", at: event,
        since: table.enteredAt, absent: [.tableUnlink])
    } else if table.destructAt != .none {
      tally.report(
        "deposited after its destructor", missing: "pt_ctor", at: event, since: table.destructAt,
        absent: [.tableConstruct])
    } else if !table.isConstructed {
      tally.report(
        "deposited without having been constructed", missing: "pt_ctor", at: event,
        since: table.allocAt, absent: [.tableConstruct])
    }
  }

  private func judge(withdraw event: ResolvedEvent, _ tally: inout Tally) {
    guard let table = event.table, table.bornInTrace || table.depositAt != .none else {
      tally.pending += 1
      return
    }
    tally.exercised += 1
    if table.depositAt == .none {
      tally.report(
        "withdrawn without having been deposited", missing: "pt_deposit", at: event,
        since: table.firstAt, absent: [.tableDeposit])
    } else if table.withdrawAt != .none {
      tally.report(
        "withdrawn a second time", missing: "pt_deposit", at: event, since: table.withdrawAt,
        absent: [.tableDeposit])
    }
  }

  mutating func finish(_ state: Resolver, into tally: inout Tally) {
    for table in state.tables where table.isDeposited && !table.isFreed {
      if quiescence.binds(table.depositAt) {
        tally.exercised += 1
        tally.reportLeft(
          "never withdrawn", missing: "pt_withdraw", state: state, at: quiescence,
          since: table.depositAt, absent: [.tableWithdraw], table: table)
      } else {
        tally.pending += 1
      }
    }
  }
}
