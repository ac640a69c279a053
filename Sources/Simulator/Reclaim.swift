import TraceFormat

/// Takes one emptied PTE table away under nothing but mmap_lock held for read (trigger R of
/// kernel-facts §4.2): zap under the ptlock; if the pmd lock can be had at once, clear the entry
/// under both, else start over with ``ReclaimLater``.
final class ReclaimTable: Operation {
  private enum State {
    case enter
    case load
    case lock
    case pause
    case recheck
    case zap
    case tryPMD
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
  private var isUnlinked = false
  private var mustRetry = false

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
    case .zap, .tryPMD, .unlink, .unlockPMD, .unlock: takeAway(machine)
    case .exit:
      machine.emit(.readerExit, machine.section, UInt64(ReaderClass.nolock.rawValue))
      task.preemptCount -= 1
      state = .free
      if gather.mustFlush { task.call(FlushGather(gather)) }
    case .free:
      if mustRetry { return .become(ReclaimLater(gather, at: address, round: round)) }
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
      if round?.mayReclaimerProceed() ?? true { state = .recheck }
    default:
      guard let table else { preconditionFailure("nothing to compare") }
      let isCurrent = gather.mm.pteTable(at: address) === table
      machine.emit(
        .readerRecheck, table.pfn, machine.section, isCurrent ? 1 : 0, level: .pte)
      state = isCurrent ? .zap : .unlock
    }
  }

  /// Empties the table and clears the entry that points at it.
  private func takeAway(_ machine: Machine) {
    guard let table, let upper else { preconditionFailure("nothing to take away") }
    switch state {
    case .zap:
      machine.emit(.readerAccess, table.pfn, machine.section, 1, level: .pte)
      machine.zap(table, from: table.base, to: table.end, gather)
      state = table.leaves.isEmpty ? .tryPMD : .unlock
    case .tryPMD:
      // The other order is pmd lock first: waiting here could last for ever.
      guard upper.lock.map({ machine.tryAcquire($0, of: upper) }) ?? true else {
        mustRetry = true
        state = .unlock
        return
      }
      state = .unlink
    case .unlink:
      machine.reclaim(table, under: upper, gather.mm)
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

/// `try_to_free_pte()`: the pmd lock first, then the ptlock, and every entry looked at again.
final class ReclaimLater: Operation {
  private enum State {
    case lockPMD
    case enter
    case load
    case lock
    case check
    case unlink
    case unlock
    case exit
    case unlockPMD
    case free
  }

  private let gather: MmuGather
  private let address: UInt64
  private let round: RaceRound?
  private var state = State.lockPMD
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
    case .lockPMD: return lockPMD(machine, task)
    case .enter:
      task.preemptCount += 1
      machine.emit(
        .readerEnter, machine.section, UInt64(ReaderClass.nolock.rawValue), gather.mm.address)
      state = .load
    case .load, .lock, .check, .unlink, .unlock: takeAway(machine)
    case .exit:
      machine.emit(.readerExit, machine.section, UInt64(ReaderClass.nolock.rawValue))
      task.preemptCount -= 1
      state = .unlockPMD
    case .unlockPMD:
      if let upper, let lock = upper.lock { machine.release(lock, of: upper, section: 0) }
      task.preemptCount -= 1
      state = .free
    case .free:
      guard isUnlinked, let table else { return .done }
      return .become(FreeTable(reclaimed: table, gather))
    }
    return .more
  }

  private func lockPMD(_ machine: Machine, _ task: KernelTask) -> Progress {
    // Once waited for, the table may be gone; the upper one stays as long as mmap_lock is held.
    guard let upper = gather.mm.pteTable(at: address)?.parent ?? upper else { return .done }
    self.upper = upper
    if let lock = upper.lock {
      guard machine.acquire(lock, of: upper, spins: &spinsOnPMD, section: 0) else { return .more }
    }
    task.preemptCount += 1
    state = .enter
    return .more
  }

  private func takeAway(_ machine: Machine) {
    switch state {
    case .load:
      guard let found = gather.mm.pteTable(at: address), found.parent === upper, let upper else {
        state = .exit
        return
      }
      table = found
      machine.emit(
        .readerLoad, found.pfn, machine.section, upper.slot(of: found), level: .pte)
      state = .lock
    case .lock:
      if let table, let lock = table.lock {
        guard machine.acquire(lock, of: table, spins: &spins) else { return }
      }
      state = .check
    case .check:
      guard let table else { preconditionFailure("nothing to look at") }
      machine.emit(.readerAccess, table.pfn, machine.section, 0, level: .pte)
      state = table.leaves.isEmpty ? .unlink : .unlock
    case .unlink:
      guard let table, let upper else { preconditionFailure("nothing to take away") }
      machine.reclaim(table, under: upper, gather.mm)
      isUnlinked = true
      round?.isUnlinked = true
      state = .unlock
    default:
      if let table, let lock = table.lock { machine.release(lock, of: table) }
      state = .exit
    }
  }
}

extension Machine {
  /// Clears the entry of an empty table; both locks are held.
  func reclaim(_ table: Table, under upper: Table, _ mm: AddressSpace) {
    if stage.ptReclaim {
      emit(
        .tableReclaim, table.pfn, splitPtlock ? upper.lock?.address ?? 0 : 0,
        UInt64(table.leaves.count), level: table.level)
    }
    unlink(table, mm)
  }

  /// Takes a split lock if nobody holds it.
  func tryAcquire(_ lock: Lock, of table: Table) -> Bool {
    guard !lock.isHeld else { return false }
    var spins = true
    return acquire(lock, of: table, spins: &spins)
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
