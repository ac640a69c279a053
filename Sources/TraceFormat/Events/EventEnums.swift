/// The function that gave a table's page back (kernel-facts §1.5, last lines).
public enum FreeFunction: UInt8, CaseIterable, Sendable {
  /// The source does not say.
  case unknown = 0
  /// `pagetable_free()` → `__free_pages()`.
  case pagetableFree = 1
  /// `free_page_and_swap_cache()` (one page, RCU path until v6.13).
  case freePageAndSwapCache = 2
  /// `free_pages_and_swap_cache()` (page gather).
  case freePagesAndSwapCache = 3
  /// `__folio_put()`: last reference dropped (kernels without swap).
  case folioPut = 4

  /// Name in text forms.
  public var name: String {
    switch self {
    case .unknown: "?"
    case .pagetableFree: "pagetable_free"
    case .freePageAndSwapCache: "free_page_and_swap_cache"
    case .freePagesAndSwapCache: "free_pages_and_swap_cache"
    case .folioPut: "__folio_put"
    }
  }
}

/// The function an rcu_head will run.
public enum CallbackFunction: UInt8, CaseIterable, Sendable, BitwiseCopyable {
  /// Something else, or not known.
  case other = 0
  /// `tlb_remove_table_rcu`: a batch; `load` is the number of tables.
  case removeTableBatch = 1
  /// `pte_free_now`: one deferred PTE table; `load` is its pfn.
  case freeDeferred = 2
  /// `__tlb_remove_table_one_rcu`: one fallback table (PT_RECLAIM); `load` is its pfn.
  case removeTableOne = 3

  /// Name in text forms.
  public var name: String {
    switch self {
    case .other: "?"
    case .removeTableBatch: "tlb_remove_table_rcu"
    case .freeDeferred: "pte_free_now"
    case .removeTableOne: "__tlb_remove_table_one_rcu"
    }
  }
}

extension Event {
  /// What a callback event says its callback will run; ``CallbackFunction/other`` for a value that
  /// means nothing.
  public var callbackFunction: CallbackFunction {
    CallbackFunction(rawValue: UInt8(truncatingIfNeeded: arg0)) ?? .other
  }
}

extension Event {
  /// Time of the blind CPU's last event before the hole, where this is a `loss` that tells of it
  /// when it is over (docs/EVENTS.md, Losses); nil for any other event.
  public var holeSince: UInt64? { kind == .loss && arg1 != 0 ? arg1 : nil }
}

/// Reader classes (kernel-facts §4.1).
public enum ReaderClass: UInt8, CaseIterable, Sendable, BitwiseCopyable {
  /// Not known.
  case unknown = 0
  /// Fast GUP: IRQs off for the whole walk; never takes a ptlock.
  case gupFast = 1
  /// `pte_offset_map()` … `pte_unmap()`: content under rcu_read_lock.
  case map = 2
  /// `pte_offset_map_lock()`: as M, plus the ptlock.
  case lock = 3
  /// `pte_offset_map_nolock()`: remembers the lock, takes it later.
  case nolock = 4
  /// `pmd_lock()` users.
  case pmdLock = 5

  /// Name in text forms.
  public var name: String {
    switch self {
    case .unknown: "?"
    case .gupFast: "G"
    case .map: "M"
    case .lock: "L"
    case .nolock: "N"
    case .pmdLock: "P"
    }
  }
}

extension ReaderClass {
  /// Whether such a reader can take the table's ptlock (kernel-facts §4.1): G and M never do.
  public var mayTakeLock: Bool { self != .gupFast && self != .map }
}

/// How a TLB invalidation reaches other CPUs (kernel-facts §1.3).
public enum FlushRoute: UInt8, CaseIterable, Sendable {
  /// The source does not say.
  case unknown = 0
  /// The firmware does it (SBI): a CPU with IRQs off does not delay it.
  case firmware = 1
  /// An interrupt, which each CPU acknowledges: a CPU with IRQs off delays it.
  case interrupt = 2
  /// The hardware does it.
  case broadcast = 3

  /// Name in text forms.
  public var name: String {
    switch self {
    case .unknown: "?"
    case .firmware: "firmware"
    case .interrupt: "ipi"
    case .broadcast: "broadcast"
    }
  }
}

/// Why events are missing (`object` of ``EventKind/loss``).
public enum LossCause: UInt8, CaseIterable, Sendable {
  /// Not said.
  case unknown = 0
  /// The ring buffer overwrote its oldest part before it was read.
  case overrun = 1
  /// The consumer was told: `[LOST n EVENTS]`.
  case lostEvents = 2
  /// Part of a trace file was unreadable and skipped.
  case damagedFile = 3
  /// The reader of a pipe stopped before it had read what this CPU recorded.
  case unread = 4

  /// Name in text forms.
  public var name: String {
    switch self {
    case .unknown: "unknown"
    case .overrun: "ring-buffer overrun"
    case .lostEvents: "lost events"
    case .damagedFile: "damaged file"
    case .unread: "unread rest"
    }
  }
}

extension Event {
  /// Count of a loss that nobody counted.
  public static let unknownCount = UInt64.max
}
