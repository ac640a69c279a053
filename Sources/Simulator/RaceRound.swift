/// One directed meeting of a reader and a reclaimer on one table.
///
/// The two wait for each other at fixed places, whatever the stage: whether something bad
/// happens there is up to the stage alone. Every wait is bounded, so that a round in which the
/// other side cannot move (it waits for this one's interrupts, say) ends as well.
final class RaceRound {
  enum Scenario: CaseIterable {
    /// M reads the table's content after madvise has returned.
    case content
    /// M stays inside until the reclaimer has faulted in another table.
    case contentReallocated
    /// N takes the remembered lock after madvise has returned.
    case staleLock
    /// N takes it when it may belong to another table.
    case strangersLock
    /// L spins on the lock while the reclaimer clears the entry under it.
    case spinning
    /// G walks with IRQs off while the entry is cleared.
    case pin
  }

  /// Where the reader waits.
  enum ReaderPoint {
    /// It has loaded the entry and touched nothing yet.
    case inside
    /// It has taken the lock.
    case locked
  }

  let scenario: Scenario
  let address: UInt64
  var readerHasLoaded = false
  var readerSpins = false
  var readerIsDone = false
  var reclaimerHoldsLock = false
  var isUnlinked = false
  var hasReturned = false
  var isReallocated = false
  private var patience = 20_000

  init(_ scenario: Scenario, at address: UInt64) {
    self.scenario = scenario
    self.address = address
  }

  func mayReaderProceed(from point: ReaderPoint) -> Bool {
    switch (scenario, point) {
    case (.content, .inside), (.staleLock, .inside), (.spinning, .locked): ask(hasReturned)
    case (.contentReallocated, .inside), (.strangersLock, .inside): ask(isReallocated)
    case (.spinning, .inside): ask(reclaimerHoldsLock)
    case (.pin, .inside): ask(isUnlinked)
    default: true
    }
  }

  /// Whether madvise may begin.
  func mayReclaimerStart() -> Bool { scenario == .spinning || ask(readerHasLoaded) }

  /// Whether the reclaimer, holding the lock, may clear the entry.
  func mayReclaimerProceed() -> Bool { scenario != .spinning || ask(readerSpins) }

  func mayReclaimerLeave() -> Bool { ask(readerIsDone) }

  private func ask(_ condition: Bool) -> Bool {
    if condition { return true }
    patience -= 1
    return patience < 0
  }
}
