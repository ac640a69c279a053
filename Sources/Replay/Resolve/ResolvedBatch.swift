public import TraceFormat

/// What the resolver knew about an event just before it happened.
///
/// Indices point into the snapshot arrays of the same ``ResolvedBatch``; -1 = nothing known.
public struct Resolution: Sendable, BitwiseCopyable {
  /// Start of the last grace period that is over.
  public var gracePeriodStart: Ordinal = .none
  /// No event is missing between this place and the event; `Ordinal.max` inside a hole.
  public var cleanSince: Ordinal = 0
  /// No event of this CPU is missing between this place and the event.
  public var cpuCleanSince: Ordinal = 0
  /// Where the reader loaded the table it now uses; ``Ordinal/none`` if that was not seen.
  public var loadedAt: Ordinal = .none
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
}

/// Events with the state before each of them: what an invariant judges.
///
/// Shared: whoever gets a ``ResolvedEvent`` of it looks at the one copy there is. The resolver uses
/// the memory again for the next batch, unless somebody still holds this one.
@safe public struct ResolvedBatch: Sendable {
  var frame: ResolvedFrame

  init(_ frame: ResolvedFrame) { self.frame = frame }

  /// An empty batch.
  public init() { frame = ResolvedFrame(ResolvedDraft()) }

  /// The events.
  public var events: PlainStore<Event> { unsafe frame.draft.pointee.events }
  /// Ordinal of the first event.
  public var firstOrdinal: Ordinal { unsafe frame.draft.pointee.firstOrdinal }
  /// One per event.
  public var resolutions: PlainStore<Resolution> { unsafe frame.draft.pointee.resolutions }
  /// One per `pt_free`, in order.
  public var frees: PlainStore<FreeView> { unsafe frame.draft.pointee.frees }
  /// One per `call_rcu`, in order: the invalidation of the batch it is for.
  public var calls: PlainStore<FlushView> { unsafe frame.draft.pointee.calls }
  /// One per `hw_access`, in order.
  public var walks: PlainStore<WalkView> { unsafe frame.draft.pointee.walks }

  /// The event at a place, alone.
  @inline(__always)
  func event(at place: Int32) -> Event { unsafe frame.draft.pointee.events[Int(place)] }

  /// Places of the events of `kind`, in order; not to be kept.
  @inline(__always)
  public func places(of kind: EventKind) -> PlainRun<Int32> {
    unsafe frame.draft.pointee.places(of: kind)
  }

  /// Lets go of what was written down, for the resolver to write over.
  mutating func takeDraft() -> ResolvedDraft {
    guard isKnownUniquelyReferenced(&frame) else { return ResolvedDraft() }
    return frame.take()
  }

  /// Takes what the resolver wrote.
  mutating func put(_ draft: consuming ResolvedDraft) {
    if isKnownUniquelyReferenced(&frame) {
      frame.put(draft)
    } else {
      frame = ResolvedFrame(draft)
    }
  }
}

/// What a ``ResolvedBatch`` and its events share.
///
/// Sendable because it is changed only by a batch that is its one owner. What is written down lies
/// where its events can point at it, without each of them counting as an owner.
@safe final class ResolvedFrame: @unchecked Sendable {
  let draft = UnsafeMutablePointer<ResolvedDraft>.allocate(capacity: 1)

  init(_ draft: consuming ResolvedDraft) { unsafe self.draft.initialize(to: draft) }

  deinit {
    unsafe draft.deinitialize(count: 1)
    unsafe draft.deallocate()
  }

  /// Empties the frame; its one owner may.
  func take() -> ResolvedDraft {
    let taken = unsafe draft.move()
    unsafe draft.initialize(to: ResolvedDraft.empty)
    return taken
  }

  /// Fills the frame; its one owner may.
  func put(_ draft: consuming ResolvedDraft) { unsafe self.draft.pointee = draft }
}

/// What the resolver writes; it becomes a ``ResolvedFrame``.
struct ResolvedDraft {
  var events = PlainStore<Event>()
  var firstOrdinal: Ordinal = 0
  var resolutions = PlainStore<Resolution>()
  /// Snapshots of lives, to which the resolutions point.
  var tables = PlainStore<TableLife>()
  var locks = PlainStore<LockLife>()
  var callbacks = PlainStore<CallbackLife>()
  var sections = PlainStore<SectionView>()
  var spaces = PlainStore<SpaceLife>()
  var gathers = PlainStore<GatherLife>()
  var frees = PlainStore<FreeView>()
  var calls = PlainStore<FlushView>()
  var walks = PlainStore<WalkView>()
  /// Places of all events, kind by kind …
  private var placesByKind = PlainStore<Int32>()
  /// … and where those of each kind begin, by its raw value.
  private var starts = PlainStore<Int32>()

  /// Raw values of a kind.
  private static let kinds = 256
  /// Nothing, of which no copy costs anything.
  static let empty = ResolvedDraft()

  init() {}

  /// Begins with events of an array, in the memory of what was there before.
  mutating func begin(_ events: [Event], _ places: Range<Int>, at first: Ordinal) {
    self.events.removeAll()
    self.events.append(contentsOf: events, places)
    firstOrdinal = first
    resolutions.removeAll()
    tables.removeAll()
    locks.removeAll()
    callbacks.removeAll()
    sections.removeAll()
    spaces.removeAll()
    gathers.removeAll()
    frees.removeAll()
    calls.removeAll()
    walks.removeAll()
    sort()
  }

  /// Places of the events of `kind`, in order.
  @inline(__always)
  func places(of kind: EventKind) -> PlainRun<Int32> {
    guard starts.count > 0 else { return placesByKind.run(0..<0) }
    let kind = Int(kind.rawValue)
    return placesByKind.run(Int(starts[kind])..<Int(starts[kind + 1]))
  }

  /// Sorts the places of the events by kind, each kind's in order.
  private mutating func sort() {
    if placesByKind.count < events.count {
      placesByKind = PlainStore(repeating: 0, count: events.count)
    }
    if starts.count == 0 { starts = PlainStore(repeating: 0, count: Self.kinds + 1) }
    for kind in starts.indices { starts[kind] = 0 }
    for place in events.indices { starts[Int(events[place].kind.rawValue)] += 1 }
    // Where each kind ends; going backwards it becomes where it begins.
    var end: Int32 = 0
    for kind in starts.indices {
      end += starts[kind]
      starts[kind] = end
    }
    for place in events.indices.reversed() {
      let kind = Int(events[place].kind.rawValue)
      starts[kind] -= 1
      placesByKind[Int(starts[kind])] = Int32(truncatingIfNeeded: place)
    }
  }
}

/// One event with everything known before it: the convenient view of a ``ResolvedBatch``.
///
/// A few bytes: what is known is looked up where it is asked for. Inlined, so that a judge who asks
/// for one field of a life reads that field and does not copy the life. It points into its batch
/// and must not be kept any longer than that: what is kept is a ``KeptEvent``.
@safe public struct ResolvedEvent {
  private let draft: UnsafePointer<ResolvedDraft>
  private let place: Int32

  init(_ frame: ResolvedFrame, _ place: Int32) {
    unsafe draft = UnsafePointer(frame.draft)
    self.place = place
  }

  /// The event.
  @inline(__always)
  public var event: Event { unsafe draft.pointee.events[Int(place)] }
  /// Its ordinal.
  @inline(__always)
  public var ordinal: Ordinal { unsafe draft.pointee.firstOrdinal + Ordinal(place) }
  /// What was known.
  @inline(__always)
  public var resolution: Resolution { unsafe draft.pointee.resolutions[Int(place)] }
  /// The table, if one is known.
  @inline(__always)
  public var table: TableLife? {
    let index = unsafe draft.pointee.resolutions[Int(place)].table
    return index < 0 ? nil : unsafe draft.pointee.tables[Int(index)]
  }
  /// The lock, if one is known.
  @inline(__always)
  public var lock: LockLife? {
    let index = unsafe draft.pointee.resolutions[Int(place)].lock
    return index < 0 ? nil : unsafe draft.pointee.locks[Int(index)]
  }
  /// The callback, if one is known.
  @inline(__always)
  public var callback: CallbackLife? {
    let index = unsafe draft.pointee.resolutions[Int(place)].callback
    return index < 0 ? nil : unsafe draft.pointee.callbacks[Int(index)]
  }
  /// The callback running here, if any.
  @inline(__always)
  public var running: CallbackLife? {
    let index = unsafe draft.pointee.resolutions[Int(place)].running
    return index < 0 ? nil : unsafe draft.pointee.callbacks[Int(index)]
  }

  /// No event is missing between `since` and this one.
  @inline(__always)
  public func isClean(since: Ordinal) -> Bool {
    (since == .none ? 0 : since) >= resolution.cleanSince
  }

  /// No event of this CPU is missing between `since` and this one.
  @inline(__always)
  public func isCPUClean(since: Ordinal) -> Bool {
    (since == .none ? 0 : since) >= resolution.cpuCleanSince
  }

  /// A grace period began after `since` and is over.
  @inline(__always)
  public func gracePeriodPassed(since: Ordinal) -> Bool { resolution.gracePeriodStart > since }

  /// The same, apart from its batch: for the few that are kept for long.
  var alone: KeptEvent {
    var draft = ResolvedDraft()
    var resolution = resolution
    draft.events.append(event)
    draft.firstOrdinal = ordinal
    if let table { draft.tables.append(table) }
    if let lock { draft.locks.append(lock) }
    if let callback { draft.callbacks.append(callback) }
    if let running { draft.callbacks.append(running) }
    resolution.table = table == nil ? -1 : 0
    resolution.lock = lock == nil ? -1 : 0
    resolution.callback = callback == nil ? -1 : 0
    resolution.running = running == nil ? -1 : callback == nil ? 0 : 1
    resolution.subject = -1
    resolution.upper = -1
    draft.resolutions.append(resolution)
    return KeptEvent(ResolvedFrame(draft))
  }
}

/// A ``ResolvedEvent`` with the memory it points at.
struct KeptEvent: Sendable {
  private let frame: ResolvedFrame

  fileprivate init(_ frame: ResolvedFrame) { self.frame = frame }

  /// Shows the event to somebody who does not keep it.
  func with<Result>(_ body: (ResolvedEvent) throws -> Result) rethrows -> Result {
    try withExtendedLifetime(frame) { try body(ResolvedEvent(frame, 0)) }
  }
}

extension ResolvedBatch {
  /// The event at a place of this batch.
  @inline(__always)
  public subscript(place: Int32) -> ResolvedEvent { ResolvedEvent(frame, place) }
}

extension ResolvedBatch {
  /// The section of a reader's event at a place, or the one a sync event lies in.
  @inline(__always)
  public func section(at place: Int32) -> SectionView? {
    let index = unsafe frame.draft.pointee.resolutions[Int(place)].subject
    return index < 0 ? nil : unsafe frame.draft.pointee.sections[Int(index)]
  }

  /// The address space of the event at a place.
  @inline(__always)
  public func space(at place: Int32) -> SpaceLife? {
    let index = unsafe frame.draft.pointee.resolutions[Int(place)].subject
    return index < 0 ? nil : unsafe frame.draft.pointee.spaces[Int(index)]
  }

  /// The gather of the event at a place.
  @inline(__always)
  public func gather(at place: Int32) -> GatherLife? {
    let index = unsafe frame.draft.pointee.resolutions[Int(place)].subject
    return index < 0 ? nil : unsafe frame.draft.pointee.gathers[Int(index)]
  }

  /// The lock of the upper table of the `pt_reclaim` at a place.
  @inline(__always)
  public func upperLock(at place: Int32) -> LockLife? {
    let index = unsafe frame.draft.pointee.resolutions[Int(place)].subject
    return index < 0 ? nil : unsafe frame.draft.pointee.locks[Int(index)]
  }

  /// The table whose entry the install or unlink at a place changed.
  @inline(__always)
  public func upper(at place: Int32) -> TableLife? {
    let index = unsafe frame.draft.pointee.resolutions[Int(place)].upper
    return index < 0 ? nil : unsafe frame.draft.pointee.tables[Int(index)]
  }

  /// The table of the event at a place.
  @inline(__always)
  public func table(at place: Int32) -> TableLife? {
    let index = unsafe frame.draft.pointee.resolutions[Int(place)].table
    return index < 0 ? nil : unsafe frame.draft.pointee.tables[Int(index)]
  }
}
