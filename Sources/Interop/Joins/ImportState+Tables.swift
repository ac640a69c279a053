import TraceFormat

extension ImportState {
  /// Constructor, destructor, installation, locks, deferred free.
  mutating func takeTable(_ probe: Probe) throws {
    switch probe {
    case .construct: try constructed()
    case .destruct: try destructed()
    case .install: try installed()
    case .lockAlloc:
      guard let pfn = pfn(of: .ptdesc) else { return }
      try prove(pfn)
      tasks[task].lockTable = pfn
    case .lockFree:
      guard let address = event[.ptl], address != 0, let pfn = pfn(of: .ptdesc) else { return }
      guard !facts.ignoresLockProbe else { return cpus[cpu].freeingTable = pfn }
      try lockFreed(address, of: pfn)
      cpus[cpu].freedLock = address
    default:
      guard let pfn = pfn(of: .pgtable) else { return }
      try prove(pfn, level: .pte)
      try beginTearDown(pfn, isCertain: true)
      pages[pfn]?.isDeferred = true
      try emit(.tableDefer, pfn, event[.mm] ?? 0, level: .pte)
    }
  }

  /// The pfn of the struct page the line names under `key`.
  mutating func pfn(of key: FieldKey) -> UInt64? {
    guard let pointer = event[key], let pfn = facts.pageMap.pfn(pointer) else {
      badValues += 1
      hasUnread = true
      return nil
    }
    return pfn
  }

  /// The line shows that `pfn` is a table: writes its `pt_alloc` if its allocation was seen.
  mutating func prove(
    _ pfn: UInt64, level: TableLevel = .unknown, isInferred: Bool = false
  ) throws {
    var record = try page(pfn)
    if record.level == .unknown, level != .unknown { record.level = level }
    guard !record.isTable else {
      pages[pfn] = record
      return
    }
    record.isTable = true
    record.wasTable = false
    if let bracket = tasks[task].bracket, isTaskWork, record.allocTask == event.pid {
      if record.mm == 0 { record.mm = bracket.mm }
      if record.level == .unknown { record.level = bracket.level }
    }
    // A hole between allocation and proof may hide another life of the page.
    let isSameLife = record.allocEpoch == epoch || record.allocTask == event.pid
    if record.isAllocated, isSameLife {
      try write(
        Event(
          .tableAlloc, time: event.time, cpu: record.allocCPU, task: record.allocTask,
          context: record.allocContext, object: pfn, arg0: record.mm, arg1: UInt64(record.order),
          level: record.level,
          flags: isInferred || record.allocEpoch != epoch ? .inferred : []))
    }
    pages[pfn] = record
  }

  /// The line is about another statistic, or the other direction: without its filter a probe of
  /// the statistic shows every change of all of them.
  mutating func isOtherStatistic(_ probe: Probe) -> Bool {
    guard probe == .construct || probe == .destruct else { return false }
    guard let value = event[.val], event[.idx] ?? facts.nrPageTable == facts.nrPageTable else {
      return true
    }
    let change = Int64(bitPattern: value)
    return probe == .construct ? change <= 0 : change >= 0
  }

  private mutating func constructed() throws {
    guard let value = event[.val], let pfn = pfn(of: .folio) else { return }
    var level = TableLevel(rawValue: Symbol.constructorLevel(event[.ra] ?? 0)) ?? .unknown
    if isTaskWork {
      if let bracket = tasks[task].bracket {
        level = bracket.level
        tasks[task].bracket!.table = pfn
      } else if tasks[task].newMM != 0 {
        level = .pgd
        pages[pfn, default: PageRecord()].mm = tasks[task].newMM
      }
      tasks[task].newMM = 0
    }
    try prove(pfn, level: level)
    try settleLock(of: task, for: pfn)
    let record = try page(pfn)
    try emit(.tableConstruct, pfn, record.mm, value, level: record.level)
  }

  private mutating func destructed() throws {
    guard let value = event[.val], let pfn = pfn(of: .folio) else { return }
    try prove(pfn)
    try beginTearDown(pfn, isCertain: false)
    pages[pfn]?.isDestructed = true
    if isTaskWork, tasks[task].bracket?.table == pfn { tasks[task].bracket!.table = nil }
    let level = pages[pfn]?.level ?? .unknown
    try emit(.tableDestruct, pfn, 0, value, level: level)
    // free_pgd_range() hands every table to the gather. Where no probe shows that, it is inferred.
    guard facts.hasSilentGather, isTaskWork, tasks[task].isInFreeRange else { return }
    pages[pfn]?.isQueued = true
    try emit(
      .tableQueuePage, pfn, tasks[task].gather, tasks[task].gatherMM, level: level,
      flags: .inferred)
  }

  /// `pmd_install()`: certain only when the task's next line is known, for another task may have
  /// filled the entry first.
  private mutating func installed() throws {
    guard let pfn = pfn(of: .pte), let slot = event[.pmd] else { return }
    try prove(pfn, level: .pte)
    guard event[.old] ?? 0 == 0 else { return }
    var record = try page(pfn)
    record.level = .pte
    record.mm = event[.mm] ?? record.mm
    record.slot = slot
    record.isInstalled = true
    record.isUnlinked = false
    record.syncsAtInstall = syncs
    record.pendingInstaller = task + 1
    pages[pfn] = record
    tasks[task].install = Event(
      .tableInstall, time: event.time, cpu: event.cpu, task: event.pid, context: context,
      object: pfn, arg0: record.mm, arg1: slot, level: .pte)
  }

  /// Before the first sign of a table's end: writes the unlink nobody can see.
  ///
  /// `isCertain`: the table is being queued or deferred, so it was linked even if that was not
  /// seen. A PTE table that dies in a task, outside `free_pgd_range()` and any gather, after a
  /// sync IPI that came later than its installation, was deposited by a collapse (kernel-facts
  /// §5 E4).
  mutating func beginTearDown(_ pfn: UInt64, isCertain: Bool) throws {
    var record = try page(pfn)
    guard !record.isUnlinked, !record.isDestructed || record.isInstalled else { return }
    let inRange = isTaskWork && tasks[task].isInFreeRange
    guard record.isInstalled || isCertain || inRange else { return }
    guard isTaskWork || isCertain else {
      // Inside a callback: the unlink was long before, in a part of the trace that is missing.
      record.isInstalled = false
      record.isUnlinked = true
      pages[pfn] = record
      return
    }
    try emit(.tableUnlink, pfn, record.mm, record.slot, level: record.level, flags: .inferred)
    let wasInstalled = record.isInstalled
    record.isInstalled = false
    record.isUnlinked = true
    pages[pfn] = record
    guard wasInstalled, !isCertain, isTaskWork, !inRange, facts.hasFreeRange,
      record.level == .pte, !record.isQueued, !record.isDeferred,
      tasks[task].freeing == .unknown, syncs > record.syncsAtInstall
    else { return }
    try emit(.tableDeposit, pfn, record.mm, record.slot, level: .pte, flags: .inferred)
    try emit(.tableWithdraw, pfn, record.mm, record.slot, level: .pte, flags: .inferred)
  }

  /// Writes the allocation of the lock a task got last, if nothing said yet whose it is.
  mutating func settleLock(of index: Int, for pfn: UInt64) throws {
    guard let address = tasks[index].lockAddress else { return }
    tasks[index].lockAddress = nil
    pendingLocks[address] = nil
    try lockAllocated(address, for: pfn)
  }

  /// Writes the allocation of the lock at `address` before anything else happens to it.
  mutating func settleLock(_ address: UInt64) throws {
    if let index = pendingLocks[address] { try settleLock(of: index, for: 0) }
  }

  mutating func lockAllocated(_ address: UInt64, for pfn: UInt64) throws {
    if pfn != 0 { try prove(pfn) }
    locks[address] = LockRecord(table: pfn, epoch: epoch)
    try emit(.lockAlloc, address, pfn, level: pages[pfn]?.level ?? .unknown)
  }

  /// The table the lock at `address` belongs to, if the trace shows that for certain.
  mutating func owner(of address: UInt64) -> UInt64? {
    guard let lock = locks[address], !lock.isFreed, lock.epoch == epoch, lock.table != 0 else {
      return nil
    }
    return lock.table
  }

  mutating func lockFreed(_ address: UInt64, of pfn: UInt64?) throws {
    try settleLock(address)
    let known = locks[address]
    locks[address] = LockRecord(table: 0, epoch: epoch, isFreed: true)
    if let pfn, pfn != 0 {
      try prove(pfn)
      try beginTearDown(pfn, isCertain: false)
    }
    if known?.isFreed ?? true {
      let isTableNew = pfn.flatMap { pages[$0]?.isAllocated } ?? false
      // Recorded by call site, and not by this one: a filter, rather than a lock freed twice.
      let isFiltered = known?.epoch == epoch && !facts.namesLockAllocs
      if isTableNew || isFiltered { locksWithoutAlloc += 1 }
    }
    try emit(.lockFree, address, pfn ?? 0, level: pfn.flatMap { pages[$0]?.level } ?? .unknown)
  }

  /// Entry of `__pte_alloc()` … `__p4d_alloc()`.
  mutating func openBracket(_ probe: Probe) {
    let level: TableLevel =
      switch probe {
      case .pteAlloc: .pte
      case .pmdAlloc: .pmd
      case .pudAlloc: .pud
      default: .p4d
      }
    tasks[task].bracket = AllocBracket(
      level: level, mm: event[.mm] ?? 0, slot: event.first(.slot, .pmd) ?? 0)
  }

  /// Return of it: what was constructed inside and survived is installed now. (A PTE table is
  /// seen in `pmd_install()` itself.)
  mutating func closeBracket() throws {
    guard let bracket = tasks[task].bracket else { return }
    tasks[task].bracket = nil
    guard event[.ret] == 0, bracket.level != .pte else { return }
    let table: UInt64
    var isInferred = false
    if let constructed = bracket.table {
      table = constructed
    } else if bracket.candidates == 1, bracket.level >= .pud, let page = bracket.candidate,
      pages[page]?.isAllocated == true
    {
      // Levels that have no constructor in this kernel.
      table = page
      isInferred = true
    } else {
      return
    }
    if let entry = event[.installed], let found = facts.entryFormat?.pfn(entry), found != table {
      return
    }
    pages[table, default: PageRecord()].mm = bracket.mm
    try prove(table, level: bracket.level, isInferred: isInferred)
    guard var record = pages[table], !record.isDestructed else { return }
    record.slot = bracket.slot
    record.isInstalled = true
    record.isUnlinked = false
    record.syncsAtInstall = syncs
    pages[table] = record
    try emit(
      .tableInstall, table, bracket.mm, bracket.slot, level: record.level, flags: .inferred)
  }
}
