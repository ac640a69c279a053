import TraceFormat

extension ImportState {
  /// The gather: its beginning and end, tables put into it, and its fallback.
  mutating func takeGather(_ probe: Probe) throws {
    switch probe {
    case .freePTE: tasks[task].freeing = .pte
    case .freePMD: tasks[task].freeing = .pmd
    case .freePUD: tasks[task].freeing = .pud
    case .freeP4D: tasks[task].freeing = .p4d
    case .queueTable: try queuedTable()
    case .queuePage: try queuedPage()
    case .tableOne:
      guard let pfn = pfn(of: .table) else { return }
      try prove(pfn)
      if tasks[task].queued > 0 { tasks[task].queued -= 1 }
      try emit(.tableFallback, pfn, tasks[task].gather, level: pages[pfn]?.level ?? .unknown)
    case .allocFailure:
      // The only allocation between tlb_remove_table() and its return is the batch page.
      guard fields[.ret] == 1, tasks[task].justQueued else { return }
      tasks[task].justQueued = false
      try emit(.batchFail, tasks[task].gather, tasks[task].gatherMM, flags: .inferred)
    case .gather, .gatherFull, .gatherVMA:
      guard let gather = fields[.tlb], let mm = fields[.mm] else { return badValues += 1 }
      tasks[task].gather = gather
      tasks[task].gatherMM = mm
      tasks[task].finishing = false
      tasks[task].isInFreeRange = false
      try emit(.gatherStart, gather, mm, probe == .gatherFull ? 1 : 0)
    case .gatherFinish:
      tasks[task].gather = fields[.tlb] ?? tasks[task].gather
      tasks[task].gatherMM = fields[.mm] ?? tasks[task].gatherMM
      tasks[task].finishing = true
      tasks[task].isInFreeRange = false
      tasks[task].freeing = .unknown
    case .freeRange:
      if let gather = fields[.tlb], gather != tasks[task].gather {
        tasks[task].gather = gather
        tasks[task].gatherMM = 0
      }
      tasks[task].isInFreeRange = true
    default: tasks[task].isInFreeRange = false
    }
  }

  /// Level of the table that is being queued, where the trace says it.
  private mutating func queueLevel() -> TableLevel {
    let named = tasks[task].freeing
    tasks[task].freeing = .unknown
    if named != .unknown { return named }
    return TableLevel(rawValue: Symbol.queueLevel(fields[.ra] ?? 0)) ?? .unknown
  }

  private mutating func queuedTable() throws {
    guard let pfn = pfn(of: .table) else { return }
    try queue(pfn, level: queueLevel(), kind: .tableQueueBatch)
    tasks[task].queued += 1
    tasks[task].justQueued = true
  }

  /// `__tlb_remove_page_size()` serves data pages too: a table is what is known to be one, or
  /// what comes from where only tables come from.
  private mutating func queuedPage() throws {
    guard let pointer = fields.first(.table, .page), let pfn = facts.pageMap.pfn(pointer) else {
      return badValues += 1
    }
    let level = queueLevel()
    let isTable = pages[pfn]?.isTable == true
    guard isTable || level != .unknown || fields[.ra] == Symbol.freeRange else { return }
    try queue(pfn, level: level, kind: .tableQueuePage)
  }

  private mutating func queue(_ pfn: UInt64, level: TableLevel, kind: EventKind) throws {
    try prove(pfn, level: level)
    try beginTearDown(pfn, isCertain: true)
    pages[pfn]?.isQueued = true
    if let gather = fields[.tlb] { tasks[task].gather = gather }
    if let mm = fields[.mm] { tasks[task].gatherMM = mm }
    try emit(
      kind, pfn, tasks[task].gather, tasks[task].gatherMM, level: pages[pfn]?.level ?? .unknown,
      flags: Symbol.isReclaim(fields[.ra] ?? 0) ? .reclaimed : [])
  }
}
