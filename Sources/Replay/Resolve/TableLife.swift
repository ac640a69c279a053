public import TraceFormat

/// How a table left its mm (kernel-facts §1.5, §2.4, §5).
public enum TeardownPath: UInt8, Sendable, BitwiseCopyable {
  /// Not queued: in use, or an ending that needs no grace period (E1, E2, E4, E8).
  case none
  /// Table batch, freed by an RCU callback.
  case batch
  /// Page gather, freed right after the TLB flush.
  case page
  /// No memory for a batch: freed on its own (`tlb_remove_table_one()`).
  case fallback
  /// `pte_free_defer()`: a callback of its own (E3).
  case deferred
}

/// Where in a teardown something happened to a table.
public enum Placement: UInt8, Sendable, CaseIterable, Hashable, BitwiseCopyable {
  /// Not seen.
  case none
  /// Outside any teardown that waits for readers (E1, E4, E8 …).
  case direct
  /// Before the table was queued.
  case beforeQueue
  /// After it was queued, with no grace period since.
  case withoutGracePeriod
  /// After a grace period, but outside any callback.
  case afterGracePeriod
  /// Inside an RCU callback.
  case inCallback

  /// In words.
  public var phrase: String {
    switch self {
    case .none: "not seen"
    case .direct: "directly, never queued"
    case .beforeQueue: "before the table was queued"
    case .withoutGracePeriod: "after the queue, without a grace period"
    case .afterGracePeriod: "after a grace period, outside any callback"
    case .inCallback: "inside the RCU callback"
    }
  }
}

/// One life of one page table, from `pt_alloc` to the next, as far as the trace has shown it.
///
/// An ordinal is ``Ordinal/none`` for what has not been seen. Packed: see ``NearbyOrdinals``.
public struct TableLife: Sendable, BitwiseCopyable {
  /// Page frame number.
  public let pfn: UInt64
  /// First event of this life.
  public let firstAt: Ordinal
  /// mm that allocated or installed it; 0 if unknown.
  public var mm: UInt64 = 0
  /// The last entry that was seen to be filled with the page, in this life or one before.
  private(set) var entry: UInt64 = 0
  private var ordinals = NearbyOrdinals<14>()
  private var flags = LifeFlags()
  /// Which life of that page; 0 = already alive when the trace began.
  public let generation: UInt32
  /// NR_PAGETABLE change at construction.
  public var pages: Int32 = 0
  /// Entries that point at it: more than one only for a shared hugetlb PMD table (E7).
  public var entries: Int32 = 0
  /// Entries of its own that point at lower tables, as far as installs and unlinks were seen.
  public var children: Int32 = 0
  /// Task of the destructor.
  public var destructTask: UInt32 = 0
  /// Callback run the destructor ran in; 0 = none.
  public var destructRun: UInt32 = 0
  /// Slot of its lock's life, -1 if none.
  public var lock: Int32 = -1
  /// Slot of the callback it waits for, -1 if none.
  public var callback: Int32 = -1
  /// Serial of that callback, to tell it from a later user of the slot.
  public var callbackSerial: UInt32 = 0
  /// Place in its batch.
  public var batchIndex: Int32 = -1
  /// Open reader sections that loaded it.
  public var openLoads: Int32 = 0
  /// CPU of the destructor.
  public var destructCPU: UInt16 = 0
  /// Level, once any event has told it.
  public var level: TableLevel = .unknown
  /// Path of the teardown so far.
  public var path: TeardownPath = .none
  /// Where in the teardown its page type was cleared.
  public var typeClearPlacement = Placement.none
  /// Where in the teardown the destructor ran.
  public var destructPlacement = Placement.none
  /// Where in the teardown the lock object was freed.
  public var lockFreePlacement = Placement.none

  init(pfn: UInt64, generation: UInt32, firstAt: Ordinal) {
    self.pfn = pfn
    self.generation = generation
    self.firstAt = firstAt
  }

  /// The life of a page that is allocated, after the life it had before.
  init(allocated event: Event, at position: Ordinal, after before: TableLife?) {
    self.init(pfn: event.object, generation: event.generation, firstAt: position)
    isAllocated = true
    guard let before else { return }
    entry = before.entry
    enteredAt = before.enteredAt
  }

  /// An entry was filled with the page.
  mutating func enter(_ address: UInt64, at position: Ordinal) {
    entry = address
    enteredAt = position
    hasEntry = true
  }

  /// Address of the entry it was installed in last; 0 if that was not seen in this life.
  public var slot: UInt64 { hasEntry ? entry : 0 }
  /// Allocation.
  public var allocAt: Ordinal { isAllocated ? firstAt : .none }
  /// Something of each of its cache lines, which lie anyhow.
  var farEnds: Int32 {
    Int32(truncatingIfNeeded: pfn) &+ ordinals.somewhere &+ pages
      &+ Int32(truncatingIfNeeded: typeClearPlacement.rawValue)
  }
  /// Lies deposited on a PMD table now.
  public var isDeposited: Bool { depositAt != .none && withdrawAt == .none }
  /// Constructed and not destructed.
  var owesDestructor: Bool { isConstructed && destructAt == .none }
  /// Since when no new walk can reach it, as far as was observed: the unlink where it was seen,
  /// else the queueing.
  public var unreachableSince: Ordinal {
    unlinkAt != .none && !unlinkInferred ? unlinkAt : queueAt
  }
  /// The same for judges who must not take a later place for it, because what they ask for may lie
  /// in between: ``Ordinal/none`` where nothing but the fallback was seen, or the deferral, before
  /// which `pte_free_defer()`'s callers invalidate.
  var certainlyUnreachableSince: Ordinal {
    if unlinkAt != .none, !unlinkInferred { return unlinkAt }
    return path == .deferred || queueAt == fallbackAt ? .none : queueAt
  }
}

// What is packed.
extension TableLife {
  /// Last constructor.
  public internal(set) var constructAt: Ordinal {
    get { ordinals[0, from: firstAt] }
    set { ordinals[0, from: firstAt] = newValue }
  }
  /// First install.
  public internal(set) var installAt: Ordinal {
    get { ordinals[1, from: firstAt] }
    set { ordinals[1, from: firstAt] = newValue }
  }
  /// Last unlink.
  public internal(set) var unlinkAt: Ordinal {
    get { ordinals[2, from: firstAt] }
    set { ordinals[2, from: firstAt] = newValue }
  }
  /// Queue or defer.
  public internal(set) var queueAt: Ordinal {
    get { ordinals[3, from: firstAt] }
    set { ordinals[3, from: firstAt] = newValue }
  }
  /// No-memory fallback.
  public internal(set) var fallbackAt: Ordinal {
    get { ordinals[4, from: firstAt] }
    set { ordinals[4, from: firstAt] = newValue }
  }
  /// First destructor after the last constructor.
  public internal(set) var destructAt: Ordinal {
    get { ordinals[5, from: firstAt] }
    set { ordinals[5, from: firstAt] = newValue }
  }
  /// Free of its lock object.
  public internal(set) var lockFreeAt: Ordinal {
    get { ordinals[6, from: firstAt] }
    set { ordinals[6, from: firstAt] = newValue }
  }
  /// Last free of its page.
  public internal(set) var freeAt: Ordinal {
    get { ordinals[7, from: firstAt] }
    set { ordinals[7, from: firstAt] = newValue }
  }
  /// Its page type was cleared.
  public internal(set) var typeClearAt: Ordinal {
    get { ordinals[8, from: firstAt] }
    set { ordinals[8, from: firstAt] = newValue }
  }
  /// Last deposit.
  public internal(set) var depositAt: Ordinal {
    get { ordinals[9, from: firstAt] }
    set { ordinals[9, from: firstAt] = newValue }
  }
  /// Withdrawal since the last deposit.
  public internal(set) var withdrawAt: Ordinal {
    get { ordinals[10, from: firstAt] }
    set { ordinals[10, from: firstAt] = newValue }
  }
  /// Where ``entry`` was filled in, until it is seen to be cleared.
  var enteredAt: Ordinal {
    get { ordinals[11, from: firstAt] }
    set { ordinals[11, from: firstAt] = newValue }
  }
  /// Since when there has been, or last was, at least one entry that points at a lower table.
  public internal(set) var childAt: Ordinal {
    get { ordinals[12, from: firstAt] }
    set { ordinals[12, from: firstAt] = newValue }
  }
  /// Since when there has been at least one open load.
  public internal(set) var loadedSince: Ordinal {
    get { ordinals[13, from: firstAt] }
    set { ordinals[13, from: firstAt] = newValue }
  }
  /// `pt_alloc` was seen.
  public internal(set) var bornInTrace: Bool {
    get { flags[0] }
    set { flags[0] = newValue }
  }
  /// Constructed in this trace.
  public internal(set) var isConstructed: Bool {
    get { flags[1] }
    set { flags[1] = newValue }
  }
  /// The page is back in the allocator.
  public internal(set) var isFreed: Bool {
    get { flags[2] }
    set { flags[2] = newValue }
  }
  /// Its page was seen to be cleared.
  public internal(set) var isZeroed: Bool {
    get { flags[3] }
    set { flags[3] = newValue }
  }
  /// An entry points at it now.
  public internal(set) var installed: Bool {
    get { flags[4] }
    set { flags[4] = newValue }
  }
  /// The queue event was concluded, not observed.
  public internal(set) var queueInferred: Bool {
    get { flags[5] }
    set { flags[5] = newValue }
  }
  /// It lies deposited on a PMD table, or once did (E4).
  public internal(set) var deposited: Bool {
    get { flags[6] }
    set { flags[6] = newValue }
  }
  /// A separately allocated ptlock was seen.
  public internal(set) var hasLockObject: Bool {
    get { flags[7] }
    set { flags[7] = newValue }
  }
  /// The table belongs to init_mm (E10).
  public internal(set) var kernelTable: Bool {
    get { flags[8] }
    set { flags[8] = newValue }
  }
  /// The last unlink was concluded, not observed.
  public internal(set) var unlinkInferred: Bool {
    get { flags[9] }
    set { flags[9] = newValue }
  }
  /// A grace period that began after the observed unlink was over when the destructor ran.
  public internal(set) var destructWaited: Bool {
    get { flags[10] }
    set { flags[10] = newValue }
  }
  /// The same of the free of its lock object.
  public internal(set) var lockFreeWaited: Bool {
    get { flags[11] }
    set { flags[11] = newValue }
  }
  /// The same of the clearing of its page type.
  public internal(set) var typeClearWaited: Bool {
    get { flags[12] }
    set { flags[12] = newValue }
  }
  /// Its teardown began inside the callback it waits for.
  var isTorn: Bool {
    get { flags[13] }
    set { flags[13] = newValue }
  }
  /// It counts among the tables its callback waits for.
  var holdsCallback: Bool {
    get { flags[14] }
    set { flags[14] = newValue }
  }
  /// Its allocation was seen, or concluded.
  private var isAllocated: Bool {
    get { flags[15] }
    set { flags[15] = newValue }
  }
  /// It was seen to be installed in ``entry`` in this life.
  private var hasEntry: Bool {
    get { flags[16] }
    set { flags[16] = newValue }
  }
}
