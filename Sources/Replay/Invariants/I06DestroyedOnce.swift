import TraceFormat

/// I06: exactly one destructor per constructor.
///
/// A table that is freed without its destructor is ``DestructorBeforeFree``'s; here it counts only
/// once its page is a new table, or at quiesce, so that a late destructor is not called missing.
struct DestroyedOnce: Invariant {
  static let description = InvariantDescription(
    "I06", "one destructor per constructor", severity: .high,
    requires: [.tableConstruct, .tableDestruct],
    stages: "✓✓✓✓✓✓✓✓✓", exemptions: [.e10],
    statement: "Each constructed table is destructed exactly once: never twice, and "
      + "never not at all.",
    rationale: "Twice frees the lock twice; never leaks it. \"Never\" is said when the "
      + "page is a new table, or at quiesce.",
    example: "destructed a second time")

  private var quiescence = Quiescence()

  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally) {
    quiescence.take(batch)
    for place in batch.places(of: .tableDestruct) {
      let event = batch[place]
      guard let table = event.table else { continue }
      if table.destructAt != .none {
        tally.exercised += 1
        tally.report(
          "destructed a second time", missing: "pt_ctor", at: event, since: table.destructAt,
          absent: [.tableConstruct])
      } else if table.isConstructed {
        tally.exercised += 1
      } else if table.bornInTrace {
        tally.exercised += 1
        tally.report(
          "destructed without having been constructed", missing: "pt_ctor", at: event,
          since: table.allocAt, absent: [.tableConstruct])
      } else {
        tally.pending += 1
      }
    }
    for place in batch.places(of: .tableAlloc) {
      let event = batch[place]
      guard let table = event.table, table.owesDestructor, !table.kernelTable else { continue }
      tally.exercised += 1
      tally.report(
        "page became a new table, its destructor never ran", missing: "pt_dtor", at: event,
        since: table.constructAt, absent: [.tableDestruct])
    }
  }

  mutating func finish(_ state: Resolver, into tally: inout Tally) {
    for table in state.tables where table.owesDestructor {
      if table.kernelTable {
        tally.exempt(.e10)
      } else if quiescence.binds(table.constructAt) {
        tally.exercised += 1
        tally.reportLeft(
          "never destructed", missing: "pt_dtor", state: state, at: quiescence,
          since: table.constructAt, absent: [.tableDestruct], table: table)
      } else {
        tally.pending += 1
      }
    }
  }
}
