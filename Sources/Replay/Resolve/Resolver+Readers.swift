import TraceFormat

extension Resolver {
  mutating func resolveLock(
    _ event: Event, _ resolution: inout Resolution, _ output: inout ResolvedDraft
  ) {
    reserve(cpu: event.cpu)
    noteRunning(event, &resolution, &output)
    var slot = lockSlot(event.object)
    note(lock: slot, &resolution, &output)
    switch event.kind {
    case .lockAlloc:
      var table = tableSlot(event.arg0)
      note(table: table, &resolution, &output)
      // A table older than the recording, which may begin between the two allocations.
      if table < 0, event.arg0 != 0 { table = addTable(event.arg0, generation: 0) }
      resolution.reusesPendingLock = slot >= 0 && isPending(ownerTable(of: slot), lock: slot)
      beginLock(event, slot, table)
      return
    case .lockFree:
      if slot < 0 { slot = addLock(LockLife(seen: event, at: position)) }
      freeLock(event, slot, &resolution, &output)
    default:
      if slot < 0 { slot = addLock(LockLife(seen: event, at: position)) }
      useLock(event, slot, &resolution, &output)
    }
  }

  private mutating func addLock(_ life: LockLife) -> Int32 {
    let slot = Int32(truncatingIfNeeded: locks.count)
    locks.append(life)
    lockSlots.add(life.address, slot)
    return slot
  }

  private mutating func beginLock(_ event: Event, _ previous: Int32, _ table: Int32) {
    let life = LockLife(allocated: event, at: position, table: table)
    var slot = previous
    if slot >= 0 { noteReleased(lock: slot) }
    if slot >= 0 { locks[Int(slot)] = life } else { slot = addLock(life) }
    if table >= 0 {
      locks[Int(slot)].tableGeneration = tables[Int(table)].generation
      tables[Int(table)].lock = slot
      tables[Int(table)].hasLockObject = true
      tables[Int(table)].lockFreeAt = .none
      tables[Int(table)].lockFreePlacement = .none
    }
  }

  private mutating func freeLock(
    _ event: Event, _ slot: Int32, _ resolution: inout Resolution, _ output: inout ResolvedDraft
  ) {
    let index = Int(slot)
    // Behind a hole a lock may be another table's than it was before.
    let isCertain = max(locks[index].allocAt, 0) >= holes.cleanSince
    var table =
      event.arg0 != 0 ? tableSlot(event.arg0) : isCertain ? ownerTable(of: slot) : -1
    note(table: table, &resolution, &output)
    if table < 0, event.arg0 != 0 { table = addTable(event.arg0, generation: 0) }
    if table >= 0 {
      setLastTorn(table, event)
      if tables[Int(table)].lockFreeAt == .none {
        tables[Int(table)].lockFreeAt = position
        tables[Int(table)].lockFreePlacement = placement(of: event, Int(table))
        tables[Int(table)].lockFreeWaited = hasWaited(Int(table))
      }
      tables[Int(table)].hasLockObject = true
      if ownerTable(of: slot) < 0 {
        locks[index].table = table
        locks[index].tableGeneration = tables[Int(table)].generation
        locks[index].pfn = tables[Int(table)].pfn
      }
    }
    locks[index].freed = true
    locks[index].freeAt = position
  }

  /// The lock was freed and its table, out of its mm, still waits for its own free.
  private mutating func isPending(_ table: Int32, lock: Int32) -> Bool {
    table >= 0 && locks[Int(lock)].freed && tables[Int(table)].lockFreeAt != .none
      && !tables[Int(table)].isFreed
  }

  /// The table a lock belongs to, if that life of the table still lasts.
  private mutating func ownerTable(of slot: Int32) -> Int32 {
    let table = locks[Int(slot)].table
    guard table >= 0, tables[Int(table)].generation == locks[Int(slot)].tableGeneration else {
      return -1
    }
    return table
  }

  /// The lock of a table, unless it is freed or its memory has become another table's lock.
  private mutating func ownLock(of table: Int32) -> Int32 {
    let lock = tables[Int(table)].lock
    return lock >= 0 && !locks[Int(lock)].freed && ownerTable(of: lock) == table ? lock : -1
  }

  private mutating func useLock(
    _ event: Event, _ slot: Int32, _ resolution: inout Resolution, _ output: inout ResolvedDraft
  ) {
    let index = Int(slot)
    note(table: tableSlot(event.arg1), &resolution, &output)
    if let load = load(of: event.arg1, in: event.arg0) {
      resolution.lockIsForeign =
        load.lock == slot && load.lockGeneration != locks[index].generation
      resolution.loadedAt = load.at
    }
    switch event.kind {
    case .lockWait:
      stopWaiting(event.task)
      if locks[index].waiters == 0 { locks[index].waitingSince = position }
      locks[index].waiters &+= 1
      waiting[event.task] = WaitingTask(lock: slot, generation: locks[index].generation)
    case .lockAcquire:
      stopWaiting(event.task)
      locks[index].heldSince = position
      locks[index].holder = event.task
      locks[index].holderCPU = event.cpu
      noteHeld(lock: slot)
      let here = position
      markLoad(event.arg1, in: event.arg0) { $0.lockedAt = here }
    default:
      locks[index].heldSince = .none
      noteReleased(lock: slot)
    }
  }

  /// A task that takes a lock, or spins on another one, spins no longer.
  private mutating func stopWaiting(_ task: UInt32) {
    guard !waiting.isEmpty, let before = waiting.removeValue(forKey: task) else { return }
    let lock = Int(before.lock)
    if locks[lock].generation == before.generation { locks[lock].waiters &-= 1 }
  }

  /// What section `section` loaded for the table at `pfn`, the last load first.
  private mutating func load(of pfn: UInt64, in section: UInt64) -> SectionLife.Load? {
    let slot = self.section(section)
    guard slot >= 0 else { return nil }
    return sections[Int(slot)].loads.last { $0.pfn == pfn }
  }

  mutating func resolveReader(
    _ event: Event, _ resolution: inout Resolution, _ output: inout ResolvedDraft
  ) {
    switch event.kind {
    case .readerEnter: enter(event)
    case .readerExit:
      let slot = sectionSlots.find(event.object)
      if slot >= 0 { note(section: slot, load: nil, &resolution, &output) }
      exit(event)
    case .readerLoad:
      var table = tableSlot(event.object)
      // A section that is open holds what it loads, whether anything else is known of it or not.
      if table < 0, section(event.arg0) >= 0 {
        table = addTable(event.object, generation: event.generation)
      }
      note(table: table, &resolution, &output)
      if table >= 0 { load(event, table, &resolution) }
    default:
      let table = tableSlot(event.object)
      note(table: table, &resolution, &output)
      if table >= 0, let load = load(of: event.object, in: event.arg0) {
        resolution.tableIsForeign = load.tableGeneration != tables[Int(table)].generation
        resolution.loadedAt = load.at
      }
      useTable(event, &resolution, &output)
    }
  }

  /// An access, a comparison or a pin of a section that is open.
  private mutating func useTable(
    _ event: Event, _ resolution: inout Resolution, _ output: inout ResolvedDraft
  ) {
    let slot = section(event.arg0)
    guard slot >= 0 else { return }
    note(section: slot, load: event.object, &resolution, &output)
    let here = position
    switch event.kind {
    case .readerRecheck:
      let isUnchanged = event.arg1 != 0
      markLoad(event.object, in: event.arg0) {
        $0.recheckedAt = here
        $0.isUnchanged = isUnchanged
      }
    case .readerPin: markLoad(event.object, in: event.arg0) { $0.pinnedAt = here }
    default: break
    }
  }

  private mutating func enter(_ event: Event) {
    // Where the exit of an earlier section was not seen, its loads no longer count.
    exit(event)
    let slot = freeSections.popLast() ?? Int32(truncatingIfNeeded: sections.count)
    if Int(slot) == sections.count { sections.append(SectionLife()) }
    sections[Int(slot)].open(event, at: position)
    sectionSlots.set(event.object, slot)
    noteOpen(section: slot)
  }

  private mutating func exit(_ event: Event) {
    let slot = sectionSlots.find(event.object)
    guard slot >= 0 else { return }
    if !sections[Int(slot)].loads.isEmpty { release(sections[Int(slot)].loads) }
    sections[Int(slot)].loads.removeAll(keepingCapacity: true)
    noteClosed(section: slot)
    sectionSlots.remove(event.object)
    freeSections.append(slot)
  }

  /// The slot of an open section, -1 if it is not open, or no section at all.
  private mutating func section(_ key: UInt64) -> Int32 {
    key == 0 ? -1 : sectionSlots.find(key)
  }

  private mutating func load(
    _ event: Event, _ table: Int32, _ resolution: inout Resolution
  ) {
    let section = section(event.arg0)
    guard section >= 0 else { return }
    let lock = sections[Int(section)].readerClass.mayTakeLock ? ownLock(of: table) : -1
    resolution.isHeldLoad = true
    resolution.mayTakeLock = lock >= 0
    sections[Int(section)].loads.append(
      SectionLife.Load(
        table: table, pfn: event.object, tableGeneration: tables[Int(table)].generation,
        lock: lock, lockGeneration: lock >= 0 ? locks[Int(lock)].generation : 0, at: position))
    if tables[Int(table)].openLoads == 0 { tables[Int(table)].loadedSince = position }
    tables[Int(table)].openLoads &+= 1
    if lock >= 0 {
      if locks[Int(lock)].openLoads == 0 { locks[Int(lock)].loadedSince = position }
      locks[Int(lock)].openLoads &+= 1
    }
  }

  /// Where the last of the sections that still hold table `slot` loaded it: a hole before that
  /// does not matter. Asked for only when the page is handed out again under them.
  mutating func lastHeldLoad(of slot: Int32) -> Ordinal {
    let life = tables[Int(slot)]
    var last = life.loadedSince
    for section in openReaders.members.prefix(Self.searchLimit) {
      for load in sections[Int(section)].loads
      where load.table == slot && load.tableGeneration == life.generation {
        last = max(last, load.at)
      }
    }
    return last
  }

  private mutating func release(_ loads: [SectionLife.Load]) {
    for load in loads {
      if tables[Int(load.table)].generation == load.tableGeneration {
        tables[Int(load.table)].openLoads -= 1
      }
      if load.lock >= 0, locks[Int(load.lock)].generation == load.lockGeneration {
        locks[Int(load.lock)].openLoads -= 1
      }
    }
  }
}
