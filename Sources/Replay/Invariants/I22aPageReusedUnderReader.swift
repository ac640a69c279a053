import TraceFormat

/// I22a: the page of a table is not allocated again while a section that loaded it is open.
struct PageReusedUnderReader: Invariant {
  static let description = InvariantDescription(
    "I22a", "no page reuse under a reader", severity: .critical,
    requires: [.readerEnter, .readerExit, .readerLoad, .tableAlloc],
    "A table's page is not allocated again while a reader section that loaded the table is open.")

  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally) {
    for kind in [EventKind.tableAlloc, .pageReuse] {
      for place in batch.places(of: kind) {
        // Only a page that was a table in this trace is an instance.
        guard let table = batch.table(at: place), table.isFreed else { continue }
        tally.exercised += 1
        guard table.openLoads > 0 else { continue }
        tally.report(
          "page allocated again under a reader that loaded the table", missing: "rd_exit",
          at: batch[place], since: table.loadedSince, absent: [.readerExit])
      }
    }
  }
}
