import TraceFormat

/// A walk by `pte_offset_map()` (class M), `…_lock()` (L) or `…_nolock()` (N): one RCU section
/// over one PTE table (kernel-facts §4.1).
///
/// The caller keeps the range mapped (mmap_lock), or, under reclaim, knows that it may vanish.
final class ReaderSection: Operation {
  /// What the reader does with the content.
  enum Purpose {
    case look
    /// Maps a page at the address, if there is none.
    case map
    /// Takes the mapped pages of a range into a gather, until the gather is full.
    case zap(from: UInt64, to: UInt64, MmuGather)
  }

  enum Outcome {
    case pending
    /// The entry points at no table.
    case absent
    /// The entry changed before the lock was taken.
    case changed
    case finished
  }

  private enum State {
    case enter
    case load
    case pauseInside
    case lock
    case recheck
    case pauseLocked
    case access
    case unlock
    case exit
  }

  private(set) var outcome = Outcome.pending
  private let mm: AddressSpace
  private let address: UInt64
  private let readerClass: ReaderClass
  private let purpose: Purpose
  private let round: RaceRound?
  private var state = State.enter
  private var table: Table?
  private var spins = false

  init(
    _ readerClass: ReaderClass, _ mm: AddressSpace, at address: UInt64, _ purpose: Purpose = .look,
    round: RaceRound? = nil
  ) {
    self.readerClass = readerClass
    self.mm = mm
    self.address = address
    self.purpose = purpose
    self.round = round
  }

  override func step(_ machine: Machine, _ task: KernelTask) -> Progress {
    switch state {
    case .enter:
      task.preemptCount += 1
      machine.emit(
        .readerEnter, machine.section, UInt64(readerClass.rawValue), mm.address)
      state = .load
    case .load: load(machine)
    case .pauseInside:
      if round?.mayReaderProceed(from: .inside) ?? true {
        state = readerClass == .map ? .access : .lock
      }
    case .lock: lock(machine)
    case .recheck:
      let isCurrent = mm.pteTable(at: address) === table
      outcome = isCurrent ? .finished : .changed
      if let table {
        machine.emit(
          .readerRecheck, table.pfn, machine.section, isCurrent ? 1 : 0, level: .pte)
      }
      state = .pauseLocked
    case .pauseLocked:
      if round?.mayReaderProceed(from: .locked) ?? true {
        state = outcome == .changed ? .unlock : .access
      }
    case .access: access(machine)
    case .unlock:
      unlock(machine)
      state = .exit
    case .exit:
      machine.emit(.readerExit, machine.section, UInt64(readerClass.rawValue))
      task.preemptCount -= 1
      round?.readerIsDone = true
      return .done
    }
    return .more
  }

  private func load(_ machine: Machine) {
    guard let table = mm.pteTable(at: address), let parent = table.parent else {
      outcome = .absent
      state = .exit
      return
    }
    self.table = table
    machine.emit(
      .readerLoad, table.pfn, machine.section, parent.slot(of: table), level: .pte)
    round?.readerHasLoaded = true
    state = .pauseInside
  }

  private func lock(_ machine: Machine) {
    if let table, let lock = table.lock {
      guard machine.acquire(lock, of: table, spins: &spins) else {
        round?.readerSpins = true
        return
      }
    }
    state = .recheck
  }

  private func access(_ machine: Machine) {
    guard let table else { preconditionFailure("access without a table") }
    let isWrite = if case .look = purpose { false } else { true }
    machine.emit(
      .readerAccess, table.pfn, machine.section, isWrite ? 1 : 0, level: .pte)
    outcome = .finished
    switch purpose {
    case .look: break
    case .map:
      if !table.hasLeaf(at: address) { table.map(machine.allocatePage(), at: address) }
    case .zap(let start, let end, let gather): machine.zap(table, from: start, to: end, gather)
    }
    state = readerClass == .map ? .exit : .unlock
  }

  private func unlock(_ machine: Machine) {
    guard let table, let lock = table.lock else { return }
    machine.release(lock, of: table)
  }
}

extension Machine {
  /// Number of the section that is open on the current CPU: a CPU has one at a time, and a
  /// number lives again with each `rd_enter`.
  var section: UInt64 { UInt64(actor.cpu) + 1 }

  /// Tries to take a split lock for the open section; says once that it has to spin.
  func acquire(
    _ lock: Lock, of table: Table, spins: inout Bool, section: UInt64? = nil
  ) -> Bool {
    let section = section ?? self.section
    guard !lock.isHeld else {
      if !spins, splitPtlock {
        emit(.lockWait, lock.address, section, table.pfn, level: table.level)
      }
      spins = true
      return false
    }
    lock.isHeld = true
    guard splitPtlock else { return true }
    emit(.lockAcquire, lock.address, section, table.pfn, level: table.level)
    return true
  }

  /// Releases a split lock, whoever it belongs to by now.
  func release(_ lock: Lock, of table: Table, section: UInt64? = nil) {
    lock.isHeld = false
    guard splitPtlock else { return }
    emit(.lockRelease, lock.address, section ?? self.section, table.pfn, level: table.level)
  }

  /// Moves mapped pages of a range into the gather, until there are none or it is full.
  func zap(_ table: Table, from start: UInt64, to end: UInt64, _ gather: MmuGather) {
    while !gather.mustFlush, let pfn = table.unmapOne(from: start, to: end) {
      gather.noteUnmapped(from: max(start, table.base), to: min(end, table.end))
      gather.add(.data(pfn: pfn), self)
    }
  }
}
