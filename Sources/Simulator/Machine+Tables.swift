import TraceFormat

/// One life of a table: allocate, construct, destruct, free (kernel-facts §1.4).
extension Machine {
  /// Takes a page for something that is no table.
  func allocatePage() -> UInt64 {
    let (pfn, reused) = pages.allocate()
    if reused { emit(.pageReuse, pfn) }
    return pfn
  }

  /// Takes a page for a batch, if there is one (GFP_NOWAIT).
  func allocateBatchPage() -> UInt64? {
    if batchFailurePermille > 0, random.chance(batchFailurePermille, in: 1000) { return nil }
    return allocatePage()
  }

  /// A constructed table that nothing points at yet.
  func allocateTable(_ level: TableLevel, base: UInt64, mm: UInt64) -> Table {
    let (pfn, _) = pages.allocate()
    liveTables += 1
    emit(.tableAlloc, pfn, mm, level: level)
    emit(.tableZero, pfn, level: level)
    // An embedded lock excludes others just as well; it has no life of its own to tell.
    var lock = level.hasSplitLock ? Lock(address: 0) : nil
    if splitPtlock, level.hasSplitLock {
      if locks.isExhausted { locks.grow(pageAddress: PageAllocator.linear(allocatePage())) }
      let fresh = locks.allocate()
      emit(.lockAlloc, fresh.address, pfn, level: level)
      lock = fresh
    }
    if stage.levelsWithConstructor.contains(level) {
      emit(.tableConstruct, pfn, mm, 1, level: level)
    }
    return Table(pfn: pfn, level: level, base: base, lock: lock)
  }

  /// The destructor: lock first, then type and statistics.
  func destruct(_ table: Table) {
    if splitPtlock, let lock = table.lock {
      emit(.lockFree, lock.address, table.pfn, level: table.level)
      locks.release(lock)
    }
    if stage.levelsWithConstructor.contains(table.level) {
      emit(.tableTypeClear, table.pfn, level: table.level)
      emit(.tableDestruct, table.pfn, 0, UInt64(bitPattern: -1), level: table.level)
    }
  }

  /// Gives the page of a destructed table back.
  func free(_ table: Table, by function: FreeFunction) {
    emit(.tableFree, table.pfn, UInt64(function.rawValue), level: table.level)
    pages.release(table.pfn, table: true)
    liveTables -= 1
  }

  /// What a callback, or the fallback, does with one queued table.
  func finalFree(_ table: Table) {
    if stage.destructor == .inFinalFree { destruct(table) }
    free(table, by: stage.freeFunction)
  }

  /// Frees a table that nobody can reach: never installed (exception E1), withdrawn (E4), the PGD
  /// (E8), or behind its own grace period (E3).
  func discard(_ table: Table) {
    destruct(table)
    free(table, by: .pagetableFree)
  }

  func addTableBytes(_ delta: Int, _ level: TableLevel, _ mm: AddressSpace) {
    guard level.countsInTableBytes else { return }
    mm.tableBytes += delta
    emit(.mmBytes, mm.address, UInt64(bitPattern: Int64(delta)), level: level)
  }

  /// A new address space with its PGD.
  func createAddressSpace() -> AddressSpace {
    let address = mmAddresses.allocate()
    emit(.mmNew, address)
    let root = allocateTable(.pgd, base: 0, mm: address)
    return AddressSpace(address: address, mode: mode, root: root)
  }

  /// `__mmdrop()`: the PGD goes, without any gather.
  func drop(_ mm: AddressSpace) {
    precondition(mm.tableBytes == 0 && mm.mmapLock.isIdle)
    discard(mm.root)
    emit(.mmFree, mm.address)
    mmAddresses.release(mm.address)
  }
}
