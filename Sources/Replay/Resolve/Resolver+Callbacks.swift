import TraceFormat

extension Resolver {
  mutating func resolveCallback(
    _ event: Event, _ resolution: inout Resolution, _ output: inout ResolvedBatch
  ) {
    reserve(cpu: event.cpu)
    switch event.kind {
    case .callRCU: resolveCall(event, &resolution, &output)
    case .callbackStart: resolveStart(event, &resolution, &output)
    case .callbackEnd: resolveEnd(event, &resolution, &output)
    case .callbackRunEnd: running[Int(event.cpu)] = nil
    case .batchNew:
      note(callback: callbackSlots.find(event.object), &resolution, &output)
      liveBatches[event.object] = position
    case .batchFree:
      let slot = callbackSlots.find(event.object)
      note(callback: slot, &resolution, &output)
      noteRunning(event, &resolution, &output)
      if slot >= 0 {
        callbacks[Int(slot)].pageFrees = increment(callbacks[Int(slot)].pageFrees)
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

  /// Lets another callback have the slot of one whose head is being used again.
  private mutating func recycle(_ slot: Int32, unless successor: Int32) {
    guard slot >= 0, slot != successor, !running.contains(where: { $0?.slot == slot }) else {
      return
    }
    freeCallbacks.append(slot)
  }

  /// Forgets the batch a task was filling; its tables stay marked with its serial.
  mutating func abandonBatch(of task: UInt32) { openBatches[task] = nil }

  private mutating func resolveCall(
    _ event: Event, _ resolution: inout Resolution, _ output: inout ResolvedBatch
  ) {
    let previous = callbackSlots.find(event.object)
    note(callback: previous, &resolution, &output)
    let function = CallbackFunction(rawValue: UInt8(truncatingIfNeeded: event.arg0)) ?? .other
    var slot: Int32 = -1
    if function == .removeTableBatch, let open = openBatches[event.task] {
      slot = open
      abandonBatch(of: event.task)
      callbacks[Int(slot)].head = event.object
      callbacks[Int(slot)].generation = event.generation
      callbacks[Int(slot)].isComplete = UInt64(callbacks[Int(slot)].members) == event.arg1
    } else {
      slot = addCallback(head: event.object, generation: event.generation)
    }
    callbackSlots.set(event.object, slot)
    recycle(previous, unless: slot)
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
    let table = tableSlots.find(pfn)
    guard table >= 0 else { return }
    tables[Int(table)].callback = slot
    tables[Int(table)].callbackSerial = callbacks[Int(slot)].serial
    tables[Int(table)].batchIndex = 0
    callbacks[Int(slot)].members = 1
    callbacks[Int(slot)].isComplete = true
  }

  private mutating func resolveStart(
    _ event: Event, _ resolution: inout Resolution, _ output: inout ResolvedBatch
  ) {
    var slot = callbackSlots.find(event.object)
    note(callback: slot, &resolution, &output)
    if slot < 0 {
      slot = addCallback(head: event.object, generation: event.generation)
      callbackSlots.set(event.object, slot)
      callbacks[Int(slot)].function =
        CallbackFunction(rawValue: UInt8(truncatingIfNeeded: event.arg0)) ?? .other
      callbacks[Int(slot)].load = event.arg1
    }
    callbacks[Int(slot)].startedAt = position
    callbacks[Int(slot)].runs = increment(callbacks[Int(slot)].runs)
    callbacks[Int(slot)].gracePeriodAtStart = gracePeriods.lastCompletedStart
    callbacks[Int(slot)].torn = 0
    callbacks[Int(slot)].lastIndex = -1
    runs &+= 1
    running[Int(event.cpu)] = RunningCallback(slot: slot, run: runs, task: event.task)
  }

  private mutating func resolveEnd(
    _ event: Event, _ resolution: inout Resolution, _ output: inout ResolvedBatch
  ) {
    noteRunning(event, &resolution, &output)
    let slot =
      event.object == 0
      ? running[Int(event.cpu)]?.slot ?? -1 : callbackSlots.find(event.object)
    note(callback: slot, &resolution, &output)
    if slot >= 0 { callbacks[Int(slot)].endedAt = position }
    running[Int(event.cpu)] = nil
  }
}
