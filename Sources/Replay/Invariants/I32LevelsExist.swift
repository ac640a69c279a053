import TraceFormat

/// I32: only levels of the paging mode occur, and one entry at a time points at a table.
///
/// A shared hugetlb PMD table (E7, flag `shared`) has several entries. Folded levels (E9) have no
/// events at all.
struct LevelsExist: Invariant {
  static let description = InvariantDescription(
    "I32", "only existing levels, one entry each", severity: .medium,
    requires: [.tableAlloc], facts: [.levels], stages: "✓✓✓✓✓✓✓✓✓", exemptions: [.e6, .e7],
    statement: "Only levels that exist in the paging mode produce events, and at most one upper "
      + "entry at a time points at a table, unless it is a shared hugetlb PMD table.",
    rationale: "A folded level has no table of its own: an event of it shows a walk through "
      + "entries that are none. Two entries at one table free it twice.",
    example: "installed in a second entry")

  private var levels: LevelSet = []
  /// Kinds of which a level is told.
  private static let levelled: [EventKind] = [
    .tableAlloc, .tableInstall, .tableQueueBatch, .tableQueuePage, .tableFree,
  ]

  private static let causes = TableLevel.allCases.map {
    "\($0.name) table in a paging mode without that level"
  }

  mutating func begin(_ header: TraceHeader) {
    let names = Set(header.machine?.levels ?? [])
    levels = [.unknown]
    for level in TableLevel.allCases where names.contains(level.name) { levels.insert(level) }
  }

  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally) {
    for kind in Self.levelled {
      for place in batch.places(of: kind) {
        let level = batch.event(at: place).level
        if level != .unknown { tally.exercised += 1 }
        guard !levels.contains(level) else { continue }
        tally.report(
          Self.causes[Int(level.rawValue)], at: batch[place],
          since: batch.firstOrdinal + Ordinal(place))
      }
    }
    for place in batch.places(of: .tableInstall) { judge(install: place, batch, &tally) }
  }

  private func judge(install place: Int32, _ batch: ResolvedBatch, _ tally: inout Tally) {
    guard let table = batch.table(at: place), !table.isFreed else { return }
    let event = batch.event(at: place)
    if event.flags.contains(.shared) {
      tally.exempt(.e7)
    } else if table.installed {
      tally.report(
        "installed in a second entry", missing: "pt_unlink", at: batch[place],
        since: table.enteredAt, absent: [.tableUnlink])
    } else if table.slot != 0, table.slot != event.arg1 {
      tally.exempt(.e6)
    }
  }
}
