/// Holds, while a trace goes by, the events a ``TraceHistory`` of it is made of.
///
/// The rules are those of docs/FORMAT.md ("Snapshots"). Of the current life of an object the first
/// and the last event of each kind are held; of what is open on a task or a CPU what opened it.
/// Memory grows with the objects in use, not with events; when there are too many, lives that have
/// ended go first, the oldest ones.
struct HistoryKeeper {
  typealias Item = TraceHistory.Item

  /// Losses that are open on one CPU at a time.
  static let lossLimit = 64
  /// Events of one gather that are held because it is open.
  static let pendingLimit = 64
  /// Loads of one reader section.
  static let loadLimit = 64

  /// A callback in the middle of its run.
  struct Run {
    let task: UInt32
    let life: Int32
    let isThread: Bool
  }

  /// What happens to a CPU.
  struct CPU {
    var running: [Run] = []
    /// The life that ran last, which is held: its end tells that nothing runs any more.
    var lastRun: Int32 = -1
    /// The last event of each kind that names no object.
    var last: [EventKind: Item] = [:]
    var openLosses: [Item] = []
    var closedLoss: [Item] = []
  }

  var store = LifeStore()
  var cpus: [UInt16: CPU] = [:]
  /// Batch being filled by each task.
  var openBatches: [UInt32: Int32] = [:]
  /// Where each task that spins on a lock began to.
  var waits: [UInt32: Item] = [:]
  /// Where each task that is in `synchronize_rcu()` entered it.
  var synchronizing: [UInt32: Item] = [:]
  /// Entry and return of the `synchronize_rcu()` that began last of those over.
  var synchronized: [Item] = []
  /// Batch pages that are allocated.
  var pages: [UInt64: Item] = [:]
  var flushes = FlushHistory()
  /// Life of the gather each task has begun and not finished.
  var openGathers: [UInt32: Int32] = [:]
  /// Life of the table each task frees on its own.
  var fallbacks: [UInt32: Int32] = [:]
  var window = GracePeriodWindow([])
  var quiesce: Item?
  var numbers = GenerationTracker()
  let numbersEvents: Bool
  /// Events held before lives that have ended are given up; four times as many, and all are.
  let itemLimit: Int
  /// Lives given up so far.
  var livesLeftOut = 0

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
