import TraceFormat

extension ImportState {
  /// The page allocator, the slabs, and the calls that drop a table's page.
  mutating func takePage(_ probe: Probe, _ bytes: Span<UInt8>) throws {
    switch probe {
    case .pageAlloc: try pageAllocated(bytes)
    case .pageFree: try pageFreed()
    case .slabAlloc: try slabAllocated()
    case .slabFree: try slabFreed()
    default: try pagePut(bytes)
    }
  }

  private mutating func pageAllocated(_ bytes: Span<UInt8>) throws {
    // A failed allocation has neither page nor pfn.
    guard let pfn = fields[.pfn], fields[.page] ?? pfn != 0, facts.joinsPages else { return }
    let order = min(fields[.order] ?? 0, 20)
    var record = try page(pfn)
    // A table that leaves the allocator again was freed where nobody saw it.
    let wasTable = record.isTable || record.wasTable
    record = PageRecord()
    record.wasTable = wasTable
    record.isAllocated = true
    record.allocTask = line.pid
    record.allocCPU = line.cpu
    record.allocContext = context
    record.order = UInt8(order)
    record.allocEpoch = epoch
    let gfp = PageFlags(fields, bytes)
    if wasTable, !gfp.mayBeTable {
      record.wasTable = false
      try emit(.pageReuse, pfn, 0, order)
    }
    pages[pfn] = record
    if order > 0 { try tailsAllocated(pfn, order) }
    if isTaskWork, tasks[task].bracket != nil, order == 0, gfp.mayBeTable {
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
    guard let pfn = fields[.pfn], facts.joinsPages else { return }
    guard pages[pfn] != nil else {
      try batchFreed(pfn)
      return
    }
    var record = try page(pfn)
    if record.isTable {
      try emit(
        .tableFree, pfn, UInt64(record.putFunction.rawValue), fields[.order] ?? 0,
        level: record.level)
      record.endLife()
      pages[pfn] = record
      return
    }
    if record.wasTable, record.isAllocated {
      // It left the allocator and comes back without ever having been a table.
      try write(
        Event(
          .pageReuse, time: line.time, cpu: record.allocCPU, task: record.allocTask,
          context: record.allocContext, object: pfn, arg1: UInt64(record.order),
          flags: .inferred))
    }
    pages[pfn] = nil
    try batchFreed(pfn)
  }

  /// A page that is no table is freed: inside a batch's callback it may be the batch's own.
  private mutating func batchFreed(_ pfn: UInt64) throws {
    guard let callback = cpus[cpu].callback, callback.function == .removeTableBatch,
      callback.pid == line.pid, let base = facts.linearBase, base &+ pfn << 12 == callback.head
    else { return }
    try emit(.batchFree, callback.head, pfn)
  }

  /// `pagetable_free()`, `free_page_and_swap_cache()`, `__folio_put()` … of a table.
  private mutating func pagePut(_ bytes: Span<UInt8>) throws {
    guard let pointer = fields.first(.page, .folio), let pfn = facts.pageMap.pfn(pointer) else {
      return
    }
    guard pages[pfn]?.isTable == true else { return }
    var record = try page(pfn)
    if line.symbolStart > 0 {
      let symbol = Symbol.hashName(bytes, line.symbolStart, bytes.count)
      record.putFunction = FreeFunction(rawValue: Symbol.freeFunction(symbol)) ?? .unknown
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
    guard let address = fields[.ptr], address != 0 else { return }
    if let name = fields[.name] {
      guard name == Symbol.lockCache else { return }
    } else {
      guard let site = fields[.callSite], facts.lockSites.contains(site) else { return }
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
    guard fields[.name] == Symbol.lockCache, let address = fields[.ptr], address != 0 else {
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

/// What the flags of an allocation say about its use.
private struct PageFlags {
  /// Tables are zeroed, unmovable and allocated by code that may sleep.
  var mayBeTable = true

  init(_ fields: borrowing Fields, _ bytes: Span<UInt8>) {
    if let type = fields[.migratetype], type == 1 { mayBeTable = false }
    guard mayBeTable, let place = fields[.gfp] else { return }
    var at = Int(place >> 32)
    let end = Int(place & 0xFFFF_FFFF)
    // trace-cmd prints the flags as a number, whose bits each kernel version numbers anew.
    guard at < end, bytes[at] != 0x30 else { return }
    var isZeroed = false
    while at < end {
      var stop = at
      while stop < end, bytes[stop] != 0x7C { stop += 1 }
      // __GFP_ZERO; GFP_NOWAIT and GFP_ATOMIC; GFP_HIGHUSER_MOVABLE and __GFP_MOVABLE.
      if ends(bytes, at, stop, Self.zero) { isZeroed = true }
      if ends(bytes, at, stop, Self.nowait) || ends(bytes, at, stop, Self.atomic)
        || ends(bytes, at, stop, Self.movable)
      {
        mayBeTable = false
      }
      at = stop + 1
    }
    if !isZeroed { mayBeTable = false }
  }

  private static let zero = Array("_ZERO".utf8)
  private static let nowait = Array("NOWAIT".utf8)
  private static let atomic = Array("ATOMIC".utf8)
  private static let movable = Array("_MOVABLE".utf8)

  private func ends(
    _ bytes: Span<UInt8>, _ start: Int, _ stop: Int, _ suffix: [UInt8]
  ) -> Bool {
    guard stop - start >= suffix.count else { return false }
    for place in suffix.indices where bytes[stop - suffix.count + place] != suffix[place] {
      return false
    }
    return true
  }
}
