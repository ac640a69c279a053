import TraceFormat

extension Resolver {
  mutating func resolveCallback(
    _ event: Event, _ resolution: inout Resolution, _ output: inout ResolvedDraft
  ) {
    reserve(cpu: event.cpu)
    switch event.kind {
    case .callRCU: resolveCall(event, &resolution, &output)
    case .callbackStart: resolveStart(event, &resolution, &output)
    case .callbackEnd: resolveEnd(event, &resolution, &output)
    case .callbackRunEnd: stopRunning(event)
    case .batchNew:
      let slot = callbackSlots.find(event.object)
      note(callback: slot, &resolution, &output)
      if slot >= 0 { callbacks[Int(slot)].pageFrees = 0 }
      liveBatches[event.object] = position
    case .batchFree:
      let slot = callbackSlots.find(event.object)
      note(callback: slot, &resolution, &output)
      noteRunning(event, &resolution, &output)
      if slot >= 0 {
        callbacks[Int(slot)].pageFrees = increment(callbacks[Int(slot)].pageFrees)
        callbacks[Int(slot)].pageFreedAt = position
      }
      liveBatches[event.object] = nil
    default: break
    }
  }

  mutating func addCallback(head: UInt64, generation: UInt32) -> Int32 {
    serials &+= 1
    let life = CallbackLife(head: head, generation: generation, serial: serials)
    if let slot = freeCallbacks.popLast() {
      callbacks[Int(slot)] = life
      return slot
    }
    callbacks.append(life)
    return Int32(truncatingIfNeeded: callbacks.count - 1)
  }

  /// Marks a callback as no longer current, and lets another one have its slot once nothing
  /// points at it.
  private mutating func supersede(_ slot: Int32) {
    guard slot >= 0 else { return }
    callbacks[Int(slot)].isSuperseded = true
    recycle(slot)
  }

  /// Frees the slot of a superseded callback that neither runs nor is waited for. A table whose
  /// page is held by somebody else (E15) waits long after the head is in use again.
  mutating func recycle(_ slot: Int32) {
    guard callbacks[Int(slot)].isSuperseded, callbacks[Int(slot)].waiting <= 0,
      callbacks[Int(slot)].active == 0
    else { return }
    callbacks[Int(slot)] = CallbackLife(head: 0, generation: 0, serial: 0)
    freeCallbacks.append(slot)
  }

  /// Forgets the batch a task was filling; its tables stay marked with its serial.
  mutating func abandonBatch(of task: UInt32) {
    if let slot = openBatches.removeValue(forKey: task) { supersede(slot) }
  }

  private mutating func resolveCall(
    _ event: Event, _ resolution: inout Resolution, _ output: inout ResolvedDraft
  ) {
    let previous = callbackSlots.find(event.object)
    note(callback: previous, &resolution, &output)
    let function = event.callbackFunction
    var slot: Int32 = -1
    if function == .removeTableBatch, let open = openBatches[event.task] {
      slot = open
      openBatches[event.task] = nil
      callbacks[Int(slot)].head = event.object
      callbacks[Int(slot)].generation = event.generation
      callbacks[Int(slot)].isComplete = UInt64(callbacks[Int(slot)].members) == event.arg1
    } else {
      slot = addCallback(head: event.object, generation: event.generation)
    }
    output.calls.append(
      callbacks[Int(slot)].members == 0
        ? FlushView()
        : flushing.view(
          mm: callbacks[Int(slot)].mm, since: callbacks[Int(slot)].unreachableSince))
    callbackSlots.set(event.object, slot)
    supersede(previous)
    callbacks[Int(slot)].function = function
    callbacks[Int(slot)].load = event.arg1
    callbacks[Int(slot)].queuedAt = position
    callbacks[Int(slot)].cpu = event.cpu
    callbacks[Int(slot)].task = event.task
    if function == .freeDeferred || function == .removeTableOne {
      adopt(pfn: event.arg1, by: slot)
    }
  }

  /// A callback for one table: that table waits for it.
  private mutating func adopt(pfn: UInt64, by slot: Int32) {
    let table = tableSlot(pfn)
    guard table >= 0 else { return }
    let index = Int(table)
    if callbacks[Int(slot)].function == .removeTableOne, tables[index].path == .batch,
      !tables[index].isFreed
    {
      // Only the no-memory fallback makes this callback, seen or not.
      tables[index].path = .fallback
      tables[index].fallbackAt = position
      flushing.fallBack(table, task: callbacks[Int(slot)].task)
    }
    if callbacks[Int(slot)].function == .removeTableOne { waitInFallback(table) }
    leaveCallback(index, task: callbacks[Int(slot)].task)
    attach(index, to: slot)
    tables[index].batchIndex = 0
    callbacks[Int(slot)].members = 1
    callbacks[Int(slot)].isComplete = true
  }

  private mutating func resolveStart(
    _ event: Event, _ resolution: inout Resolution, _ output: inout ResolvedDraft
  ) {
    var slot = callbackSlots.find(event.object)
    note(callback: slot, &resolution, &output)
    if slot < 0 || callbacks[Int(slot)].runs > 0 {
      // Never queued, or already run, as far as the trace shows: a callback of unknown origin.
      let previous = slot
      slot = addCallback(head: event.object, generation: event.generation)
      if previous >= 0 { supersede(previous) }
      callbackSlots.set(event.object, slot)
      callbacks[Int(slot)].function = event.callbackFunction
      callbacks[Int(slot)].load = event.arg1
    }
    callbacks[Int(slot)].startedAt = position
    callbacks[Int(slot)].runs = increment(callbacks[Int(slot)].runs)
    callbacks[Int(slot)].gracePeriodAtStart = gracePeriods.lastCompletedStart
    callbacks[Int(slot)].torn = 0
    callbacks[Int(slot)].lastIndex = -1
    runs &+= 1
    callbacks[Int(slot)].active &+= 1
    let cpu = Int(event.cpu)
    // What this task ran before has ended, even if its end was not seen; so has a softirq that
    // another task's callback follows.
    stopRunning(event)
    if let other = running[cpu] {
      running[cpu] = nil
      if other.isThread, displaced[cpu].count < Self.maxPreempted {
        displaced[cpu].append(other)
      } else {
        release(other)
      }
    }
    running[cpu] = RunningCallback(
      slot: slot, run: runs, task: event.task, isThread: event.context == .kthread)
  }

  /// Callbacks remembered as preempted on one CPU: more means that their ends are not recorded.
  private static let maxPreempted = 4

  private mutating func resolveEnd(
    _ event: Event, _ resolution: inout Resolution, _ output: inout ResolvedDraft
  ) {
    noteRunning(event, &resolution, &output)
    let here = runningCallback(for: event)
    var slot = here?.slot ?? -1
    if event.object != 0, slot < 0 || callbacks[Int(slot)].head != event.object {
      slot = callbackSlots.find(event.object)
    }
    note(callback: slot, &resolution, &output)
    // One that runs elsewhere has not ended here.
    if slot >= 0, slot == here?.slot || callbacks[Int(slot)].active == 0 {
      callbacks[Int(slot)].endedAt = position
    }
    stopRunning(event)
  }

  /// Whatever ran on this (cpu, task) has returned.
  private mutating func stopRunning(_ event: Event) {
    let cpu = Int(event.cpu)
    guard cpu < running.count, let here = runningCallback(for: event) else { return }
    if running[cpu]?.task == event.task {
      running[cpu] = displaced[cpu].popLast()
    } else {
      displaced[cpu].removeAll { $0.task == event.task }
    }
    release(here)
  }

  private mutating func release(_ run: RunningCallback) {
    guard run.slot >= 0 else { return }
    callbacks[Int(run.slot)].active &-= 1
    recycle(run.slot)
  }

  /// Makes a table wait for a callback.
  mutating func attach(_ index: Int, to slot: Int32) {
    letGo(index)
    tables[index].callback = slot
    tables[index].callbackSerial = callbacks[Int(slot)].serial
    tables[index].holdsCallback = true
    tables[index].isTorn = false
    callbacks[Int(slot)].waiting &+= 1
  }

  /// A table no longer waits for its callback; it still knows which one it was.
  mutating func letGo(_ index: Int) {
    guard tables[index].holdsCallback else { return }
    tables[index].holdsCallback = false
    callbacks[Int(tables[index].callback)].waiting &-= 1
    recycle(tables[index].callback)
  }

  /// A table leaves the batch it had been queued for, if that is still being filled.
  mutating func leaveCallback(_ index: Int, task: UInt32) {
    let slot = tables[index].callback
    let isOpen =
      slot >= 0 && callbacks[Int(slot)].serial == tables[index].callbackSerial
      && callbacks[Int(slot)].queuedAt == .none && !callbacks[Int(slot)].isSuperseded
    if isOpen {
      callbacks[Int(slot)].members &-= 1
      if tables[index].batchIndex == callbacks[Int(slot)].nextIndex - 1 {
        callbacks[Int(slot)].unreachableSince = callbacks[Int(slot)].unreachableBefore
      }
      if tables[index].owesDestructor { callbacks[Int(slot)].destructorsOwed &-= 1 }
    } else if slot >= 0, callbacks[Int(slot)].serial == tables[index].callbackSerial {
      // It leaves a batch that was given to RCU already: whose it is now, nobody knows.
      callbacks[Int(slot)].isComplete = false
    }
    letGo(index)
    tables[index].callback = -1
    tables[index].batchIndex = -1
    if isOpen, callbacks[Int(slot)].members == 0, openBatches[task] == slot {
      abandonBatch(of: task)
    }
  }

  /// Table the last teardown event of the same activation was about, -1 if there was none.
  mutating func lastTorn(for event: Event) -> Int32 {
    if let here = runningCallback(for: event) { return here.lastTorn }
    return lastTornOutside.find(UInt64(event.task))
  }

  mutating func setLastTorn(_ slot: Int32, _ event: Event) {
    let cpu = Int(event.cpu)
    if running[cpu]?.task == event.task {
      running[cpu]?.lastTorn = slot
    } else if let place = displaced[cpu].lastIndex(where: { $0.task == event.task }) {
      displaced[cpu][place].lastTorn = slot
    } else {
      lastTornOutside.set(UInt64(event.task), slot)
    }
  }
}
