public import TraceFormat

/// One life of an mm, from `mm_new` to the next at the same address.
public struct SpaceLife: Sendable, BitwiseCopyable {
  /// Address of the mm_struct.
  public var address: UInt64
  /// Which life of that address.
  public var generation: UInt32
  /// `mm_new` was seen.
  public var bornInTrace = false
  /// First event of this life.
  public var firstAt: Ordinal = .none
  /// Its last gather is done with it: `mm_free` was seen.
  public var freeAt: Ordinal = .none
  /// Sum of the `mm_bytes` seen: `pgtables_bytes` if it was born in the trace.
  public var tableBytes: Int64 = 0
}

/// One use of an mmu_gather, from `gather_start` to `gather_finish`.
public struct GatherLife: Sendable, BitwiseCopyable {
  /// Address of the gather, on the stack of its task.
  public var address: UInt64
  /// The mm it works on.
  public var mm: UInt64 = 0
  /// Task whose stack it lies on.
  public var task: UInt32 = 0
  /// `gather_start`; ``Ordinal/none`` where that was not seen.
  public var startedAt: Ordinal = .none
  /// `gather_finish`.
  public var finishedAt: Ordinal = .none
  /// Sum of the `mm_flush_pending` of its task since it started.
  public var flushPending: Int64 = 0
  /// Where that last changed.
  public var flushPendingAt: Ordinal = .none
  /// A table was put into its page list last.
  public var pageQueuedAt: Ordinal = .none
  /// A TLB invalidation of its task ended last.
  public var flushedAt: Ordinal = .none
}

/// What is known of a reader section, and of the table it is busy with, before an event.
public struct SectionView: Sendable, BitwiseCopyable {
  /// Class of its reader.
  public var readerClass: ReaderClass
  /// CPU and task it was opened by.
  public var cpu: UInt16
  /// The task.
  public var task: UInt32
  /// `rd_enter`.
  public var openedAt: Ordinal
  /// Where the section loaded the table; ``Ordinal/none`` if that was not seen.
  public var loadedAt: Ordinal = .none
  /// Where it last took the table's lock.
  public var lockedAt: Ordinal = .none
  /// Where it last compared the entries again.
  public var recheckedAt: Ordinal = .none
  /// They were unchanged.
  public var isUnchanged = false
  /// A page was pinned there and the entries were not compared since.
  public var unverifiedPinAt: Ordinal = .none
}
