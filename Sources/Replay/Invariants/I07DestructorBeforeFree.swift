import TraceFormat

/// I07: the destructor precedes the free, at levels that have one.
struct DestructorBeforeFree: Invariant {
  static let description = InvariantDescription(
    "I07", "destructor precedes free", severity: .high,
    requires: [.tableConstruct, .tableDestruct, .tableFree],
    "A constructed table is destructed before its page is freed.")

  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally) {
    for place in batch.places(of: .tableFree) {
      let event = batch[place]
      guard let table = event.table, !table.isFreed else { continue }
      if table.destructAt != .none {
        tally.exercised += 1
      } else if table.isConstructed {
        tally.exercised += 1
        tally.report(
          "freed without its destructor", missing: "pt_dtor", at: event,
          since: table.constructAt, absent: [.tableDestruct])
      } else if table.bornInTrace {
        // E2, or a level without constructor and destructor.
        tally.exempt(table.path == .none && table.installAt == .none ? .e2 : .level)
      } else {
        tally.pending += 1
      }
    }
    for place in batch.places(of: .tableDestruct) {
      let event = batch[place]
      guard let table = event.table, table.isFreed, table.destructAt == .none else { continue }
      tally.report(
        "destructed after it was freed", missing: "pt_alloc", at: event, since: table.freeAt,
        absent: [.tableAlloc])
    }
  }
}
