import TraceFormat

/// What is known of the invalidation of a table when its page is freed, or of a batch when it is
/// given to RCU.
public struct FlushView: Sendable, BitwiseCopyable {
  /// Since when nothing points at the tables; ``Ordinal/none`` if that, or their mm, is not known.
  public var since: Ordinal = .none
  /// An invalidation of the mm that began after the table was unlinked is over.
  public var isComplete = false
  /// Where the last one that began after the unlink did so; ``Ordinal/none`` if none did.
  public var startedAt: Ordinal = .none
  /// One of those was sent as an interrupt, to CPUs that are known.
  public var isByInterrupt = false
  /// CPUs that have not acknowledged it, of the one that the fewest have yet to acknowledge.
  public var missing: UInt64 = 0
}

/// What the no-memory fallback of one table has done so far.
public struct FallbackView: Sendable, BitwiseCopyable {
  /// What it does to wait for readers began here: the sync IPI, `synchronize_rcu()`, `call_rcu()`.
  public var waitAt: Ordinal = .none
  /// An invalidation that began after the unlink was over by then.
  public var isFlushed = false
  /// Its sync IPI: where it began …
  public var syncAt: Ordinal = .none
  /// … whether it is over …
  public var isSynced = false
  /// … and the CPUs that have not acknowledged it, where the source says whom it was sent to.
  public var missing: UInt64?
}

/// What is known beyond the table itself when a page is freed.
public struct FreeView: Sendable, BitwiseCopyable {
  /// Since when nothing certainly points at the table; ``Ordinal/none`` if that is not known.
  public var unreachableSince: Ordinal = .none
  /// The invalidation of the table.
  public var flush = FlushView()
  /// Its fallback, if it had one.
  public var fallback: FallbackView?
}

/// TLB invalidations by mm, and the sync IPIs of fallbacks.
///
/// Two invalidations of one mm may be under way at a time, and an acknowledgement does not say
/// which of them it is for: it counts for both, so that nobody is accused wrongly.
struct FlushTracker: Sendable {
  private struct Flush {
    var startedAt: Ordinal
    var task: UInt32
    var cpus: UInt64 = 0
    var transport = FlushRoute.unknown
    /// CPUs that had not acknowledged it when it was over; nil while it is under way.
    var missing: UInt64?
  }

  private struct Space {
    /// Under way.
    var open: [Flush] = []
    /// Over; the one that began last.
    var last: Flush?
    /// Over, and sent as an interrupt; the one that began last.
    var interrupt: Flush?
    /// Over, and every CPU had acknowledged it; the one that began last.
    var answered: Flush?
    /// Last acknowledgement, by CPU.
    var acknowledged: [Ordinal] = []
  }

  private struct Sync {
    var task: UInt32
    var cpus: UInt64
    var view: FallbackView
  }

  private var slots = SlotMap()
  private var spaces: [Space] = []
  /// Table slot that each task is freeing on its own.
  private var fallbackOf: [UInt32: Int32] = [:]
  private var fallbacks: [Int32: Sync] = [:]
  private var syncAcknowledged: [Ordinal] = []

  /// Most CPUs an acknowledgement is remembered for; a mask has 64 bits.
  private static let maskedCPUs = 64
  /// Invalidations of one mm remembered as under way: more means that their ends are not recorded.
  private static let maxOpen = 8

  // MARK: - Invalidations

  mutating func start(_ event: Event, at position: Ordinal) {
    let index = space(event.object)
    spaces[index].open.removeAll { $0.task == event.task }
    if spaces[index].open.count == Self.maxOpen { spaces[index].open.removeFirst() }
    spaces[index].open.append(Flush(startedAt: position, task: event.task))
  }

  mutating func aim(_ event: Event) {
    let index = space(event.object)
    guard let place = spaces[index].open.firstIndex(where: { $0.task == event.task }) else {
      return
    }
    spaces[index].open[place].cpus = event.arg0
    spaces[index].open[place].transport =
      FlushRoute(rawValue: UInt8(truncatingIfNeeded: event.arg1)) ?? .unknown
  }

  mutating func acknowledge(_ event: Event, at position: Ordinal) {
    let index = space(event.object)
    Self.note(event.cpu, position, in: &spaces[index].acknowledged)
  }

  mutating func end(_ event: Event) {
    let index = space(event.object)
    guard let place = spaces[index].open.firstIndex(where: { $0.task == event.task }) else {
      return
    }
    var flush = spaces[index].open.remove(at: place)
    // What is acknowledged later is for a later one.
    let missing = Self.missing(flush.cpus, since: flush.startedAt, spaces[index].acknowledged)
    flush.missing = missing
    if flush.startedAt > spaces[index].last?.startedAt ?? .none { spaces[index].last = flush }
    guard flush.transport == .interrupt else { return }
    if flush.startedAt > spaces[index].interrupt?.startedAt ?? .none {
      spaces[index].interrupt = flush
    }
    if missing == 0, flush.startedAt > spaces[index].answered?.startedAt ?? .none {
      spaces[index].answered = flush
    }
  }

  private mutating func space(_ mm: UInt64) -> Int {
    let slot = slots.find(mm)
    if slot >= 0 { return Int(slot) }
    slots.set(mm, Int32(truncatingIfNeeded: spaces.count))
    spaces.append(Space())
    return spaces.count - 1
  }

  private static func note(_ cpu: UInt16, _ position: Ordinal, in list: inout [Ordinal]) {
    guard cpu < maskedCPUs else { return }
    while list.count <= Int(cpu) { list.append(.none) }
    list[Int(cpu)] = position
  }

  /// CPUs of a mask that acknowledged nothing after `start`.
  private static func missing(_ mask: UInt64, since start: Ordinal, _ list: [Ordinal]) -> UInt64 {
    var left = mask
    for (cpu, at) in list.enumerated() where at > start { left &= ~(1 << UInt64(cpu)) }
    return left
  }

  /// What has become of the invalidations of `mm` that began after `since`.
  func view(mm: UInt64, since: Ordinal) -> FlushView {
    var view = FlushView()
    guard mm != 0, since != .none else { return view }
    view.since = since
    let slot = slots.find(mm)
    guard slot >= 0 else { return view }
    let space = spaces[Int(slot)]
    func consider(_ flush: Flush) {
      guard flush.startedAt > since else { return }
      view.startedAt = max(view.startedAt, flush.startedAt)
      guard flush.transport == .interrupt else { return }
      let missing =
        flush.missing
        ?? Self.missing(flush.cpus, since: flush.startedAt, space.acknowledged)
      if !view.isByInterrupt || missing.nonzeroBitCount < view.missing.nonzeroBitCount {
        view.missing = missing
      }
      view.isByInterrupt = true
    }
    if let last = space.last {
      view.isComplete = last.startedAt > since
      consider(last)
    }
    if let interrupt = space.interrupt { consider(interrupt) }
    if let answered = space.answered { consider(answered) }
    for flush in space.open { consider(flush) }
    return view
  }

  // MARK: - Fallbacks

  /// `tlb_remove_table_one()` of the table in `slot`.
  mutating func fallBack(_ slot: Int32, task: UInt32) {
    fallbackOf[task] = slot
    // A second time it is the same table that waits: what it has waited for already counts.
    fallbacks[slot, default: Sync(task: task, cpus: 0, view: FallbackView())].task = task
  }

  /// Table that `task` is freeing on its own, -1 if there is none.
  func fallback(of task: UInt32) -> Int32 { fallbackOf[task] ?? -1 }

  /// The fallback of a table begins to wait for readers.
  mutating func wait(_ slot: Int32, at position: Ordinal, isFlushed: Bool) {
    guard fallbacks[slot]?.view.waitAt == Ordinal.none else { return }
    fallbacks[slot]?.view.waitAt = position
    fallbacks[slot]?.view.isFlushed = isFlushed
  }

  mutating func startSync(_ event: Event, at position: Ordinal) {
    let slot = fallback(of: event.task)
    guard slot >= 0, fallbacks[slot]?.view.syncAt == Ordinal.none else { return }
    fallbacks[slot]?.cpus = event.arg0
    fallbacks[slot]?.view.syncAt = position
  }

  mutating func acknowledgeSync(_ event: Event, at position: Ordinal) {
    Self.note(event.cpu, position, in: &syncAcknowledged)
  }

  mutating func endSync(_ event: Event) {
    let slot = fallback(of: event.task)
    guard slot >= 0, fallbacks[slot]?.view.syncAt != Ordinal.none else { return }
    fallbacks[slot]?.view.isSynced = true
  }

  /// The table in `slot` is freed, or its page begins another life.
  mutating func finish(_ slot: Int32) -> FallbackView? {
    guard let sync = fallbacks.removeValue(forKey: slot) else { return nil }
    if fallbackOf[sync.task] == slot { fallbackOf[sync.task] = nil }
    var view = sync.view
    if view.syncAt != .none, sync.cpus != 0 {
      view.missing = Self.missing(sync.cpus, since: view.syncAt, syncAcknowledged)
    }
    return view
  }
}

extension Resolver {
  mutating func resolveFlush(_ event: Event) {
    switch event.kind {
    case .flushStart: flushing.start(event, at: position)
    case .flushCPUs: flushing.aim(event)
    case .flushAck: flushing.acknowledge(event, at: position)
    case .flushEnd: flushing.end(event)
    case .ipiSyncStart:
      waitInFallback(of: event.task)
      flushing.startSync(event, at: position)
    case .ipiSyncAck: flushing.acknowledgeSync(event, at: position)
    case .ipiSyncEnd: flushing.endSync(event)
    default: break
    }
  }

  /// The fallback in which `task` is, if any, begins to wait for readers.
  mutating func waitInFallback(of task: UInt32) { waitInFallback(flushing.fallback(of: task)) }

  /// The fallback of the table in `slot` begins to wait for readers.
  mutating func waitInFallback(_ slot: Int32) {
    guard slot >= 0 else { return }
    let flush = flushView(of: Int(slot))
    flushing.wait(slot, at: position, isFlushed: flush.isComplete)
  }

  mutating func flushView(of index: Int) -> FlushView {
    flushing.view(mm: tables[index].mm, since: tables[index].certainlyUnreachableSince)
  }

  /// Writes what the judges of a free need beyond the table; once per `pt_free`.
  mutating func noteFree(_ slot: Int32, _ output: inout ResolvedDraft) {
    let index = Int(slot)
    var view = FreeView()
    if !tables[index].isFreed {
      view.unreachableSince = tables[index].certainlyUnreachableSince
      view.flush = flushView(of: index)
      if tables[index].path == .fallback { view.fallback = flushing.finish(slot) }
    }
    output.frees.append(view)
  }
}
