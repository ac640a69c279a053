import TraceFormat

/// I02: exactly one constructor before the first install, at levels that have a constructor.
///
/// Which upper levels have one depends on the version (kernel-facts §1.4); a level of which no
/// table was ever constructed in this trace is taken to have none.
struct ConstructedOnce: Invariant {
  static let description = InvariantDescription(
    "I02", "constructed exactly once before install", severity: .high,
    requires: [.tableAlloc, .tableConstruct, .tableInstall],
    stages: "✓✓✓✓✓✓✓✓✓", exemptions: [.e10, .level],
    statement: "Exactly one constructor runs before a table is first installed, at "
      + "levels that have one.",
    rationale: "An unconstructed table has no lock and no accounting. Which upper levels "
      + "have a constructor depends on the version and is learnt from the trace.",
    example: "installed without having been constructed")

  /// Levels of which a table was constructed.
  private var constructedLevels: LevelSet = [.pte]

  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally) {
    // In the order of the trace: which levels have a constructor is learnt on the way.
    var installs = batch.places(of: .tableInstall)[...]
    for place in batch.places(of: .tableConstruct) {
      while let install = installs.first, install < place {
        judge(install: batch[install], &tally)
        installs.removeFirst()
      }
      judge(constructor: batch[place], &tally)
    }
    for place in installs { judge(install: batch[place], &tally) }
  }

  private mutating func judge(constructor event: ResolvedEvent, _ tally: inout Tally) {
    if event.event.level != .unknown { constructedLevels.insert(event.event.level) }
    // Twice in a life is once too often; only what has been in use and was destructed is I06's.
    guard let table = event.table, table.isConstructed, !table.isFreed,
      table.owesDestructor || table.installAt == .none
    else { return }
    tally.exercised += 1
    tally.report(
      "constructed a second time", missing: "pt_dtor, pt_free, pt_alloc", at: event,
      since: table.constructAt, absent: [.tableAlloc])
  }

  private mutating func judge(install event: ResolvedEvent, _ tally: inout Tally) {
    guard let table = event.table, table.installAt == .none else { return }
    guard table.bornInTrace else {
      tally.pending += 1
      return
    }
    let level = event.event.level != .unknown ? event.event.level : table.level
    if table.isConstructed {
      tally.exercised += 1
      // Live constructors do not know their level; the install does.
      if level != .unknown { constructedLevels.insert(level) }
    } else if table.kernelTable || event.event.flags.contains(.kernelTable) {
      tally.exempt(.e10)
    } else if !constructedLevels.contains(level) {
      tally.exempt(.level)
    } else if !event.event.flags.contains(.inferred) {
      tally.exercised += 1
      tally.report(
        "installed without having been constructed", missing: "pt_ctor", at: event,
        since: table.allocAt, absent: [.tableConstruct])
    }
  }
}
