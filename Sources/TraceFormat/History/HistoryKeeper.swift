/// Holds, while a trace goes by, the events a ``TraceHistory`` of it is made of.
///
/// The rules are those of docs/FORMAT.md ("Snapshots"). Of the current life of an object the first
/// and the last event of each kind are held; of what is open on a task or a CPU what opened it.
/// Memory grows with the objects in use, not with events; when there are too many, lives that have
/// ended go first, the oldest ones.
struct HistoryKeeper {
  typealias Item = TraceHistory.Item

  /// Losses that are open on one CPU at a time.
  private static let lossLimit = 64
  /// Events of one gather that are held because it is open.
  private static let pendingLimit = 64
  /// Loads of one reader section.
  private static let loadLimit = 64

  /// A callback in the middle of its run.
  private struct Run {
    let task: UInt32
    let life: Int32
    let isThread: Bool
  }

  /// What happens to a CPU.
  private struct CPU {
    var running: [Run] = []
    /// The life that ran last, which is held: its end tells that nothing runs any more.
    var lastRun: Int32 = -1
    /// The last event of each kind that names no object.
    var last: [EventKind: Item] = [:]
    var openLosses: [Item] = []
    var closedLoss: [Item] = []
  }

  private var store = LifeStore()
  private var cpus: [UInt16: CPU] = [:]
  /// Batch being filled by each task.
  private var openBatches: [UInt32: Int32] = [:]
  /// Where each task that spins on a lock began to.
  private var waits: [UInt32: Item] = [:]
  /// Where each task that is in `synchronize_rcu()` entered it.
  private var synchronizing: [UInt32: Item] = [:]
  /// Entry and return of the `synchronize_rcu()` that began last of those over.
  private var synchronized: [Item] = []
  /// Batch pages that are allocated.
  private var pages: [UInt64: Item] = [:]
  private var flushes = FlushHistory()
  /// Life of the gather each task has begun and not finished.
  private var openGathers: [UInt32: Int32] = [:]
  /// Life of the table each task frees on its own.
  private var fallbacks: [UInt32: Int32] = [:]
  private var window = GracePeriodWindow([])
  private var quiesce: Item?
  private var numbers = GenerationTracker()
  private let numbersEvents: Bool
  /// Events held before lives that have ended are given up; four times as many, and all are.
  private let itemLimit: Int
  private(set) var livesLeftOut = 0
  /// A keeper at the start of a trace.
  ///
  /// - Parameter numbersEvents: events come without generations, which are numbered here.
  init(numbersEvents: Bool = false, itemLimit: Int = 1 << 18) {
    self.numbersEvents = numbersEvents
    self.itemLimit = itemLimit
  }

  /// Goes on where `history` leaves off.
  init(_ history: TraceHistory) {
    self.init()
    for item in history.items { take(item.event, at: item.ordinal) }
    livesLeftOut += history.livesLeftOut
  }

  /// Number of events a history would have now, about.
  var itemCount: Int { store.itemCount + 3 * flushes.count }

  /// What has been held, for the event with this ordinal that comes next.
  func history(at ordinal: UInt64, taskName: (UInt32) -> String? = { _ in nil }) -> TraceHistory {
    var items: [Item] = []
    var windows: [ObjectIdentifier: GracePeriodWindow] = [:]
    for life in store.lives {
      items += life.items
      for window in life.windows { windows[ObjectIdentifier(window)] = window }
    }
    for window in windows.values { items += window.items }
    items += waits.values
    items += synchronizing.values
    items += synchronized
    items += pages.values
    items += flushes.items
    items += window.items
    items += store.examples.joined()
    if let quiesce { items.append(quiesce) }
    for cpu in cpus.values {
      items += cpu.last.values
      items += cpu.openLosses
      items += cpu.closedLoss
    }
    items.sort { $0.ordinal < $1.ordinal }
    var unique: [Item] = []
    unique.reserveCapacity(items.count)
    var names: [UInt32: String] = [:]
    for item in items where unique.last?.ordinal != item.ordinal {
      unique.append(item)
      if names[item.event.task] == nil { names[item.event.task] = taskName(item.event.task) }
    }
    return TraceHistory(
      ordinal: ordinal, items: unique, livesLeftOut: livesLeftOut, taskNames: names)
  }

  /// Takes the next event of the trace.
  mutating func take(_ event: Event, at ordinal: UInt64) {
    var event = event
    if numbersEvents { event.generation = numbers.generation(of: event) }
    let item = Item(ordinal: ordinal, event: event)
    switch event.kind {
    case .tableAlloc, .tableConstruct, .tableInstall, .tableUnlink, .tableQueueBatch,
      .tableQueuePage, .tableFallback, .tableDestruct, .tablePut, .tableFree, .tableDeposit,
      .tableWithdraw, .tableDefer, .pageReuse, .batchAdd:
      take(table: item)
    case .lockAlloc, .lockFree, .lockWait, .lockAcquire, .lockRelease: take(lock: item)
    case .callRCU, .callbackStart, .callbackEnd, .batchNew, .batchFree, .callbackRunEnd:
      take(callback: item)
    case .readerEnter, .readerExit, .readerLoad, .readerAccess: take(reader: item)
    case .gatherStart, .gatherFinish, .batchFail:
      if event.kind != .batchFail { closeBatch(item) }
      take(gather: item)
    case .flushStart, .flushCPUs, .flushAck, .flushEnd, .mmFlushPending: take(flush: item)
    case .gracePeriodStart, .gracePeriodEnd: take(gracePeriod: item)
    case .synchronizeStart:
      synchronizing[event.task] = item
      wait(item)
    case .mmBytes: take(bytes: item)
    case .synchronizeEnd: endSynchronize(item)
    case .loss, .lossEnd: take(loss: item)
    case .quiesce: quiesce = item
    case .mark, .intentMap, .intentUnmap, .intentFork, .intentExit, .intentAdvise,
      .intentWalk, .intentPin:
      break
    default: take(other: item)
    }
    if itemCount > itemLimit { makeRoom() }
  }
}

// MARK: - Tables and locks

extension HistoryKeeper {
  private mutating func take(table item: Item) {
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
  private mutating func noteRun(_ event: Event, _ life: Int32) {
    let run = running(event)
    if run >= 0 { store.need(life, run) }
  }

  private mutating func noteWindow(_ life: Int32) {
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

  private mutating func closeBatch(_ item: Item) {
    guard let batch = openBatches[item.event.task] else { return }
    store.append(item, batch)
    abandon(item.event.task)
  }

  private mutating func take(lock item: Item) {
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

// MARK: - Invalidations, gathers and mms

extension HistoryKeeper {
  private mutating func take(gather item: Item) {
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
  private mutating func take(flush item: Item) {
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
  private mutating func take(bytes item: Item) {
    let life = store.get(.mm, item.event.object)
    let before = store[life].items.last { $0.event.kind == .mmBytes }?.event.arg0 ?? 0
    var event = item.event
    event.arg0 &+= before
    store.keepLast(Item(ordinal: item.ordinal, event: event), life)
  }

  /// A task begins to free a table on its own; -1 for: it has ended.
  private mutating func fallBack(_ life: Int32, _ task: UInt32) {
    if let before = fallbacks.removeValue(forKey: task) { store.unpin(before) }
    guard life >= 0 else { return }
    fallbacks[task] = life
    store.pin(life)
  }

  /// A task waits for readers: whether a table it frees was invalidated by then may be asked.
  private mutating func wait(_ item: Item) {
    guard let table = fallbacks[item.event.task] else { return }
    let isFirst = !store[table].items.contains { $0.event.kind == item.event.kind }
    guard isFirst else { return }
    store.append(item, table)
    hold(flushBefore: table)
  }

  private mutating func hold(flushBefore table: Int32) {
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

// MARK: - Callbacks

extension HistoryKeeper {
  private mutating func take(callback item: Item) {
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
  private func running(_ event: Event) -> Int32 {
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

// MARK: - Readers and the rest

extension HistoryKeeper {
  private mutating func take(reader item: Item) {
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
  private mutating func take(other item: Item) {
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

  private mutating func take(gracePeriod item: Item) {
    let isKnown = window.items.contains {
      $0.event.kind == item.event.kind && $0.event.object == item.event.object
    }
    guard !isKnown else { return }
    window = GracePeriodWindow(window.items.suffix(5) + [item])
  }

  private mutating func endSynchronize(_ item: Item) {
    guard let start = synchronizing.removeValue(forKey: item.event.task) else { return }
    if let last = synchronized.first, last.ordinal > start.ordinal { return }
    synchronized = [start, item]
  }

  private mutating func take(loss item: Item) {
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
  private mutating func makeRoom() {
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
