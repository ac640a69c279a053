import TraceFormat

extension Resolver {
  mutating func resolveTable(
    _ event: Event, _ resolution: inout Resolution, _ output: inout ResolvedDraft
  ) {
    reserve(cpu: event.cpu)
    var slot = tableSlot(event.object)
    noteRunning(event, &resolution, &output)
    let isHandedOut = event.kind == .tableAlloc || event.kind == .pageReuse
    if isHandedOut, slot >= 0, tables[Int(slot)].openLoads > 0 {
      tables[Int(slot)].loadedSince = lastHeldLoad(of: slot)
    }
    if event.kind == .tableAlloc {
      note(table: slot, &resolution, &output)
      beginTable(event, slot)
      return
    }
    if event.kind == .pageReuse {
      note(table: slot, &resolution, &output)
      return
    }
    if slot < 0 { slot = addTable(event.object, generation: event.generation) }
    note(table: slot, &resolution, &output)
    if tables[Int(slot)].lock >= 0 { note(lock: tables[Int(slot)].lock, &resolution, &output) }
    if event.kind == .tableFree { noteFree(slot, &output) }
    switch event.kind {
    case .tableFree, .tableQueueBatch, .tableQueuePage, .tableDefer:
      resolution.isAdjacent = lastTorn(for: event) == slot
    default: break
    }
    if event.level != .unknown { tables[Int(slot)].level = event.level }
    if event.flags.contains(.kernelTable) { tables[Int(slot)].kernelTable = true }
    apply(event, slot, resolution)
    switch event.kind {
    case .tableInstall, .tableUnlink: resolveEntry(event, Int(slot), &resolution, &output)
    case .tableQueuePage: resolveGather(event, &resolution, &output)
    case .tableReclaim: noteUpperLock(event, &resolution, &output)
    default: break
    }
  }

  mutating func addTable(_ pfn: UInt64, generation: UInt32) -> Int32 {
    let slot = Int32(truncatingIfNeeded: tables.count)
    tables.append(TableLife(pfn: pfn, generation: generation, firstAt: position))
    tableSlots.set(pfn, slot)
    return slot
  }

  private mutating func beginTable(_ event: Event, _ previous: Int32) {
    var life = TableLife(
      allocated: event, at: position, after: previous >= 0 ? tables[Int(previous)] : nil)
    // An allocation that was concluded later, across a hole, does not show the whole life.
    life.bornInTrace = !event.flags.contains(.inferred)
    life.level = event.level
    life.mm = event.arg0
    life.kernelTable = event.flags.contains(.kernelTable)
    if previous >= 0 {
      if tables[Int(previous)].path == .fallback { _ = flushing.finish(previous) }
      letGo(Int(previous))
      tables[Int(previous)] = life
    } else {
      tableSlots.set(event.object, Int32(truncatingIfNeeded: tables.count))
      tables.append(life)
    }
  }

  /// Changes the state of table `slot` as `event` says.
  private mutating func apply(_ event: Event, _ slot: Int32, _ resolution: Resolution) {
    let index = Int(slot)
    switch event.kind {
    case .tableConstruct:
      tables[index].isConstructed = true
      tables[index].constructAt = position
      tables[index].destructAt = .none
      tables[index].destructPlacement = .none
      tables[index].typeClearAt = .none
      tables[index].typeClearPlacement = .none
      tables[index].pages = Int32(truncatingIfNeeded: Int64(bitPattern: event.arg1))
      if event.arg0 != 0 { tables[index].mm = event.arg0 }
    case .tableZero: tables[index].isZeroed = true
    case .tableInstall:
      if tables[index].installAt == .none { tables[index].installAt = position }
      tables[index].installed = true
      tables[index].unlinkAt = .none
      if event.arg0 != 0 { tables[index].mm = event.arg0 }
    case .tableUnlink:
      tables[index].installed = false
      tables[index].unlinkAt = position
      tables[index].unlinkInferred = event.flags.contains(.inferred)
    case .tableQueueBatch: queue(event, index)
    case .tableQueuePage:
      tables[index].path = .page
      markQueued(event, index)
    case .tableFallback: leaveBatch(event, index)
    case .tableDefer:
      tables[index].path = .deferred
      markQueued(event, index)
    case .tableDestruct:
      if tables[index].destructAt == .none {
        tables[index].destructAt = position
        tables[index].destructCPU = event.cpu
        tables[index].destructTask = event.task
        tables[index].destructRun = resolution.run
        tables[index].destructPlacement = placement(of: event, index)
        tables[index].destructWaited = hasWaited(index)
      }
      countTorn(event, slot)
    case .tablePut: countTorn(event, slot)
    case .tableFree:
      tables[index].isFreed = true
      tables[index].freeAt = position
      tables[index].installed = false
      countTorn(event, slot)
      letGo(index)
    case .tableDeposit:
      tables[index].deposited = true
      tables[index].installed = false
      tables[index].entries = 0
      tables[index].depositAt = position
      tables[index].withdrawAt = .none
    case .tableWithdraw: tables[index].withdrawAt = position
    case .tableTypeClear:
      setLastTorn(slot, event)
      guard tables[index].typeClearAt == .none else { return }
      tables[index].typeClearAt = position
      tables[index].typeClearPlacement = placement(of: event, index)
      tables[index].typeClearWaited = hasWaited(index)
    default: break
    }
  }

  private mutating func markQueued(_ event: Event, _ index: Int) {
    tables[index].queueAt = position
    tables[index].queueInferred = event.flags.contains(.inferred)
    tables[index].installed = false
    tables[index].entries = 0
    // The gather knows whose table it is; what was remembered may be from a life that ended in a
    // hole.
    let mm = event.kind == .tableDefer ? event.arg0 : event.kind == .tableFallback ? 0 : event.arg1
    if mm != 0 { tables[index].mm = mm }
    if tables[index].destructPlacement == .direct {
      tables[index].destructPlacement = .beforeQueue
    }
    if tables[index].lockFreePlacement == .direct {
      tables[index].lockFreePlacement = .beforeQueue
    }
  }

  /// Where in the teardown of table `index` an event of its destructor falls.
  mutating func placement(of event: Event, _ index: Int) -> Placement {
    if runningCallback(for: event) != nil { return .inCallback }
    guard tables[index].path != .none else { return .direct }
    return gracePeriods.lastCompletedStart > tables[index].unreachableSince
      ? .afterGracePeriod : .withoutGracePeriod
  }

  /// A grace period that began after the observed unlink of table `index` is over.
  mutating func hasWaited(_ index: Int) -> Bool {
    tables[index].unlinkAt != .none && !tables[index].unlinkInferred
      && gracePeriods.lastCompletedStart > tables[index].unlinkAt
  }

  private mutating func queue(_ event: Event, _ index: Int) {
    tables[index].path = .batch
    markQueued(event, index)
    var slot = openBatches[event.task] ?? -1
    if slot >= 0, callbacks[Int(slot)].gather != event.arg0 {
      abandonBatch(of: event.task)
      slot = -1
    }
    if slot < 0 {
      slot = addCallback(head: 0, generation: 0)
      openBatches[event.task] = slot
      callbacks[Int(slot)].openedAt = position
      callbacks[Int(slot)].gather = event.arg0
      callbacks[Int(slot)].task = event.task
      callbacks[Int(slot)].cpu = event.cpu
      callbacks[Int(slot)].function = .removeTableBatch
    }
    attach(index, to: slot)
    callbacks[Int(slot)].unreachableBefore = callbacks[Int(slot)].unreachableSince
    callbacks[Int(slot)].unreachableSince = max(
      callbacks[Int(slot)].unreachableSince, tables[index].unreachableSince)
    callbacks[Int(slot)].mm = tables[index].mm
    tables[index].batchIndex = callbacks[Int(slot)].nextIndex
    callbacks[Int(slot)].nextIndex &+= 1
    callbacks[Int(slot)].members &+= 1
    if tables[index].owesDestructor { callbacks[Int(slot)].destructorsOwed &+= 1 }
  }

  /// `tlb_remove_table_one()`: the table is the last one queued, and leaves its batch again.
  private mutating func leaveBatch(_ event: Event, _ index: Int) {
    // Where nothing but fallbacks was seen, none of them tells where it was queued.
    let isQueue = tables[index].queueAt == tables[index].fallbackAt
    tables[index].path = .fallback
    tables[index].fallbackAt = position
    if isQueue { markQueued(event, index) }
    leaveCallback(index, task: event.task)
    flushing.fallBack(Int32(truncatingIfNeeded: index), task: event.task)
  }

  /// Counts a table as torn down inside the callback that runs here, once.
  private mutating func countTorn(_ event: Event, _ slot: Int32) {
    setLastTorn(slot, event)
    guard let here = runningCallback(for: event), here.slot >= 0 else { return }
    let index = Int(slot)
    guard tables[index].callback == here.slot,
      tables[index].callbackSerial == callbacks[Int(here.slot)].serial
    else { return }
    guard !tables[index].isTorn else { return }
    tables[index].isTorn = true
    callbacks[Int(here.slot)].torn &+= 1
    callbacks[Int(here.slot)].lastIndex = max(
      callbacks[Int(here.slot)].lastIndex, tables[index].batchIndex)
  }

  func increment(_ count: UInt8) -> UInt8 { count == .max ? count : count + 1 }
}
