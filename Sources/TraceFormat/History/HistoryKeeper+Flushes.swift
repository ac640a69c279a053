/// What is held of invalidations, gathers and mms.
extension HistoryKeeper {
  mutating func take(gather item: Item) {
    let event = item.event
    if event.kind == .gatherStart {
      let life = store.begin(.gather, event.object)
      store.append(item, life)
      if let before = openGathers.updateValue(life, forKey: event.task) { store.unpin(before) }
      store.pin(life)
      return
    }
    let life = store.get(.gather, event.object)
    store.keep(item, life)
    guard event.kind == .gatherFinish else { return }
    if let open = openGathers.removeValue(forKey: event.task) {
      store.drop(.mmFlushPending, open)
      store.drop(.flushEnd, open)
      store.unpin(open)
    }
  }

  /// An invalidation belongs to its mm, and where it ends to the gather of its task as well.
  mutating func take(flush item: Item) {
    let event = item.event
    if event.kind != .mmFlushPending { flushes.take(item) }
    guard event.kind == .mmFlushPending || event.kind == .flushEnd,
      let gather = openGathers[event.task]
    else { return }
    if event.kind == .flushEnd {
      store.keepLast(item, gather)
    } else if store[gather].items.count < Self.pendingLimit {
      store.append(item, gather)
    }
  }

  /// Of the changes of one mm, one event: the last, with the sum of all.
  mutating func take(bytes item: Item) {
    let life = store.get(.mm, item.event.object)
    let before = store[life].items.last { $0.event.kind == .mmBytes }?.event.arg0 ?? 0
    var event = item.event
    event.arg0 &+= before
    store.keepLast(Item(ordinal: item.ordinal, event: event), life)
  }

  /// A task begins to free a table on its own; -1 for: it has ended.
  mutating func fallBack(_ life: Int32, _ task: UInt32) {
    if let before = fallbacks.removeValue(forKey: task) { store.unpin(before) }
    guard life >= 0 else { return }
    fallbacks[task] = life
    store.pin(life)
  }

  /// A task waits for readers: whether a table it frees was invalidated by then may be asked.
  mutating func wait(_ item: Item) {
    guard let table = fallbacks[item.event.task] else { return }
    let isFirst = !store[table].items.contains { $0.event.kind == item.event.kind }
    guard isFirst else { return }
    store.append(item, table)
    hold(flushBefore: table)
  }

  mutating func hold(flushBefore table: Int32) {
    var mm: UInt64 = 0
    for item in store[table].items {
      switch item.event.kind {
      case .tableAlloc, .tableInstall, .tableUnlink:
        if item.event.arg0 != 0 { mm = item.event.arg0 }
      case .tableQueueBatch, .tableQueuePage:
        if item.event.arg1 != 0 { mm = item.event.arg1 }
      default: break
      }
    }
    for item in flushes.last(of: mm) { store.append(item, table) }
  }
}
