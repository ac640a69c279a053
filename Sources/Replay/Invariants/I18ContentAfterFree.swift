import TraceFormat

/// I18: no software access to a table's content after its page is freed.
struct ContentAfterFree: Invariant {
  static let description = InvariantDescription(
    "I18", "no access after free", severity: .critical,
    requires: [.readerAccess, .tableFree],
    stages: "UUBUBBUB✓",
    statement: "No software walker reads or writes a table's content after its page is "
      + "freed.",
    rationale: "Use after free, also when the page is another table by then.",
    example: "a reader touched a freed table")

  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally) {
    for place in batch.places(of: .readerAccess) {
      let event = batch[place]
      guard let table = event.table else {
        tally.pending += 1
        continue
      }
      tally.exercised += 1
      if event.resolution.tableIsForeign {
        tally.report(
          "a reader touched a table whose page is another table now", missing: "rd_exit",
          at: event, since: event.resolution.loadedAt,
          absent: [.readerLoad, .readerEnter, .readerExit])
      } else if table.isFreed {
        tally.report(
          "a reader touched a freed table", missing: "rd_exit", at: event, since: table.freeAt,
          absent: [.tableAlloc])
      }
    }
  }
}
