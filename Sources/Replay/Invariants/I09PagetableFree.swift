import TraceFormat

/// I09: a table's page is given back by `pagetable_free()`, not by a function for data pages.
///
/// `__folio_put()` says only that the last reference was dropped: by a page function of a kernel
/// without swap, or by somebody who held the page (E15). It decides nothing.
struct PagetableFree: Invariant {
  static let description = InvariantDescription(
    "I09", "freed by pagetable_free", severity: .low, requires: [.tableFree],
    facts: [.freeFunction],
    stages: "✗✗✗✗✗✓✗✓✓", exemptions: [.e15],
    statement: "A table's page is given back by pagetable_free(), not by a page or swap-cache "
      + "function.",
    rationale: "The page functions drain the LRU and look into the swap cache for nothing, and "
      + "know nothing of what a table may still have to undo. A property of the stage. Decided "
      + "only where the source names the function; __folio_put() may be anybody's.",
    example: "freed by free_page_and_swap_cache()")

  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally) {
    for place in batch.places(of: .tableFree) {
      let raw = UInt8(truncatingIfNeeded: batch.event(at: place).arg0)
      guard let function = FreeFunction(rawValue: raw), function != .unknown,
        batch.table(at: place)?.isFreed != true
      else { continue }
      switch function {
      case .pagetableFree, .unknown: tally.exercised += 1
      case .folioPut: tally.exempt(.e15)
      case .freePageAndSwapCache, .freePagesAndSwapCache:
        tally.exercised += 1
        let event = batch[place]
        tally.report("freed by \(function.name)()", at: event, since: event.ordinal)
      }
    }
  }
}
