import TraceFormat

/// I06: exactly one destructor per constructor.
///
/// A table that is freed without its destructor is ``DestructorBeforeFree``'s; here it counts only
/// once its page is a new table, or at quiesce, so that a late destructor is not called missing.
struct DestroyedOnce: Invariant {
  static let description = InvariantDescription(
    "I06", "one destructor per constructor", severity: .high,
    requires: [.tableConstruct, .tableDestruct],
    "Each constructed table is destructed exactly once: never twice, and never not at all.")

  private var quiesced: Event?

  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally) {
    for place in batch.places(of: .tableDestruct) {
      let event = batch[place]
      guard let table = event.table else { continue }
      if table.destructAt != .none {
        tally.exercised += 1
        tally.report(
          "destructed a second time", missing: "pt_ctor", at: event, since: table.destructAt,
          absent: [.tableAlloc, .tableConstruct])
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
      guard let table = event.table, table.isConstructed, table.destructAt == .none else {
        continue
      }
      tally.report(
        "page became a new table, its destructor never ran", missing: "pt_dtor", at: event,
        since: table.constructAt, absent: [.tableDestruct])
    }
    if let place = batch.places(of: .quiesce).last { quiesced = batch.events[Int(place)] }
  }

  mutating func finish(_ state: Resolver, into tally: inout Tally) {
    for table in state.tables where table.isConstructed && table.destructAt == .none {
      if let quiesced, !table.kernelTable {
        tally.reportLeft(
          "never destructed", missing: "pt_dtor", state: state, event: quiesced,
          since: table.constructAt, absent: [.tableDestruct], table: table)
      } else {
        tally.pending += 1
      }
    }
  }
}
