import TraceFormat

extension ImportState {
  /// Walkers: fast GUP as a section, `pte_offset_map[_lock]()` as loads.
  mutating func takeReader(_ probe: Probe) throws {
    switch probe {
    case .gupFast:
      guard event.pid != 0 else { return }
      tasks[task].isInGUP = true
      try emit(.readerEnter, UInt64(event.pid), UInt64(ReaderClass.gupFast.rawValue))
    case .gupFastReturn:
      guard tasks[task].isInGUP else { return }
      tasks[task].isInGUP = false
      try emit(.readerExit, UInt64(event.pid), UInt64(ReaderClass.gupFast.rawValue))
    case .pteLock:
      let slot = event[.pmd] ?? 0
      tasks[task].lockedSlot = slot
      try loaded(slot)
    case .pteLockReturn: tasks[task].lockedSlot = 0
    default:
      // pte_offset_map_lock() calls __pte_offset_map() itself: one load, not two.
      let slot = event[.pmd] ?? 0
      if slot != 0, tasks[task].lockedSlot == slot {
        if !facts.hasPteLockReturn { tasks[task].lockedSlot = 0 }
        return
      }
      try loaded(slot)
    }
  }

  private mutating func loaded(_ slot: UInt64) throws {
    guard let entry = event[.pmdv], let pfn = facts.entryFormat?.pfn(entry), facts.joinsPages
    else { return }
    var level = TableLevel.pte
    if let place = try place(of: pfn), pages[at: place].isTable { level = pages[at: place].level }
    try emit(.readerLoad, pfn, 0, slot, level: level)
  }

  /// Address spaces.
  mutating func takeMM(_ probe: Probe) throws {
    guard let mm = event[.mm] else { return badValues += 1 }
    switch probe {
    case .pgdAlloc:
      tasks[task].newMM = mm
      try emit(.mmNew, mm)
    case .exitMM: try emit(.mmExit, mm)
    default:
      if let base = facts.linearBase, let address = event[.virt] {
        let pfn = (address &- base) >> 12
        if pages[pfn]?.isTable == true { pages[pfn]?.level = .pgd }
      }
      try emit(.mmFree, mm)
    }
  }
}
