public import TraceFormat

/// How a table left its mm (kernel-facts §1.5, §2.4, §5).
public enum TeardownPath: UInt8, Sendable {
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
public enum Placement: UInt8, Sendable, CaseIterable, Hashable {
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
/// An ordinal is ``Ordinal/none`` for what has not been seen.
public struct TableLife: Sendable {
  /// Page frame number.
  public var pfn: UInt64
  /// mm that allocated or installed it; 0 if unknown.
  public var mm: UInt64 = 0
  /// First event of this life.
  public var firstAt: Ordinal = .none
  /// Allocation.
  public var allocAt: Ordinal = .none
  /// Last constructor.
  public var constructAt: Ordinal = .none
  /// First install.
  public var installAt: Ordinal = .none
  /// Last unlink.
  public var unlinkAt: Ordinal = .none
  /// Queue or defer.
  public var queueAt: Ordinal = .none
  /// No-memory fallback.
  public var fallbackAt: Ordinal = .none
  /// First destructor after the last constructor.
  public var destructAt: Ordinal = .none
  /// Free of its lock object.
  public var lockFreeAt: Ordinal = .none
  /// Last free of its page.
  public var freeAt: Ordinal = .none
  /// Its page type was cleared.
  public var typeClearAt: Ordinal = .none
  /// Last deposit.
  public var depositAt: Ordinal = .none
  /// Withdrawal since the last deposit.
  public var withdrawAt: Ordinal = .none
  /// Address of the entry it was installed in last.
  public var slot: UInt64 = 0
  /// The last entry that was seen to be filled with the page, in this life or one before …
  var entry: UInt64 = 0
  /// … and where, until it is seen to be cleared.
  var enteredAt: Ordinal = .none
  /// Since when there has been, or last was, at least one such entry.
  public var childAt: Ordinal = .none
  /// Since when there has been at least one such load.
  public var loadedSince: Ordinal = .none
  /// Which life of that page; 0 = already alive when the trace began.
  public var generation: UInt32
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
  /// Constructor calls seen (saturating).
  public var constructors: UInt8 = 0
  /// Destructor calls seen (saturating).
  public var destructors: UInt8 = 0
  /// Frees seen (saturating).
  public var frees: UInt8 = 0
  /// `pt_alloc` was seen.
  public var bornInTrace = false
  /// Its page was seen to be cleared.
  public var isZeroed = false
  /// An entry points at it now.
  public var installed = false
  /// The queue event was concluded, not observed.
  public var queueInferred = false
  /// It lies deposited on a PMD table, or once did (E4).
  public var deposited = false
  /// A separately allocated ptlock was seen.
  public var hasLockObject = false
  /// The table belongs to init_mm (E10).
  public var kernelTable = false
  /// The last unlink was concluded, not observed.
  public var unlinkInferred = false
  /// Where in the teardown its page type was cleared.
  public var typeClearPlacement = Placement.none
  /// Where in the teardown the destructor ran.
  public var destructPlacement = Placement.none
  /// Where in the teardown the lock object was freed.
  public var lockFreePlacement = Placement.none
  /// A grace period that began after the observed unlink was over when the destructor ran.
  public var destructWaited = false
  /// The same of the free of its lock object.
  public var lockFreeWaited = false
  /// The same of the clearing of its page type.
  public var typeClearWaited = false
  /// Its teardown began inside the callback it waits for.
  var isTorn = false
  /// It counts among the tables its callback waits for.
  var holdsCallback = false

  init(pfn: UInt64, generation: UInt32, firstAt: Ordinal) {
    self.pfn = pfn
    self.generation = generation
    self.firstAt = firstAt
  }

  /// The page is back in the allocator.
  public var isFreed: Bool { frees > 0 }
  /// Constructed in this trace.
  public var isConstructed: Bool { constructors > 0 }
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
