import TraceFormat

/// A fault that maps a huge page: the PTE table it may need one day is deposited with it.
///
/// The caller holds mmap_lock for read. If the entry is taken by then, the table goes back (E1).
final class HugeFault: Operation {
  private enum State {
    case walk
    case allocate
    case lock(Table)
    case map(Table)
    case unlock(unused: Table?)
  }

  private let mm: AddressSpace
  private let address: UInt64
  private var state = State.walk
  private var upper: Table?
  private var spins = false

  init(_ mm: AddressSpace, at address: UInt64) {
    self.mm = mm
    self.address = address
  }

  override func step(_ machine: Machine, _ task: KernelTask) -> Progress {
    switch state {
    case .walk:
      state = .allocate
      task.call(Fault(mm, at: address, downTo: .pmd))
    case .allocate:
      let base = (address >> 21) << 21
      upper = mm.pmdTable(at: address)
      state = .lock(machine.allocateTable(.pte, base: base, mm: mm.address))
    case .lock(let table):
      guard let upper else { preconditionFailure("no PMD table after the walk") }
      guard machine.takeSpinlock(of: upper, task, spins: &spins) else { return .more }
      state = .map(table)
    case .map(let table): map(table, machine)
    case .unlock(let unused):
      if let upper { machine.dropSpinlock(of: upper, task) }
      if let unused { machine.discard(unused) }
      return .done
    }
    return .more
  }

  private func map(_ table: Table, _ machine: Machine) {
    guard let upper else { preconditionFailure("no PMD table") }
    guard upper.child(level: .pte, at: address) == nil, upper.hugePage(at: address) == nil else {
      state = .unlock(unused: table)
      return
    }
    upper.mapHuge(machine.allocatePage(), at: address, depositing: table)
    machine.emit(.tableDeposit, table.pfn, mm.address, upper.slot(of: table), level: .pte)
    machine.addTableBytes(4096, .pte, mm)
    state = .unlock(unused: nil)
  }
}

/// `zap_huge_pmd()`: the huge page goes into the gather, the deposited table is freed at once (E4).
final class ZapHugePage: Operation {
  private let gather: MmuGather
  private let address: UInt64
  private var upper: Table?
  private var spins = false

  init(_ gather: MmuGather, at address: UInt64) {
    self.gather = gather
    self.address = address
  }

  override func step(_ machine: Machine, _ task: KernelTask) -> Progress {
    guard let upper else {
      upper = gather.mm.pmdTable(at: address)
      return upper == nil ? .done : .more
    }
    guard machine.takeSpinlock(of: upper, task, spins: &spins) else { return .more }
    if let page = upper.unmapHuge(at: address) {
      gather.noteUnmapped(from: page.deposited.base, to: page.deposited.end)
      gather.add(.data(pfn: page.pfn), machine)
      machine.withdraw(page.deposited, from: upper, gather.mm)
      machine.discard(page.deposited)
      machine.addTableBytes(-4096, .pte, gather.mm)
    }
    machine.dropSpinlock(of: upper, task)
    return .done
  }
}

/// `__split_huge_pmd()`: the deposited table is withdrawn, filled in and installed (E5).
///
/// The caller holds mmap_lock for read.
final class SplitHugePage: Operation {
  private let mm: AddressSpace
  private let address: UInt64
  private var upper: Table?
  private var spins = false

  init(_ mm: AddressSpace, at address: UInt64) {
    self.mm = mm
    self.address = address
  }

  override func step(_ machine: Machine, _ task: KernelTask) -> Progress {
    guard let upper else {
      upper = mm.pmdTable(at: address)
      return upper == nil ? .done : .more
    }
    guard machine.takeSpinlock(of: upper, task, spins: &spins) else { return .more }
    if let page = upper.unmapHuge(at: address) {
      machine.withdraw(page.deposited, from: upper, mm)
      page.deposited.map(page.pfn, at: address)
      machine.install(page.deposited, in: upper, mm)
    }
    machine.dropSpinlock(of: upper, task)
    return .done
  }
}

/// `collapse_huge_page()` of anonymous memory, under mmap_lock held for write: unlink, flush, drain
/// class G by an IPI; then deposit the table under the huge page, or put it back (E4, E5).
final class CollapseHugePage: Operation {
  private enum State {
    case begin
    case lockPMD
    case unlink
    case unlockPMD
    case drain
    case isolate
    case lockAgain
    case finish
    case end
  }

  private let mm: AddressSpace
  private let address: UInt64
  private var state = State.begin
  private var upper: Table?
  private var table: Table?
  private var spins = false

  init(_ mm: AddressSpace, at address: UInt64) {
    self.mm = mm
    self.address = address
  }

  override func step(_ machine: Machine, _ task: KernelTask) -> Progress {
    switch state {
    case .begin:
      guard mm.mmapLock.acquire(task, exclusive: true, on: machine) else { return .more }
      state = prepare() ? .lockPMD : .end
    case .lockPMD: lockPMD(then: .unlink, machine, task)
    case .unlink:
      guard let table else { preconditionFailure("nothing to collapse") }
      machine.unlink(table, mm)
      state = .unlockPMD
      task.call(FlushTLB(machine.wholeFlush(of: table, mm)))
    case .unlockPMD:
      if let upper { machine.dropSpinlock(of: upper, task) }
      state = .drain
    case .drain:
      state = .isolate
      task.call(SyncIPI())
    case .isolate:
      // The pages are looked at under the ptlock of a table that nobody can reach any more.
      guard let table else { preconditionFailure("nothing to collapse") }
      guard machine.takeSpinlock(of: table, task, spins: &spins) else { return .more }
      machine.dropSpinlock(of: table, task)
      state = .lockAgain
    case .lockAgain: lockPMD(then: .finish, machine, task)
    case .finish:
      finish(machine)
      if let upper { machine.dropSpinlock(of: upper, task) }
      state = .end
    case .end:
      mm.mmapLock.releaseWrite(on: machine)
      return .done
    }
    return .more
  }

  private func prepare() -> Bool {
    guard let found = mm.pteTable(at: address), let parent = found.parent, !found.leaves.isEmpty,
      let region = mm.region(at: address), region.start <= found.base, region.end >= found.end
    else { return false }
    table = found
    upper = parent
    return true
  }

  private func lockPMD(then next: State, _ machine: Machine, _ task: KernelTask) {
    guard let upper, machine.takeSpinlock(of: upper, task, spins: &spins) else { return }
    spins = false
    state = next
  }

  /// One collapse in four finds a page it cannot have and puts the table back.
  private func finish(_ machine: Machine) {
    guard let upper, let table else { preconditionFailure("nothing to collapse") }
    if machine.random.chance(1, in: 4) {
      machine.install(table, in: upper, mm)
      return
    }
    for page in table.unmapAll() { machine.pages.release(page) }
    upper.mapHuge(machine.allocatePage(), at: address, depositing: table)
    machine.emit(.tableDeposit, table.pfn, mm.address, upper.slot(of: table), level: .pte)
  }
}

/// `retract_page_tables()` after a file's pages became a huge page: the PTE table is unlinked under
/// both locks while readers may be inside, and freed by a callback of its own (E3).
///
/// mmap_lock held for read stands in for the i_mmap lock, which keeps the range mapped.
final class RetractTable: Operation {
  private enum State {
    case begin
    case lockPMD
    case lock
    case unlink
    case unlock
    case unlockPMD
    case submit
    case end
  }

  private let mm: AddressSpace
  private let address: UInt64
  private var state = State.begin
  private var upper: Table?
  private var table: Table?
  private var pages: [UInt64] = []
  private var spins = false
  private var spinsOnPMD = false

  init(_ mm: AddressSpace, at address: UInt64) {
    self.mm = mm
    self.address = address
  }

  override func step(_ machine: Machine, _ task: KernelTask) -> Progress {
    switch state {
    case .begin:
      guard mm.mmapLock.acquire(task, exclusive: false, on: machine) else { return .more }
      upper = mm.pteTable(at: address)?.parent
      let region = mm.region(at: address)
      let isWhole = region.map { $0.start <= address && $0.end >= address + 1 << 21 } ?? false
      state = upper == nil || !isWhole ? .end : .lockPMD
    case .lockPMD:
      guard let upper, machine.takeSpinlock(of: upper, task, spins: &spinsOnPMD) else {
        return .more
      }
      table = mm.pteTable(at: address)
      state = table == nil ? .unlockPMD : .lock
    case .lock:
      guard let table, machine.takeSpinlock(of: table, task, spins: &spins) else { return .more }
      state = .unlink
    case .unlink:
      guard let table else { preconditionFailure("nothing to retract") }
      pages = table.unmapAll()
      machine.unlink(table, mm)
      state = .unlock
      task.call(FlushTLB(machine.wholeFlush(of: table, mm)))
    case .unlock:
      if let table { machine.dropSpinlock(of: table, task) }
      state = .unlockPMD
    case .unlockPMD:
      if let upper { machine.dropSpinlock(of: upper, task) }
      state = table == nil ? .end : .submit
    case .submit: submit(machine)
    case .end:
      mm.mmapLock.releaseRead(on: machine)
      return .done
    }
    return .more
  }

  private func submit(_ machine: Machine) {
    guard let table else { preconditionFailure("nothing to retract") }
    for page in pages { machine.pages.release(page) }
    machine.addTableBytes(-4096, .pte, mm)
    machine.emit(.tableDefer, table.pfn, mm.address, level: .pte)
    machine.callRCU(head: PageAllocator.ptdescHead(table.pfn), payload: .deferred(table))
    state = .end
  }
}

extension Machine {
  /// Takes the split lock of a table for the task itself, outside any section.
  func takeSpinlock(of table: Table, _ task: KernelTask, spins: inout Bool) -> Bool {
    if let lock = table.lock {
      guard acquire(lock, of: table, spins: &spins, section: 0) else { return false }
    }
    task.preemptCount += 1
    return true
  }

  func dropSpinlock(of table: Table, _ task: KernelTask) {
    if let lock = table.lock { release(lock, of: table, section: 0) }
    task.preemptCount -= 1
  }

  func withdraw(_ table: Table, from upper: Table, _ mm: AddressSpace) {
    emit(.tableWithdraw, table.pfn, mm.address, upper.slot(of: table), level: .pte)
  }

  /// Makes an empty upper entry point at a table.
  func install(_ table: Table, in upper: Table, _ mm: AddressSpace) {
    upper.install(table)
    emit(.tableInstall, table.pfn, mm.address, upper.slot(of: table), level: table.level)
  }

  /// What a flush outside any gather invalidates: the whole mm, as after any freed table.
  func wholeFlush(of table: Table, _ mm: AddressSpace) -> MmuGather {
    let range = MmuGather(address: 0, mm: mm)
    range.noteFreedTable(table)
    return range
  }
}

extension AddressSpace {
  /// Addresses of the huge pages in a range.
  func hugePages(from start: UInt64, to end: UInt64) -> [UInt64] {
    pmdTables(from: start, to: end).flatMap { table in
      table.hugePages.map { table.base + UInt64($0.index) << 21 }.filter { $0 >= start && $0 < end }
    }
    .sorted()
  }
}
