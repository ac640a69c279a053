import TraceFormat

/// `pin_user_pages_fast()`: a walk from the PGD down with IRQs off (class G).
///
/// Takes no lock; after grabbing the page it compares the entries and, if one changed, gives up.
final class GupFast: Operation {
  private enum State {
    case enter
    case load
    case touch
    case grab
    case recheck
    case exit
  }

  /// Whether the page was pinned.
  private(set) var succeeded = false
  private let mm: AddressSpace
  private let address: UInt64
  private let round: RaceRound?
  private var state = State.enter
  private var table: Table
  private var depth = 0

  init(_ mm: AddressSpace, at address: UInt64, round: RaceRound? = nil) {
    self.mm = mm
    self.address = address
    self.round = round
    table = mm.root
  }

  override func step(_ machine: Machine, _ task: KernelTask) -> Progress {
    switch state {
    case .enter:
      task.irqsOff = true
      task.preemptCount += 1
      machine.emit(
        .readerEnter, machine.section, UInt64(ReaderClass.gupFast.rawValue), mm.address)
      state = .load
    case .load:
      let level = mm.mode.levels[depth]
      guard let child = table.child(level: level, at: address) else {
        state = .exit
        return .more
      }
      machine.emit(
        .readerLoad, child.pfn, machine.section, table.slot(of: child), level: level)
      table = child
      depth += 1
      state = .touch
    case .touch:
      if table.level == .pte, let round {
        round.readerHasLoaded = true
        guard round.mayReaderProceed(from: .inside) else { return .more }
      }
      machine.emit(.readerAccess, table.pfn, machine.section, 0, level: table.level)
      state = table.level == .pte ? .grab : .load
    case .grab:
      guard table.hasLeaf(at: address) else {
        state = .exit
        return .more
      }
      machine.emit(.readerPin, table.pfn, machine.section, level: .pte)
      state = .recheck
    case .recheck:
      succeeded = table.hasLeaf(at: address) && mm.pteTable(at: address) === table
      machine.emit(
        .readerRecheck, table.pfn, machine.section, succeeded ? 1 : 0, level: .pte)
      state = .exit
    case .exit:
      machine.emit(
        .readerExit, machine.section, UInt64(ReaderClass.gupFast.rawValue))
      task.preemptCount -= 1
      task.irqsOff = false
      round?.readerIsDone = true
      return .done
    }
    return .more
  }
}
