import TraceFormat

/// I23: who takes a table's lock, or a page through it, compares the entries again before it
/// relies on them.
///
/// `pte_offset_map_lock()` and the `_rw_nolock` form compare the pmd entry after they have the
/// lock; fast GUP compares the pmd and the pte entry after it has grabbed the page. Readers that
/// only look need not. (Before v6.5 the lock form did not compare; its callers held mmap_lock.)
struct EntryRechecked: Invariant {
  static let description = InvariantDescription(
    "I23", "entries compared again before use", severity: .high,
    requires: [.readerEnter, .readerLoad, .readerAccess, .readerRecheck],
    stages: "✓✓✓✓✓✓✓✓✓",
    statement: "A reader that may write compares the upper entry again after it has taken the "
      + "table's lock and before it writes; fast GUP compares the entries again after it has "
      + "grabbed a page and before its walk ends.",
    rationale: "The table may have been unlinked between the walk and the lock: a write then "
      + "goes into a dead table, and a grabbed page may have been somebody else's by then. A "
      + "reader whose entry or load lies before the recording is not judged.",
    example: "wrote to a table without comparing its entry again")

  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally) {
    for place in batch.places(of: .readerAccess) where batch.event(at: place).arg1 != 0 {
      judge(write: batch[place], batch.section(at: place), &tally)
    }
    tally.exercised += batch.places(of: .readerPin).count
    for place in batch.places(of: .readerExit) {
      guard let section = batch.section(at: place), section.unverifiedPinAt != .none else {
        continue
      }
      tally.report(
        "kept a page without comparing the entries again", missing: "rd_recheck",
        at: batch[place], since: section.unverifiedPinAt, absent: [.readerRecheck])
    }
  }

  private func judge(
    write event: ResolvedEvent, _ section: SectionView?, _ tally: inout Tally
  ) {
    guard let section, section.loadedAt != .none else {
      tally.pending += 1
      return
    }
    tally.exercised += 1
    // Where locks are no objects of their own, nobody sees them taken.
    let since = max(section.loadedAt, section.lockedAt)
    if section.recheckedAt < since {
      tally.report(
        "wrote to a table without comparing its entry again", missing: "rd_recheck", at: event,
        since: since, absent: [.readerRecheck])
    } else if !section.isUnchanged {
      tally.report(
        "wrote to a table whose entry had changed", missing: "rd_load", at: event,
        since: section.recheckedAt, absent: [.readerRecheck, .readerLoad])
    }
  }
}
