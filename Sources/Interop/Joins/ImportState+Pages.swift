import TraceFormat

extension ImportState {
  /// The page allocator, the slabs, and the calls that drop a table's page.
  mutating func takePage(_ probe: Probe) throws {
    switch probe {
    case .pageAlloc: try pageAllocated()
    case .pageFree: try pageFreed()
    case .slabAlloc: try slabAllocated()
    case .slabFree: try slabFreed()
    default: try pagePut()
    }
  }

  private mutating func pageAllocated() throws {
    // A failed allocation has neither page nor pfn.
    guard let pfn = event[.pfn], event[.page] ?? pfn != 0, facts.joinsPages else { return }
    let order = min(event[.order] ?? 0, 20)
    var record = try page(pfn)
    // A table that leaves the allocator again was freed where nobody saw it.
    let wasTable = record.isTable || record.wasTable
    record = PageRecord()
    record.wasTable = wasTable
    record.isAllocated = true
    record.allocTask = event.pid
    record.allocCPU = event.cpu
    record.allocContext = context
    record.order = UInt8(order)
    record.allocEpoch = epoch
    // Tables are unmovable, zeroed, and allocated by code that may sleep.
    let mayBeTable = event[.migratetype] != 1 && event[.gfp] != AllocationFlags.notOfTable
    if wasTable, !mayBeTable {
      record.wasTable = false
      try emit(.pageReuse, pfn, 0, order)
    }
    pages[pfn] = record
    if order > 0 { try tailsAllocated(pfn, order) }
    if isTaskWork, tasks[task].bracket != nil, order == 0, mayBeTable {
      tasks[task].bracket!.candidate = pfn
      tasks[task].bracket!.candidates += 1
    }
  }

  /// The pages behind the first of a bigger block: whatever they were, they are no tables now.
  private mutating func tailsAllocated(_ pfn: UInt64, _ order: UInt64) throws {
    for tail in (pfn &+ 1)..<(pfn &+ (1 << order)) {
      guard let record = pages[tail] else { continue }
      if record.isTable || record.wasTable { try emit(.pageReuse, tail, 0, 0) }
      pages[tail] = nil
    }
  }

  private mutating func pageFreed() throws {
    guard let pfn = event[.pfn], facts.joinsPages else { return }
    guard pages.has(pfn) else {
      try batchFreed(pfn)
      return
    }
    var record = try page(pfn)
    if record.isTable {
      try emit(
        .tableFree, pfn, UInt64(record.putFunction.rawValue), event[.order] ?? 0,
        level: record.level)
      record.endLife()
      pages[pfn] = record
      return
    }
    if record.wasTable, record.isAllocated {
      // It left the allocator and comes back without ever having been a table.
      try write(
        Event(
          .pageReuse, time: event.time, cpu: record.allocCPU, task: record.allocTask,
          context: record.allocContext, object: pfn, arg1: UInt64(record.order),
          flags: .inferred))
    }
    pages[pfn] = nil
    try batchFreed(pfn)
  }

  /// A page that is no table is freed: inside a batch's callback it may be the batch's own.
  private mutating func batchFreed(_ pfn: UInt64) throws {
    guard let callback = cpus[cpu].callback, callback.function == .removeTableBatch,
      callback.pid == event.pid, let base = facts.linearBase, base &+ pfn << 12 == callback.head
    else { return }
    try emit(.batchFree, callback.head, pfn)
  }

  /// `pagetable_free()`, `free_page_and_swap_cache()`, `__folio_put()` … of a table.
  private mutating func pagePut() throws {
    guard let pointer = event.first(.page, .folio), let pfn = facts.pageMap.pfn(pointer) else {
      return
    }
    guard pages[pfn]?.isTable == true else { return }
    var record = try page(pfn)
    if event.symbol != 0 {
      record.putFunction = FreeFunction(rawValue: Symbol.freeFunction(event.symbol)) ?? .unknown
    }
    let function = UInt64(record.putFunction.rawValue)
    try emit(.tablePut, pfn, function, level: record.level)
    if !facts.hasPageFree {
      try emit(.tableFree, pfn, function, level: record.level)
      record.endLife()
    }
    pages[pfn] = record
  }

  private mutating func slabAllocated() throws {
    guard let address = event[.ptr], address != 0 else { return }
    if let name = event[.name] {
      guard name == Symbol.lockCache else { return }
    } else {
      guard let site = event[.callSite], facts.lockSites.contains(site) else { return }
    }
    if let table = tasks[task].lockTable {
      tasks[task].lockTable = nil
      try lockAllocated(address, for: table)
    } else {
      // The constructor, which comes next, says whose lock it is.
      try settleLock(address)
      tasks[task].lockAddress = address
      pendingLocks[address] = task
    }
  }

  private mutating func slabFreed() throws {
    guard event[.name] == Symbol.lockCache, let address = event[.ptr], address != 0 else {
      return
    }
    if cpus[cpu].freedLock == address {
      cpus[cpu].freedLock = 0
      return
    }
    try lockFreed(address, of: owner(of: address) ?? cpus[cpu].freeingTable)
    cpus[cpu].freeingTable = nil
  }
}
