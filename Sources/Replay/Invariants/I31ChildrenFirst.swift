import TraceFormat

/// I31: an upper table goes after everything below it has been unlinked.
///
/// A table that moves (E6) keeps its children, so an unlink alone says nothing; but a child that
/// is unlinked from an upper table that is unlinked itself comes too late, and so does one that
/// is still installed when the upper table is queued or freed. In which order the two are *freed*
/// does not matter (E14).
struct ChildrenFirst: Invariant {
  static let description = InvariantDescription(
    "I31", "children unlinked before their parent", severity: .high,
    requires: [.tableInstall, .tableUnlink, .tableFree],
    observed: [.tableInstall, .tableUnlink], facts: [.linearMap], stages: "✓✓✓✓✓✓✓✓✓",
    exemptions: [.e6],
    statement: "A table is unlinked and queued only after every table below it is unlinked: no "
      + "entry of its own points at one any more.",
    rationale: "What still hangs below a table that is freed is leaked, or torn down later "
      + "through memory that is somebody else's. Which table an entry belongs to is known from "
      + "its address and the machine's linear map.",
    example: "queued while a table below it is installed")

  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally) {
    for kind in [EventKind.tableQueueBatch, .tableQueuePage, .tableDefer, .tableFree] {
      for place in batch.places(of: kind) {
        guard let table = batch.table(at: place), table.level != .pte, !table.isFreed else {
          continue
        }
        judge(end: batch[place], table, kind, &tally)
      }
    }
    for place in batch.places(of: .tableUnlink) { judge(unlink: place, batch, &tally) }
    for place in batch.places(of: .tableInstall) {
      if let table = batch.table(at: place), table.children > 0, table.unlinkAt != .none {
        tally.exempt(.e6)
      }
    }
  }

  private func judge(
    end event: ResolvedEvent, _ table: TableLife, _ kind: EventKind, _ tally: inout Tally
  ) {
    // Queued before: decided there.
    if kind == .tableFree, table.path != .none { return }
    guard table.bornInTrace else {
      tally.pending += 1
      return
    }
    if table.childAt != .none { tally.exercised += 1 }
    guard table.children > 0 else { return }
    let verb = kind == .tableFree ? "freed" : "queued"
    tally.report(
      "\(verb) while a table below it is installed", missing: "pt_unlink of the lower table",
      at: event, since: table.childAt, absent: [.tableUnlink])
  }

  private func judge(unlink place: Int32, _ batch: ResolvedBatch, _ tally: inout Tally) {
    // One that is freed already was found out when it was queued or freed.
    guard let upper = batch.upper(at: place), upper.bornInTrace, upper.installAt != .none,
      !upper.isFreed
    else { return }
    tally.exercised += 1
    guard !upper.installed, upper.unlinkAt != .none else { return }
    tally.report(
      "unlinked from a table that was itself unlinked before", missing: "pt_install of the upper",
      at: batch[place], since: upper.unlinkAt, absent: [.tableInstall, .tableAlloc], table: upper)
  }

  mutating func finish(_ state: Resolver, into tally: inout Tally) {
    for table in state.tables where table.children > 0 && !table.isFreed { tally.pending += 1 }
  }
}
