public import TraceFormat

/// What the resolver knew about an event just before it happened.
///
/// Indices point into the snapshot arrays of the same ``ResolvedBatch``; -1 = nothing known.
public struct Resolution: Sendable {
  /// The table the event is about. For `pt_alloc`: the previous life of the page.
  public var table: Int32 = -1
  /// The lock the event is about. For `ptl_alloc`: the previous life of the address.
  public var lock: Int32 = -1
  /// The callback the event is about; for a table, the callback it waits for.
  public var callback: Int32 = -1
  /// The callback running on this (cpu, task).
  public var running: Int32 = -1
  /// The section, mm or gather the event is about, by the space of its kind. For
  /// `ipi_sync_start` and `synchronize_rcu_start`, an open section of the same task; for
  /// `pt_reclaim`, the lock of the upper table.
  public var subject: Int32 = -1
  /// The table whose entry an install or unlink changed.
  public var upper: Int32 = -1
  /// Number of that run, from 1; 0 = outside.
  public var run: UInt32 = 0
  /// Start of the last grace period that is over.
  public var gracePeriodStart: Ordinal = .none
  /// No event is missing between this place and the event; `Ordinal.max` inside a hole.
  public var cleanSince: Ordinal = 0
  /// No event of this CPU is missing between this place and the event.
  public var cpuCleanSince: Ordinal = 0
  /// The last teardown event of this activation (callback run, or task outside any) was about the
  /// same table; said of `pt_free` and of the queue events.
  public var isAdjacent = false
  /// The load belongs to an open section, which holds the table until it ends.
  public var isHeldLoad = false
  /// … and its reader may take the table's own, separate lock.
  public var mayTakeLock = false
  /// A reader uses a lock that is no longer the lock of the table it loaded.
  public var lockIsForeign = false
  /// A lock is allocated in memory whose former lock was freed while its table still waits.
  public var reusesPendingLock = false
  /// A reader uses a table whose page has since begun another life.
  public var tableIsForeign = false
  /// Where the reader loaded the table it now uses; ``Ordinal/none`` if that was not seen.
  public var loadedAt: Ordinal = .none
}

/// Events with the state before each of them: what an invariant judges.
public struct ResolvedBatch: Sendable {
  /// The events.
  public internal(set) var events: [Event] = []
  /// Ordinal of the first event.
  public internal(set) var firstOrdinal: Ordinal = 0
  /// One per event.
  public internal(set) var resolutions: [Resolution] = []
  /// Table snapshots.
  public internal(set) var tables: [TableLife] = []
  /// Lock snapshots.
  public internal(set) var locks: [LockLife] = []
  /// Callback snapshots.
  public internal(set) var callbacks: [CallbackLife] = []
  /// Section snapshots.
  public internal(set) var sections: [SectionView] = []
  /// Address space snapshots.
  public internal(set) var spaces: [SpaceLife] = []
  /// Gather snapshots.
  public internal(set) var gathers: [GatherLife] = []
  /// One per `pt_free`, in order.
  public internal(set) var frees: [FreeView] = []
  /// One per `call_rcu`, in order: the invalidation of the batch it is for.
  public internal(set) var calls: [FlushView] = []
  /// One per `hw_access`, in order.
  public internal(set) var walks: [WalkView] = []
  /// Places of the events of each kind, by the kind's raw value.
  public internal(set) var places: [[Int32]] = Array(repeating: [], count: 256)

  /// An empty batch.
  public init() {}

  /// Places of the events of `kind`, in order.
  public func places(of kind: EventKind) -> [Int32] { places[Int(kind.rawValue)] }

  mutating func reset(_ batch: EventBatch) {
    events = batch.events
    firstOrdinal = Ordinal(batch.firstOrdinal)
    resolutions.removeAll(keepingCapacity: true)
    resolutions.reserveCapacity(events.count)
    tables.removeAll(keepingCapacity: true)
    locks.removeAll(keepingCapacity: true)
    callbacks.removeAll(keepingCapacity: true)
    sections.removeAll(keepingCapacity: true)
    spaces.removeAll(keepingCapacity: true)
    gathers.removeAll(keepingCapacity: true)
    frees.removeAll(keepingCapacity: true)
    calls.removeAll(keepingCapacity: true)
    walks.removeAll(keepingCapacity: true)
    for index in places.indices where !places[index].isEmpty {
      places[index].removeAll(keepingCapacity: true)
    }
  }
}

/// One event with everything known before it: the convenient view of a ``ResolvedBatch``.
public struct ResolvedEvent: Sendable {
  /// The event.
  public let event: Event
  /// Its ordinal.
  public let ordinal: Ordinal
  /// What was known.
  public let resolution: Resolution
  /// The table, if one is known.
  public let table: TableLife?
  /// The lock, if one is known.
  public let lock: LockLife?
  /// The callback, if one is known.
  public let callback: CallbackLife?
  /// The callback running here, if any.
  public let running: CallbackLife?

  /// No event is missing between `since` and this one.
  public func isClean(since: Ordinal) -> Bool {
    (since == .none ? 0 : since) >= resolution.cleanSince
  }

  /// No event of this CPU is missing between `since` and this one.
  public func isCPUClean(since: Ordinal) -> Bool {
    (since == .none ? 0 : since) >= resolution.cpuCleanSince
  }

  /// A grace period began after `since` and is over.
  public func gracePeriodPassed(since: Ordinal) -> Bool { resolution.gracePeriodStart > since }
}

extension ResolvedBatch {
  /// The event at a place of this batch.
  public subscript(place: Int32) -> ResolvedEvent {
    let index = Int(place)
    let resolution = resolutions[index]
    return ResolvedEvent(
      event: events[index], ordinal: firstOrdinal + Ordinal(place), resolution: resolution,
      table: resolution.table < 0 ? nil : tables[Int(resolution.table)],
      lock: resolution.lock < 0 ? nil : locks[Int(resolution.lock)],
      callback: resolution.callback < 0 ? nil : callbacks[Int(resolution.callback)],
      running: resolution.running < 0 ? nil : callbacks[Int(resolution.running)])
  }
}

extension ResolvedBatch {
  /// The section of a reader's event at a place, or the one a sync event lies in.
  public func section(at place: Int32) -> SectionView? {
    let index = resolutions[Int(place)].subject
    return index < 0 ? nil : sections[Int(index)]
  }

  /// The address space of the event at a place.
  public func space(at place: Int32) -> SpaceLife? {
    let index = resolutions[Int(place)].subject
    return index < 0 ? nil : spaces[Int(index)]
  }

  /// The gather of the event at a place.
  public func gather(at place: Int32) -> GatherLife? {
    let index = resolutions[Int(place)].subject
    return index < 0 ? nil : gathers[Int(index)]
  }

  /// The lock of the upper table of the `pt_reclaim` at a place.
  public func upperLock(at place: Int32) -> LockLife? {
    let index = resolutions[Int(place)].subject
    return index < 0 ? nil : locks[Int(index)]
  }

  /// The table whose entry the install or unlink at a place changed.
  public func upper(at place: Int32) -> TableLife? {
    let index = resolutions[Int(place)].upper
    return index < 0 ? nil : tables[Int(index)]
  }

  /// The table of the event at a place, without building the whole view.
  public func table(at place: Int32) -> TableLife? {
    let index = resolutions[Int(place)].table
    return index < 0 ? nil : tables[Int(index)]
  }
}
