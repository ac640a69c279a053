/// What is held of tables and locks.
extension HistoryKeeper {
  mutating func take(table item: Item) {
    let event = item.event
    let life =
      event.kind == .tableAlloc
      ? store.begin(.table, event.object) : store.get(.table, event.object)
    store.keep(item, life)
    noteRun(event, life)
    switch event.kind {
    case .tableQueueBatch: queue(event, life)
    case .tableDestruct: noteWindow(life)
    case .tableFallback: fallBack(life, event.task)
    case .tableFree:
      store[life].hasEnded = true
      if fallbacks[event.task] == life { fallBack(-1, event.task) }
    default: break
    }
  }

  /// What a table goes through in a callback means nothing without that callback.
  mutating func noteRun(_ event: Event, _ life: Int32) {
    let run = running(event)
    if run >= 0 { store.need(life, run) }
  }

  mutating func noteWindow(_ life: Int32) {
    if window.items.isEmpty || store[life].windows.last === window { return }
    if store[life].windows.count >= 3 { store[life].windows.remove(at: 1) }
    store[life].windows.append(window)
  }

  private mutating func queue(_ event: Event, _ life: Int32) {
    var batch = openBatches[event.task] ?? -1
    if batch >= 0, store[batch].key != event.arg0 {
      abandon(event.task)
      batch = -1
    }
    if batch < 0 {
      batch = store.make(.callback)
      // Until it has a head, the key of a batch is its gather.
      store[batch].key = event.arg0
      store.pin(batch)
      openBatches[event.task] = batch
    }
    store[batch].members.append(life)
    store.pin(life)
    store.need(life, batch)
  }

  /// The batch a task was filling is not going to be queued, as far as the trace shows.
  private mutating func abandon(_ task: UInt32) {
    guard let batch = openBatches.removeValue(forKey: task) else { return }
    store.releaseMembers(batch)
    store.unpin(batch)
  }

  mutating func closeBatch(_ item: Item) {
    guard let batch = openBatches[item.event.task] else { return }
    store.append(item, batch)
    abandon(item.event.task)
  }

  mutating func take(lock item: Item) {
    let event = item.event
    switch event.kind {
    case .lockAlloc:
      let life = store.begin(.lock, event.object)
      store.append(item, life)
      let table = store.find(.table, event.arg0)
      if table >= 0 {
        store[life].table = table
        store.keepLast(item, table)
      }
    case .lockFree:
      let life = store.get(.lock, event.object)
      store.keep(item, life)
      noteRun(event, life)
      store[life].hasEnded = true
      let table = event.arg0 != 0 ? store.find(.table, event.arg0) : owner(of: life)
      if table >= 0 {
        store.keep(item, table)
        noteRun(event, table)
        noteWindow(table)
      }
    case .lockWait:
      _ = store.get(.lock, event.object)
      waits[event.task] = item
    case .lockAcquire:
      waits[event.task] = nil
      let life = store.get(.lock, event.object)
      store.drop(.lockRelease, life)
      store.keepLast(item, life)
    default:
      let life = store.get(.lock, event.object)
      store.drop(.lockAcquire, life)
      // That there is a lock is all that is left to know, and its allocation says that.
      if !store[life].items.contains(where: { $0.event.kind == .lockAlloc }) {
        store.keepLast(item, life)
      }
    }
  }

  /// The table a lock was allocated for, if that is still the same life.
  private func owner(of lock: Int32) -> Int32 {
    let table = store[lock].table
    guard table >= 0, let alloc = store[lock].items.first(where: { $0.event.kind == .lockAlloc })
    else { return -1 }
    return store.find(.table, alloc.event.arg0) == table ? table : -1
  }
}
