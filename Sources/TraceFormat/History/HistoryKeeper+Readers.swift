/// What is held of readers and everything else.
extension HistoryKeeper {
  mutating func take(reader item: Item) {
    let event = item.event
    switch event.kind {
    case .readerEnter:
      store.append(item, store.begin(.reader, event.object))
    case .readerExit:
      store.end(store.find(.reader, event.object))
    case .readerLoad:
      let section = event.arg0 == 0 ? -1 : store.find(.reader, event.arg0)
      let table = store.find(.table, event.object)
      guard section >= 0, table >= 0, store[section].items.count <= Self.loadLimit else { return }
      store.append(item, section)
      store.need(section, table)
    default: break
    }
  }

  /// Kinds without a rule of their own: the first and the last of each life, or of each CPU the
  /// last where they name no object.
  mutating func take(other item: Item) {
    let event = item.event
    let traits = KindTraits.table[Int(event.kind.rawValue)]
    switch traits.space {
    case .none, .gracePeriod:
      cpus[event.cpu, default: CPU()].last[event.kind] = item
      if event.kind == .ipiSyncStart { wait(item) }
    case .table: take(table: item)
    case .reader:
      let section = store.find(.reader, event.object)
      if section >= 0 { store.keep(item, section) }
    case .lock, .callback, .mm, .gather:
      let life =
        traits.startsGeneration
        ? store.begin(traits.space, event.object) : store.get(traits.space, event.object)
      store.keep(item, life)
    }
  }

  mutating func take(gracePeriod item: Item) {
    let isKnown = window.items.contains {
      $0.event.kind == item.event.kind && $0.event.object == item.event.object
    }
    guard !isKnown else { return }
    window = GracePeriodWindow(window.items.suffix(5) + [item])
  }

  mutating func endSynchronize(_ item: Item) {
    guard let start = synchronizing.removeValue(forKey: item.event.task) else { return }
    if let last = synchronized.first, last.ordinal > start.ordinal { return }
    synchronized = [start, item]
  }

  mutating func take(loss item: Item) {
    var cpu = cpus[item.event.cpu] ?? CPU()
    if item.event.kind == .loss {
      if cpu.openLosses.count < Self.lossLimit { cpu.openLosses.append(item) }
    } else {
      cpu.closedLoss = (cpu.openLosses.popLast().map { [$0] } ?? []) + [item]
    }
    cpus[item.event.cpu] = cpu
  }

  /// Forgets every object: from here on they are met like those of a recording that starts late.
  private mutating func giveUpLives() {
    livesLeftOut += store.lives.count { $0.isCurrent }
    store = LifeStore()
    openBatches.removeAll()
    waits.removeAll()
    pages.removeAll()
    flushes = FlushHistory()
    openGathers.removeAll()
    fallbacks.removeAll()
    for number in cpus.keys {
      cpus[number]!.running.removeAll()
      cpus[number]!.lastRun = -1
    }
  }

  /// Lets the oldest half of the lives go that have ended.
  mutating func makeRoom() {
    var ended = store.lives.indices.filter {
      store.lives[$0].isCurrent && store.lives[$0].hasEnded && store.lives[$0].pins == 0
    }
    ended.sort {
      (store.lives[$0].items.last?.ordinal ?? 0) < (store.lives[$1].items.last?.ordinal ?? 0)
    }
    for index in ended.prefix((ended.count + 1) / 2) {
      store.end(Int32(truncatingIfNeeded: index))
      livesLeftOut += 1
    }
    if itemCount > 4 * itemLimit { giveUpLives() }
  }
}
