import TraceFormat

/// Takes one emptied PTE table away under nothing but mmap_lock held for read (trigger R of
/// kernel-facts §4.2): zap under the ptlock, clear the entry under ptlock and pmd lock, free.
final class ReclaimTable: Operation {
  private enum State {
    case enter
    case load
    case lock
    case pause
    case recheck
    case zap
    case lockPMD
    case unlink
    case unlockPMD
    case unlock
    case exit
    case free
  }

  private let gather: MmuGather
  private let address: UInt64
  private let round: RaceRound?
  private var state = State.enter
  private var table: Table?
  private var upper: Table?
  private var spins = false
  private var spinsOnPMD = false
  private var isUnlinked = false

  init(_ gather: MmuGather, at address: UInt64, round: RaceRound?) {
    self.gather = gather
    self.address = address
    self.round = round
  }

  override func step(_ machine: Machine, _ task: KernelTask) -> Progress {
    switch state {
    case .enter:
      task.preemptCount += 1
      machine.emit(
        .readerEnter, machine.section, UInt64(ReaderClass.nolock.rawValue), gather.mm.address)
      state = .load
    case .load, .lock, .pause, .recheck: approach(machine)
    case .zap, .lockPMD, .unlink, .unlockPMD, .unlock: takeAway(machine)
    case .exit:
      machine.emit(.readerExit, machine.section, UInt64(ReaderClass.nolock.rawValue))
      task.preemptCount -= 1
      state = .free
      if gather.mustFlush { task.call(FlushGather(gather)) }
    case .free:
      guard isUnlinked, let table else { return .done }
      return .become(FreeTable(reclaimed: table, gather))
    }
    return .more
  }

  /// Finds the table and takes its lock.
  private func approach(_ machine: Machine) {
    switch state {
    case .load:
      guard let found = gather.mm.pteTable(at: address), let parent = found.parent else {
        state = .exit
        return
      }
      table = found
      upper = parent
      machine.emit(
        .readerLoad, found.pfn, machine.section, parent.slot(of: found), level: .pte)
      state = .lock
    case .lock:
      if let table, let lock = table.lock {
        guard machine.acquire(lock, of: table, spins: &spins) else { return }
      }
      round?.reclaimerHoldsLock = true
      state = .pause
    case .pause:
      if round?.mayReclaimerProceed(splitLocks: machine.splitPtlock) ?? true { state = .recheck }
    default: state = gather.mm.pteTable(at: address) === table ? .zap : .unlock
    }
  }

  /// Empties the table and clears the entry that points at it.
  private func takeAway(_ machine: Machine) {
    guard let table, let upper else { preconditionFailure("nothing to take away") }
    switch state {
    case .zap:
      machine.emit(.readerAccess, table.pfn, machine.section, 1, level: .pte)
      machine.zap(table, from: table.base, to: table.end, gather)
      state = table.leaves.isEmpty ? .lockPMD : .unlock
    case .lockPMD:
      if let lock = upper.lock {
        guard machine.acquire(lock, of: upper, spins: &spinsOnPMD) else { return }
      }
      state = .unlink
    case .unlink:
      machine.unlink(table, gather.mm)
      isUnlinked = true
      round?.isUnlinked = true
      state = .unlockPMD
    case .unlockPMD:
      if let lock = upper.lock { machine.release(lock, of: upper) }
      state = .unlock
    default:
      if let lock = table.lock { machine.release(lock, of: table) }
      state = .exit
    }
  }
}

/// `madvise(MADV_DONTNEED)` of a range of whole PTE tables, which reclaims them.
final class Advise: Operation {
  private enum State {
    case lock
    case run
    case unlock
  }

  private let mm: AddressSpace
  private let start: UInt64
  private let end: UInt64
  private let round: RaceRound?
  private var state = State.lock

  init(_ mm: AddressSpace, from start: UInt64, to end: UInt64, round: RaceRound? = nil) {
    self.mm = mm
    self.start = start
    self.end = end
    self.round = round
  }

  override func step(_ machine: Machine, _ task: KernelTask) -> Progress {
    switch state {
    case .lock:
      if mm.mmapLock.acquire(task, exclusive: false, on: machine) { state = .run }
    case .run:
      machine.emit(.intentAdvise, mm.address, start, end - start)
      let gather = MmuGather(address: task.gatherAddress, mm: mm)
      var operations: [Operation] = [StartGather(gather)]
      for address in stride(from: start, to: end, by: 1 << 21) {
        operations.append(ReclaimTable(gather, at: address, round: round))
      }
      operations.append(FinishGather(gather))
      task.call(Steps(operations))
      state = .unlock
    case .unlock:
      mm.mmapLock.releaseRead(on: machine)
      round?.hasReturned = true
      return .done
    }
    return .more
  }
}
