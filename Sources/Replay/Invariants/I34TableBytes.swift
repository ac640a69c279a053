import TraceFormat

/// I34: `mm->pgtables_bytes` follows the tables of the mm: one page up when a PTE, PMD or PUD
/// table is installed, one down when it is unlinked, nothing left when the mm is freed.
///
/// The destructor does not touch it (kernel-facts §1.4): a change inside an RCU callback comes
/// when the mm may be gone (E12).
struct TableBytes: Invariant {
  static let description = InvariantDescription(
    "I34", "pgtables_bytes balances", severity: .medium,
    requires: [.mmNew, .mmFree, .mmBytes], stages: "✓✓✓✓✓✓✓✓✓",
    statement: "mm->pgtables_bytes changes by one page at a time, for PTE, PMD and PUD tables, in "
      + "the task that installs, deposits or unlinks them; it is never negative, and 0 when the "
      + "mm is freed.",
    rationale: "The kernel itself prints \"non-zero pgtables_bytes on freeing mm\". It is not "
      + "NR_PAGETABLE, which stays raised until the grace period is over.",
    example: "mm freed with pgtables_bytes not 0")

  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally) {
    for place in batch.places(of: .mmBytes) { judge(change: place, batch, &tally) }
    for place in batch.places(of: .mmFree) {
      guard let space = batch.space(at: place), space.bornInTrace, space.freeAt == .none else {
        tally.pending += 1
        continue
      }
      tally.exercised += 1
      guard space.tableBytes != 0 else { continue }
      tally.report(
        "mm freed with pgtables_bytes not 0", missing: "mm_bytes", at: batch[place],
        since: space.firstAt, absent: [.mmBytes])
    }
  }

  private func judge(change place: Int32, _ batch: ResolvedBatch, _ tally: inout Tally) {
    let event = batch.event(at: place)
    let delta = Int64(bitPattern: event.arg0)
    let here = batch.firstOrdinal + Ordinal(place)
    if delta.magnitude != 4096 {
      tally.report("pgtables_bytes changed by other than a page", at: batch[place], since: here)
    }
    if event.level == .p4d || event.level == .pgd {
      tally.report(
        "pgtables_bytes changed for a level that does not count", at: batch[place], since: here)
    }
    if event.context == .softirq || event.context == .hardirq {
      tally.report("pgtables_bytes changed outside the task", at: batch[place], since: here)
    }
    guard let space = batch.space(at: place) else { return }
    if space.freeAt != .none {
      tally.report(
        "pgtables_bytes changed after the mm was freed", missing: "mm_new", at: batch[place],
        since: space.freeAt, absent: [.mmNew])
    } else if space.bornInTrace, space.tableBytes &+ delta < 0, delta < 0 {
      tally.report(
        "pgtables_bytes became negative", missing: "mm_bytes", at: batch[place],
        since: space.firstAt, absent: [.mmBytes])
    }
  }

  mutating func finish(_ state: Resolver, into tally: inout Tally) {
    for space in state.spaces where space.bornInTrace && space.freeAt == .none {
      tally.pending += 1
    }
  }
}
