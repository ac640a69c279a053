public import TraceFormat

/// What the resolver knew about an event just before it happened.
///
/// Indices point into the snapshot arrays of the same ``ResolvedBatch``; -1 = nothing known.
public struct Resolution: Sendable {
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
public struct ResolvedBatch: Sendable {
  var frame: ResolvedFrame

  init(_ frame: ResolvedFrame) { self.frame = frame }

  /// An empty batch.
  public init() { frame = ResolvedFrame(ResolvedDraft()) }

  /// The events.
  public var events: [Event] { frame.draft.events }
  /// Ordinal of the first event.
  public var firstOrdinal: Ordinal { frame.draft.firstOrdinal }
  /// One per event.
  public var resolutions: [Resolution] { frame.draft.resolutions }
  /// One per `pt_free`, in order.
  public var frees: [FreeView] { frame.draft.frees }
  /// One per `call_rcu`, in order: the invalidation of the batch it is for.
  public var calls: [FlushView] { frame.draft.calls }
  /// One per `hw_access`, in order.
  public var walks: [WalkView] { frame.draft.walks }

  /// Places of the events of `kind`, in order.
  public func places(of kind: EventKind) -> ArraySlice<Int32> {
    let kind = Int(kind.rawValue)
    let starts = frame.draft.placesOfKind
    return frame.draft.places[Int(starts[kind])..<Int(starts[kind + 1])]
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
/// Sendable because it is changed only by a batch that is its one owner.
final class ResolvedFrame: @unchecked Sendable {
  private(set) var draft: ResolvedDraft

  init(_ draft: consuming ResolvedDraft) { self.draft = draft }

  /// Empties the frame; its one owner may.
  func take() -> ResolvedDraft {
    let taken = draft
    draft = ResolvedDraft.empty
    return taken
  }

  /// Fills the frame; its one owner may.
  func put(_ draft: consuming ResolvedDraft) { self.draft = draft }
}

/// What the resolver writes; it becomes a ``ResolvedFrame``.
struct ResolvedDraft {
  var events: [Event] = []
  var firstOrdinal: Ordinal = 0
  var resolutions: [Resolution] = []
  /// Snapshots of lives, to which the resolutions point.
  var tables: [TableLife] = []
  var locks: [LockLife] = []
  var callbacks: [CallbackLife] = []
  var sections: [SectionView] = []
  var spaces: [SpaceLife] = []
  var gathers: [GatherLife] = []
  var frees: [FreeView] = []
  var calls: [FlushView] = []
  var walks: [WalkView] = []
  /// Places of all events, kind by kind …
  var places: [Int32] = []
  /// … and where those of each kind begin, by its raw value.
  var placesOfKind = [Int32](repeating: 0, count: Self.kinds + 1)

  /// Raw values of a kind.
  private static let kinds = 256
  /// Nothing, of which no copy costs anything.
  static let empty = ResolvedDraft()

  init() {}

  /// Begins with `events`, in the memory of what was there before.
  mutating func begin(_ events: ArraySlice<Event>, at first: Ordinal) {
    self.events.removeAll(keepingCapacity: true)
    self.events.append(contentsOf: events)
    firstOrdinal = first
    resolutions.removeAll(keepingCapacity: true)
    tables.removeAll(keepingCapacity: true)
    locks.removeAll(keepingCapacity: true)
    callbacks.removeAll(keepingCapacity: true)
    sections.removeAll(keepingCapacity: true)
    spaces.removeAll(keepingCapacity: true)
    gathers.removeAll(keepingCapacity: true)
    frees.removeAll(keepingCapacity: true)
    calls.removeAll(keepingCapacity: true)
    walks.removeAll(keepingCapacity: true)
    Self.sort(self.events, into: &places, &placesOfKind)
  }

  /// Sorts the places of `events` by kind, each kind's in order.
  private static func sort(
    _ events: [Event], into places: inout [Int32], _ placesOfKind: inout [Int32]
  ) {
    if places.count < events.count { places = Array(repeating: 0, count: events.count) }
    let events = events.span
    var starts = placesOfKind.mutableSpan
    for kind in starts.indices { starts[kind] = 0 }
    for place in events.indices { starts[Int(events[place].kind.rawValue)] += 1 }
    // Where each kind ends; going backwards it becomes where it begins.
    var end: Int32 = 0
    for kind in starts.indices {
      end += starts[kind]
      starts[kind] = end
    }
    var sorted = places.mutableSpan
    for place in events.indices.reversed() {
      let kind = Int(events[place].kind.rawValue)
      starts[kind] -= 1
      sorted[Int(starts[kind])] = Int32(truncatingIfNeeded: place)
    }
  }
}

/// One event with everything known before it: the convenient view of a ``ResolvedBatch``.
///
/// A few bytes: what is known is looked up where it is asked for. Inlined, so that a judge who asks
/// for one field of a life reads that field and does not copy the life.
public struct ResolvedEvent: Sendable {
  private let frame: ResolvedFrame
  private let place: Int32

  init(_ frame: ResolvedFrame, _ place: Int32) {
    self.frame = frame
    self.place = place
  }

  /// The event.
  @inline(__always)
  public var event: Event { frame.draft.events[Int(place)] }
  /// Its ordinal.
  @inline(__always)
  public var ordinal: Ordinal { frame.draft.firstOrdinal + Ordinal(place) }
  /// What was known.
  @inline(__always)
  public var resolution: Resolution { frame.draft.resolutions[Int(place)] }
  /// The table, if one is known.
  @inline(__always)
  public var table: TableLife? {
    let index = frame.draft.resolutions[Int(place)].table
    return index < 0 ? nil : frame.draft.tables[Int(index)]
  }
  /// The lock, if one is known.
  @inline(__always)
  public var lock: LockLife? {
    let index = frame.draft.resolutions[Int(place)].lock
    return index < 0 ? nil : frame.draft.locks[Int(index)]
  }
  /// The callback, if one is known.
  @inline(__always)
  public var callback: CallbackLife? {
    let index = frame.draft.resolutions[Int(place)].callback
    return index < 0 ? nil : frame.draft.callbacks[Int(index)]
  }
  /// The callback running here, if any.
  @inline(__always)
  public var running: CallbackLife? {
    let index = frame.draft.resolutions[Int(place)].running
    return index < 0 ? nil : frame.draft.callbacks[Int(index)]
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
  var alone: ResolvedEvent {
    var draft = ResolvedDraft()
    var resolution = resolution
    draft.begin([event], at: ordinal)
    draft.tables = table.map { [$0] } ?? []
    draft.locks = lock.map { [$0] } ?? []
    draft.callbacks = [callback, running].compactMap { $0 }
    resolution.table = table == nil ? -1 : 0
    resolution.lock = lock == nil ? -1 : 0
    resolution.callback = callback == nil ? -1 : 0
    resolution.running = running == nil ? -1 : callback == nil ? 0 : 1
    resolution.subject = -1
    resolution.upper = -1
    draft.resolutions = [resolution]
    return ResolvedEvent(ResolvedFrame(draft), 0)
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
    let index = frame.draft.resolutions[Int(place)].subject
    return index < 0 ? nil : frame.draft.sections[Int(index)]
  }

  /// The address space of the event at a place.
  @inline(__always)
  public func space(at place: Int32) -> SpaceLife? {
    let index = frame.draft.resolutions[Int(place)].subject
    return index < 0 ? nil : frame.draft.spaces[Int(index)]
  }

  /// The gather of the event at a place.
  @inline(__always)
  public func gather(at place: Int32) -> GatherLife? {
    let index = frame.draft.resolutions[Int(place)].subject
    return index < 0 ? nil : frame.draft.gathers[Int(index)]
  }

  /// The lock of the upper table of the `pt_reclaim` at a place.
  @inline(__always)
  public func upperLock(at place: Int32) -> LockLife? {
    let index = frame.draft.resolutions[Int(place)].subject
    return index < 0 ? nil : frame.draft.locks[Int(index)]
  }

  /// The table whose entry the install or unlink at a place changed.
  @inline(__always)
  public func upper(at place: Int32) -> TableLife? {
    let index = frame.draft.resolutions[Int(place)].upper
    return index < 0 ? nil : frame.draft.tables[Int(index)]
  }

  /// The table of the event at a place.
  @inline(__always)
  public func table(at place: Int32) -> TableLife? {
    let index = frame.draft.resolutions[Int(place)].table
    return index < 0 ? nil : frame.draft.tables[Int(index)]
  }
}
