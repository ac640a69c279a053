import TraceFormat

/// A page fault: fills in missing tables from the top, then maps a page as a class L reader.
///
/// The caller holds mmap_lock. Two tasks that find the same entry empty both allocate; the later
/// one throws its table away (exception E1).
final class Fault: Operation {
  private enum State {
    case walk
    case install(Table, under: Table)
    case installLocked(Table, under: Table)
    case unlock(Table, unused: Table?)
    case discard(Table)
    case mapped(ReaderSection)
  }

  private let mm: AddressSpace
  private let address: UInt64
  private var state = State.walk
  private var spins = false
  private var preallocates: Bool
  /// Level down to which tables are filled in; pages are mapped at `pte` only.
  private let depth: TableLevel

  /// `preallocates` asks for the PTE table before the entry is looked at, as a file fault does.
  init(
    _ mm: AddressSpace, at address: UInt64, preallocates: Bool = false,
    downTo depth: TableLevel = .pte
  ) {
    self.mm = mm
    self.address = address
    self.preallocates = preallocates
    self.depth = depth
  }

  override func step(_ machine: Machine, _ task: KernelTask) -> Progress {
    switch state {
    case .walk: return walk(machine, task)
    case .install(let table, let upper): install(table, upper, machine, task)
    case .installLocked(let table, let upper):
      let wasFilled = fill(table, upper, machine)
      state = .unlock(upper, unused: wasFilled ? nil : table)
    case .unlock(let upper, let unused):
      if let lock = upper.lock {
        machine.release(lock, of: upper, section: 0)
        task.preemptCount -= 1
      }
      state = unused.map(State.discard) ?? .walk
    case .discard(let table):
      machine.discard(table)
      state = .walk
    case .mapped(let section):
      if case .finished = section.outcome {
        // The access that faulted is made again, now and then with an empty TLB.
        if task.mm === mm, machine.random.chance(1, in: 4) {
          machine.walk(machine.cpus[task.cpu], mm, to: address)
        }
        return .done
      }
      state = .walk
    }
    return .more
  }

  private func walk(_ machine: Machine, _ task: KernelTask) -> Progress {
    let lowest = mm.lowestTable(at: address)
    if lowest.hugePage(at: address) != nil || (depth == .pmd && lowest.level <= .pmd) {
      return .done
    }
    if lowest.level == .pte {
      if preallocates {
        preallocates = false
        state = .discard(allocate(.pte, machine))
        return .more
      }
      let section = ReaderSection(.lock, mm, at: address, .map)
      state = .mapped(section)
      task.call(section)
      return .more
    }
    let levels = mm.mode.levels
    let next = lowest.level == .pgd ? levels[0] : levels[levels.firstIndex(of: lowest.level)! + 1]
    spins = false
    state = .install(allocate(next, machine), under: lowest)
    return .more
  }

  private func allocate(_ level: TableLevel, _ machine: Machine) -> Table {
    let base = (address >> level.spanShift) << level.spanShift
    return machine.allocateTable(level, base: base, mm: mm.address)
  }

  /// A PTE table is installed under the PMD table's split lock, others under the mm's own lock.
  private func install(_ table: Table, _ upper: Table, _ machine: Machine, _ task: KernelTask) {
    guard table.level == .pte, let lock = upper.lock else {
      state = fill(table, upper, machine) ? .walk : .discard(table)
      return
    }
    guard machine.acquire(lock, of: upper, spins: &spins, section: 0) else { return }
    task.preemptCount += 1
    state = .installLocked(table, under: upper)
  }

  /// Installs the table if the entry is still empty.
  private func fill(_ table: Table, _ upper: Table, _ machine: Machine) -> Bool {
    guard upper.child(level: table.level, at: address) == nil,
      upper.hugePage(at: address) == nil
    else { return false }
    machine.addTableBytes(4096, table.level, mm)
    upper.install(table)
    machine.emit(
      .tableInstall, table.pfn, mm.address, upper.slot(of: table), level: table.level)
    return true
  }
}
