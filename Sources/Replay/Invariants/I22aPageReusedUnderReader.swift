import TraceFormat

/// I22a: the page of a table is not allocated again while a section that loaded it is open.
struct PageReusedUnderReader: Invariant {
  static let description = InvariantDescription(
    "I22a", "no page reuse under a reader", severity: .critical,
    requires: [.readerEnter, .readerExit, .readerLoad, .tableAlloc],
    stages: "UUBUBBUB✓",
    statement: "A table's page is not allocated again while a reader section that loaded "
      + "the table is open.",
    rationale: "The reader would walk somebody else's memory.",
    example: "page allocated again under a reader that loaded the table")

  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally) {
    // An instance is a table in the hands of a section.
    for place in batch.places(of: .readerLoad) where batch.resolutions[Int(place)].isHeldLoad {
      tally.exercised += 1
    }
    for kind in [EventKind.tableAlloc, .pageReuse] {
      for place in batch.places(of: kind) {
        guard let table = batch.table(at: place), table.isFreed, table.openLoads > 0 else {
          continue
        }
        tally.report(
          "page allocated again under a reader that loaded the table", missing: "rd_exit",
          at: batch[place], since: table.loadedSince, absent: [.readerExit])
      }
    }
  }
}
