import TraceFormat

/// I07: the destructor precedes the free, at levels that have one.
struct DestructorBeforeFree: Invariant {
  static let description = InvariantDescription(
    "I07", "destructor precedes free", severity: .high,
    requires: [.tableConstruct, .tableDestruct, .tableFree],
    stages: "✓✓✓✓✓✓✓✓✓", exemptions: [.e2, .e8, .e10, .level],
    statement: "A constructed table is destructed before its page is freed.",
    rationale: "Otherwise type, lock and statistic outlive the page.",
    example: "freed without its destructor")

  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally) {
    for place in batch.places(of: .tableFree) {
      let event = batch[place]
      guard let table = event.table, !table.isFreed else { continue }
      if table.destructAt != .none {
        tally.exercised += 1
      } else if table.kernelTable {
        tally.exempt(.e10)
      } else if table.isConstructed {
        tally.exercised += 1
        tally.report(
          "freed without its destructor", missing: "pt_dtor", at: event,
          since: table.constructAt, absent: [.tableDestruct])
      } else if table.bornInTrace {
        tally.exempt(reason(table))
      } else {
        tally.pending += 1
      }
    }
    for place in batch.places(of: .tableDestruct) {
      let event = batch[place]
      guard let table = event.table, table.isFreed, table.destructAt == .none else { continue }
      tally.exercised += 1
      tally.report(
        "destructed after it was freed", missing: "pt_alloc", at: event, since: table.freeAt,
        absent: [.tableAlloc])
    }
  }

  mutating func finish(_ state: Resolver, into tally: inout Tally) {
    for table in state.tables where table.isConstructed && !table.isFreed { tally.pending += 1 }
  }

  /// Why a table that was never constructed may be freed.
  private func reason(_ table: TableLife) -> Exemption {
    if table.level == .pgd { return .e8 }
    if table.level > .pmd || table.path != .none || table.installAt != .none { return .level }
    return .e2
  }
}
