public import TraceFormat

/// Turns references into lifetimes: the only state machine between a trace and its judges.
///
/// It believes what it sees and never reports: after an event that makes no sense it takes the
/// state the event implies, so that one oddity is judged once. For each event it writes down what
/// was known *before* it. Its memory grows with the number of distinct pages, locks and heads, not
/// with the length of the trace.
///
/// Its helpers are `mutating` even where they change nothing: a caller that is changing the
/// resolver then hands it on as it is, while for one that merely looks at it the compiler may copy
/// it, and with it hold on to each of its arrays, for every event.
///
/// What it does not do: judge, guess across a hole (``Resolution/cleanSince`` tells the judges
/// where the holes are), or look ahead.
public struct Resolver: Sendable {
  /// Lives of tables, the current one of each page.
  public internal(set) var tables = PlainStore<TableLife>()
  /// Lives of locks, the current one of each address.
  public internal(set) var locks = PlainStore<LockLife>()
  /// Lives of callbacks; freed slots are reused.
  public internal(set) var callbacks = PlainStore<CallbackLife>()
  /// Grace periods.
  public internal(set) var gracePeriods = GracePeriodClock()
  /// Holes in the recording.
  public internal(set) var holes = HoleTracker()
  /// Callback running on each CPU.
  public internal(set) var running: [RunningCallback?] = []
  /// Callbacks of kernel threads that another callback on the same CPU preempted (PREEMPT_RT).
  var displaced: [[RunningCallback]] = []
  /// Batch pages that were allocated and not freed, with the ordinal of their allocation.
  public internal(set) var liveBatches: [UInt64: Ordinal] = [:]
  /// Lives of address spaces, the current one of each address.
  public internal(set) var spaces = PlainStore<SpaceLife>()
  /// Gathers, the current use of each address.
  public internal(set) var gathers = PlainStore<GatherLife>()
  /// Where the linear map lies, if the producer knew.
  let linearMap: MachineFacts.LinearMap?
  /// Ordinal of the next event.
  public internal(set) var position: Ordinal = 0
  /// Batch being filled by each task.
  public internal(set) var openBatches: [UInt32: Int32] = [:]

  var tableSlots = PageMap()
  var lockSlots = LifeMap(capacity: 1024)
  var callbackSlots = SlotMap()
  var sectionSlots = SlotMap()
  var spaceSlots = SlotMap()
  var gatherSlots = SlotMap()
  var sections: [SectionLife] = []
  /// Gather each task is working on.
  var gatherOfTask: [UInt32: Int32] = [:]
  var openReaders = OpenList()
  var heldLocks = OpenList()
  var freeCallbacks: [Int32] = []
  var freeSections: [Int32] = []
  var runs: UInt32 = 0
  var serials: UInt32 = 0
  /// Table the last teardown event of each task outside any callback was about.
  var lastTornOutside = SlotMap()
  /// Where each task that is inside `synchronize_rcu()` entered it.
  var synchronizing: [UInt32: Ordinal] = [:]
  /// TLB invalidations and sync IPIs.
  var flushing = FlushTracker()
  /// Pointers to tables in the page walkers.
  var walkers = WalkerTracker()
  /// The lock each task spins on.
  var waiting: [UInt32: WaitingTask] = [:]

  /// Lives of the events that are being resolved …
  private var ahead = LookAhead()
  /// … and the slots of the next one's, -1 if they are not known.
  private var nextTable: Int32 = -1
  private var nextLock: Int32 = -1

  /// A resolver at the start of a trace.
  ///
  /// - Parameter machine: what the trace's header says of the machine, if anything.
  public init(machine: MachineFacts? = nil) { linearMap = machine?.linearMap }

  /// Takes what is known of the events before the first one that is going to be resolved.
  public mutating func follow(_ history: TraceHistory) {
    var ignored = ResolvedBatch()
    for batch in history.batches { resolve(batch, into: &ignored) }
    position = Ordinal(history.ordinal)
  }

  /// Resolves the events of `batch`, in order, into `output`.
  public mutating func resolve(_ batch: EventBatch, into output: inout ResolvedBatch) {
    resolve(batch, batch.events.indices, into: &output)
  }

  /// Resolves a part of `batch`, and then the next, so that what is written down about a part is
  /// still in the cache while it is looked at.
  ///
  /// - Parameter visit: called with each part.
  public mutating func resolve(
    inParts batch: EventBatch, _ output: inout ResolvedBatch, _ visit: (ResolvedBatch) -> Void
  ) {
    for start in stride(from: 0, to: batch.events.count, by: Self.partEvents) {
      let end = min(start + Self.partEvents, batch.events.count)
      resolve(batch, start..<end, into: &output)
      visit(output)
    }
  }

  /// Events that are best resolved at a time.
  static let partEvents = 256

  /// Resolves the events of `batch` at `places`, in order, into `output`.
  mutating func resolve(
    _ batch: EventBatch, _ places: Range<Int>, into output: inout ResolvedBatch
  ) {
    var draft = output.takeDraft()
    position = Ordinal(batch.firstOrdinal) + Ordinal(places.lowerBound)
    own()
    draft.begin(batch.events, places, at: position)
    ahead.find(draft.events, tableSlots, tables, locks)
    for index in draft.events.indices {
      nextTable = ahead.tables[index]
      nextLock = ahead.locks[index]
      let event = draft.events[index]
      var resolution = Resolution()
      resolution.gracePeriodStart = gracePeriods.lastCompletedStart
      resolution.cleanSince = holes.cleanSince
      resolution.cpuCleanSince = holes.cleanSince(cpu: event.cpu)
      step(event, &resolution, &draft)
      draft.resolutions.append(resolution)
      position += 1
    }
    output.put(draft)
  }

  /// Makes sure that nobody else sees the lives change.
  private mutating func own() {
    tables.own()
    locks.own()
    callbacks.own()
    spaces.own()
    gathers.own()
  }

  /// The slot of a page's table, -1 if it has none.
  @inline(__always)
  mutating func tableSlot(_ pfn: UInt64) -> Int32 {
    if nextTable >= 0, tables[Int(nextTable)].pfn == pfn { return nextTable }
    return tableSlots.find(pfn)
  }

  /// The slot of the lock at an address, -1 if there is none.
  @inline(__always)
  mutating func lockSlot(_ address: UInt64) -> Int32 {
    if nextLock >= 0, locks[Int(nextLock)].address == address { return nextLock }
    return lockSlots.find(address, in: locks)
  }

  private mutating func step(
    _ event: Event, _ resolution: inout Resolution, _ output: inout ResolvedDraft
  ) {
    switch event.kind {
    case .tableAlloc, .tableConstruct, .tableInstall, .tableUnlink, .tableQueueBatch,
      .tableQueuePage, .tableFallback, .tableDestruct, .tablePut, .tableFree, .tableDeposit,
      .tableWithdraw, .tableDefer, .pageReuse, .batchAdd, .tableTypeClear, .tableReclaim,
      .tableZero:
      resolveTable(event, &resolution, &output)
    case .lockAlloc, .lockFree, .lockWait, .lockAcquire, .lockRelease:
      resolveLock(event, &resolution, &output)
    case .readerEnter, .readerExit, .readerLoad, .readerAccess, .readerRecheck, .readerPin:
      resolveReader(event, &resolution, &output)
    case .callRCU, .callbackStart, .callbackEnd, .batchNew, .batchFree, .callbackRunEnd:
      resolveCallback(event, &resolution, &output)
    case .gracePeriodStart:
      gracePeriods.start(seq: event.object, at: position)
    case .gracePeriodEnd:
      gracePeriods.end(seq: event.object, at: position)
    case .loss:
      holes.open(cpu: event.cpu)
      resolution.cleanSince = holes.cleanSince
    case .lossEnd:
      holes.close(cpu: event.cpu, at: position)
      resolution.cleanSince = holes.cleanSince
    case .flushStart, .flushCPUs, .flushAck, .ipiSyncAck, .ipiSyncEnd: resolveFlush(event)
    case .flushEnd:
      resolveFlush(event)
      resolveGather(event, &resolution, &output)
    case .hardwareLoad, .hardwareAccess: resolveHardware(event, &resolution, &output)
    case .synchronizeStart:
      resolveAtomic(event, &resolution, &output)
      waitInFallback(of: event.task)
      synchronizing[event.task] = position
    case .ipiSyncStart:
      resolveFlush(event)
      resolveAtomic(event, &resolution, &output)
    case .mmNew, .mmExit, .mmFree, .mmBytes: resolveSpace(event, &resolution, &output)
    case .mmFlushPending: resolveGather(event, &resolution, &output)
    case .synchronizeEnd:
      if let start = synchronizing.removeValue(forKey: event.task) {
        gracePeriods.passed(since: start)
      }
    case .gatherStart, .gatherFinish:
      resolveGather(event, &resolution, &output)
      // A batch left over from an earlier gather was never flushed as far as the trace shows.
      abandonBatch(of: event.task)
    default: break
    }
  }

  /// The callback running on the CPU of `event`, if the event's task is the one it runs in.
  @inline(__always)
  mutating func runningCallback(for event: Event) -> RunningCallback? {
    let cpu = Int(event.cpu)
    guard cpu < running.count, let here = running[cpu] else { return nil }
    if here.task == event.task { return here }
    if displaced[cpu].isEmpty { return nil }
    return displaced[cpu].last { $0.task == event.task }
  }

  @inline(__always)
  mutating func reserve(cpu: UInt16) {
    if running.count <= Int(cpu) { addCPUs(upTo: cpu) }
  }

  private mutating func addCPUs(upTo cpu: UInt16) {
    while running.count <= Int(cpu) {
      running.append(nil)
      displaced.append([])
    }
  }

  /// Writes the snapshot of a table, and of the callback it waits for, into `resolution`.
  mutating func note(
    table slot: Int32, _ resolution: inout Resolution, _ output: inout ResolvedDraft
  ) {
    guard slot >= 0 else { return }
    let index = Int(slot)
    resolution.table = Int32(truncatingIfNeeded: output.tables.count)
    output.tables.append(copyOf: index, in: tables)
    let callback = tables[index].callback
    if callback >= 0, callbacks[Int(callback)].serial == tables[index].callbackSerial {
      note(callback: callback, &resolution, &output)
    }
  }

  mutating func note(
    callback slot: Int32, _ resolution: inout Resolution, _ output: inout ResolvedDraft
  ) {
    guard slot >= 0 else { return }
    resolution.callback = Int32(truncatingIfNeeded: output.callbacks.count)
    output.callbacks.append(copyOf: Int(slot), in: callbacks)
  }

  mutating func note(
    lock slot: Int32, _ resolution: inout Resolution, _ output: inout ResolvedDraft
  ) {
    guard slot >= 0 else { return }
    resolution.lock = Int32(truncatingIfNeeded: output.locks.count)
    output.locks.append(copyOf: Int(slot), in: locks)
  }

  mutating func noteRunning(
    _ event: Event, _ resolution: inout Resolution, _ output: inout ResolvedDraft
  ) {
    guard let here = runningCallback(for: event) else { return }
    resolution.run = here.run
    if here.slot >= 0 {
      resolution.running = Int32(truncatingIfNeeded: output.callbacks.count)
      output.callbacks.append(copyOf: Int(here.slot), in: callbacks)
    }
  }
}

/// A callback in the middle of its run.
public struct RunningCallback: Sendable {
  /// Its slot, -1 if its `call_rcu` was not seen and its head is unknown.
  public var slot: Int32
  /// Number of this run in the trace, from 1.
  public var run: UInt32
  /// Task it runs in (the interrupted one, for a softirq).
  public var task: UInt32
  /// It runs in a kernel thread, which another callback may preempt.
  var isThread = false
  /// Table its last teardown event was about.
  var lastTorn: Int32 = -1
}

/// A task that spins on a lock.
struct WaitingTask {
  var lock: Int32
  var generation: UInt32
}

/// Which grace periods are over, and when the last of them began.
public struct GracePeriodClock: Sendable {
  /// Number of the one in progress.
  public private(set) var currentSeq: UInt64?
  /// Start of the one in progress; ``Ordinal/none`` if it began before the trace.
  public private(set) var currentStart: Ordinal = .none
  /// Start of the last one that is over.
  public private(set) var lastCompletedStart: Ordinal = .none
  /// Number of completed ones.
  public private(set) var completed = 0

  mutating func start(seq: UInt64, at ordinal: Ordinal) {
    if let current = currentSeq {
      // Said twice: the earlier one was certain already.
      if Self.distance(current, seq) == 0 { return }
      // Grace periods never overlap: where one begins, the one before it is over.
      finishCurrent()
    }
    currentSeq = seq
    currentStart = ordinal
  }

  mutating func end(seq: UInt64, at ordinal: Ordinal) {
    // A late line about an earlier grace period ends nothing; a later number does.
    guard let current = currentSeq, Self.distance(current, seq) >= 0 else { return }
    finishCurrent()
  }

  /// A full grace period passed that began after `ordinal` (`synchronize_rcu()` returned).
  mutating func passed(since ordinal: Ordinal) {
    lastCompletedStart = max(lastCompletedStart, ordinal)
  }

  private mutating func finishCurrent() {
    lastCompletedStart = max(lastCompletedStart, currentStart)
    completed += 1
    currentSeq = nil
    currentStart = .none
  }

  /// Grace periods from `first` to `second`; the low two bits of a number are its phase.
  private static func distance(_ first: UInt64, _ second: UInt64) -> Int64 {
    Int64(bitPattern: second) >> 2 &- Int64(bitPattern: first) >> 2
  }
}

/// Where the recording is blind.
public struct HoleTracker: Sendable {
  private var open: [UInt16: Int] = [:]
  private var closedAt: [UInt16: Ordinal] = [:]
  /// No event is missing from here on; `Ordinal.max` inside a hole.
  public private(set) var cleanSince: Ordinal = 0
  /// Whether any hole was seen.
  public private(set) var any = false

  mutating func open(cpu: UInt16) {
    open[cpu, default: 0] += 1
    any = true
    cleanSince = .max
  }

  mutating func close(cpu: UInt16, at ordinal: Ordinal) {
    any = true
    if let depth = open[cpu] { open[cpu] = depth > 1 ? depth - 1 : nil }
    closedAt[cpu] = ordinal
    cleanSince = open.isEmpty ? ordinal : .max
  }

  /// The same for the events of one CPU.
  public func cleanSince(cpu: UInt16) -> Ordinal {
    guard any else { return 0 }
    if open[cpu] != nil || open[Event.allCPUs] != nil { return .max }
    return max(closedAt[cpu] ?? 0, closedAt[Event.allCPUs] ?? 0)
  }
}
