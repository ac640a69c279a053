import TraceFormat

/// I03: clearing the page, the ptlock and the constructor all come before the first install.
///
/// The order of the trace stands for the order in which other CPUs see it: the write barrier before
/// the entry is filled in is what makes the two the same, and is no event of its own. A table that
/// is never constructed at all is ``ConstructedOnce``'s.
struct PublishedComplete: Invariant {
  static let description = InvariantDescription(
    "I03", "complete before it is published", severity: .critical,
    requires: [.tableAlloc, .tableZero, .tableConstruct, .tableInstall],
    observed: [.tableZero, .tableInstall],
    stages: "✓✓✓✓✓✓✓✓✓", exemptions: [.e10],
    statement: "A table's page is cleared, its ptlock allocated and its constructor run before an "
      + "entry first points at it.",
    rationale: "Whoever follows the entry finds what is there: stale entries that are somebody "
      + "else's pages, or no lock. A table without any constructor is I02's.",
    example: "constructed after it was installed")

  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally) {
    for place in batch.places(of: .tableInstall) {
      guard let table = batch.table(at: place), table.installAt == .none else { continue }
      if !table.bornInTrace {
        tally.pending += 1
      } else if table.kernelTable || batch.event(at: place).flags.contains(.kernelTable) {
        tally.exempt(.e10)
      } else {
        tally.exercised += 1
        guard !table.isZeroed else { continue }
        tally.report(
          "installed before its page was cleared", missing: "pt_zero", at: batch[place],
          since: table.allocAt, absent: [.tableZero])
      }
    }
    for place in batch.places(of: .tableZero) {
      guard let table = batch.table(at: place), table.isZeroed, table.installed else { continue }
      report("page cleared while an entry points at it", batch[place], table, &tally)
    }
    for place in batch.places(of: .lockAlloc) {
      guard let table = batch.table(at: place), !table.hasLockObject else { continue }
      report("ptlock allocated after the table was installed", batch[place], table, &tally)
    }
    for place in batch.places(of: .tableConstruct) {
      guard let table = batch.table(at: place), !table.isConstructed else { continue }
      report("constructed after it was installed", batch[place], table, &tally)
    }
  }

  /// What should have come before the install comes after it.
  private func report(
    _ cause: String, _ event: ResolvedEvent, _ table: TableLife, _ tally: inout Tally
  ) {
    guard table.installAt != .none, table.bornInTrace, !table.isFreed, !table.kernelTable else {
      return
    }
    tally.report(cause, at: event, since: table.installAt, absent: [.tableAlloc])
  }
}
