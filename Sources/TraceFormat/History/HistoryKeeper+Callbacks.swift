/// What is held of callbacks.
extension HistoryKeeper {
  mutating func take(callback item: Item) {
    let event = item.event
    switch event.kind {
    case .callRCU: call(item)
    case .callbackStart: start(item)
    case .callbackEnd: finish(item)
    case .callbackRunEnd: stop(item)
    case .batchNew:
      pages[event.object] = item
      let life = store.find(.callback, event.object)
      if life >= 0 { store.drop(.batchFree, life) }
    default:
      pages[event.object] = nil
      let life = store.find(.callback, event.object)
      guard life >= 0 else { return }
      store.keep(item, life)
      noteRun(event, life)
    }
  }

  private mutating func call(_ item: Item) {
    let event = item.event
    let function = event.callbackFunction
    supersede(store.find(.callback, event.object))
    var life: Int32 = -1
    if function == .removeTableBatch, let open = openBatches.removeValue(forKey: event.task) {
      life = open
      store.name(life, .callback, event.object)
      store.unpin(life)
    } else {
      life = store.begin(.callback, event.object)
    }
    store.append(item, life)
    guard function == .freeDeferred || function == .removeTableOne else { return }
    let table = store.find(.table, event.arg1)
    guard table >= 0 else { return }
    store.need(table, life)
    if function == .removeTableOne { hold(flushBefore: table) }
  }

  /// The head of a callback is in use again. If it does not run, it never will.
  private mutating func supersede(_ life: Int32) {
    guard life >= 0 else { return }
    let isRunning = cpus.values.contains { $0.running.contains { $0.life == life } }
    store.pin(life)
    if !isRunning { store.releaseMembers(life) }
    store.end(life)
    store.unpin(life)
  }

  private mutating func start(_ item: Item) {
    let event = item.event
    let life = store.get(.callback, event.object)
    store.keep(item, life)
    noteWindow(life)
    var cpu = cpus[event.cpu] ?? CPU()
    cpu.running.removeAll {
      guard $0.task == event.task else { return false }
      store.unpin($0.life)
      return true
    }
    // A callback of a kernel thread may have been preempted; any other one is over.
    if let last = cpu.running.last, !last.isThread || cpu.running.count > 4 {
      cpu.running.removeLast()
      store.unpin(last.life)
    }
    store.pin(life)
    cpu.running.append(Run(task: event.task, life: life, isThread: event.context == .kthread))
    store.pin(life)
    if cpu.lastRun >= 0 { store.unpin(cpu.lastRun) }
    cpu.lastRun = life
    cpus[event.cpu] = cpu
  }

  /// The callback that runs where an event happened, -1 if none does.
  func running(_ event: Event) -> Int32 {
    cpus[event.cpu]?.running.last { $0.task == event.task }?.life ?? -1
  }

  private mutating func finish(_ item: Item) {
    let event = item.event
    let run = running(event)
    if run >= 0 { store.keep(item, run) }
    if event.object != 0 {
      let life = store.find(.callback, event.object)
      if life >= 0, life != run { store.keep(item, life) }
      if life >= 0 { store[life].hasEnded = true }
    }
    stopRunning(event)
  }

  private mutating func stop(_ item: Item) {
    let run = running(item.event)
    guard run >= 0 else { return }
    store.keep(item, run)
    stopRunning(item.event)
  }

  private mutating func stopRunning(_ event: Event) {
    let run = running(event)
    guard run >= 0 else { return }
    store[run].hasEnded = true
    cpus[event.cpu]!.running.removeAll { $0.task == event.task }
    store.pin(run)
    store.unpin(run)
    store.releaseMembers(run)
    store.unpin(run)
  }
}
