public import TraceFormat

/// One life of a lock object, from `ptl_alloc` to the next at the same address.
///
/// Packed: see ``NearbyOrdinals``.
public struct LockLife: Sendable, BitwiseCopyable {
  /// Address of the object.
  public let address: UInt64
  /// pfn of that table; 0 if unknown.
  public var pfn: UInt64 = 0
  /// First event of this life.
  private let firstAt: Ordinal
  private var ordinals = NearbyOrdinals<4>()
  private var flags = LifeFlags()
  /// Which life of that address.
  public let generation: UInt32
  /// Slot of the table it belongs to, -1 if unknown.
  public var table: Int32 = -1
  /// Generation of that table.
  public var tableGeneration: UInt32 = 0
  /// Task that holds it.
  public var holder: UInt32 = 0
  /// Readers spinning on it.
  public var waiters: Int32 = 0
  /// Open sections of readers that may take it, and loaded the table it belongs to.
  public var openLoads: Int32 = 0
  /// Its place among the locks that are held, -1 while it is not.
  var place: Int32 = -1
  /// CPU it was taken on.
  public var holderCPU: UInt16 = 0

  /// A life of which only a part is seen.
  init(seen event: Event, at position: Ordinal) {
    address = event.object
    generation = event.generation
    firstAt = position
  }

  /// The life of a lock that is allocated for a table.
  init(allocated event: Event, at position: Ordinal, table: Int32) {
    self.init(seen: event, at: position)
    pfn = event.arg0
    self.table = table
    bornInTrace = true
  }

  /// Something of each of its cache lines, which lie anyhow.
  var farEnds: Int32 { Int32(truncatingIfNeeded: address) &+ place }
  /// Allocation.
  public var allocAt: Ordinal { bornInTrace ? firstAt : .none }
  /// Free.
  public internal(set) var freeAt: Ordinal {
    get { ordinals[0, from: firstAt] }
    set { ordinals[0, from: firstAt] = newValue }
  }
  /// When it was last taken, ``Ordinal/none`` while nobody holds it.
  public internal(set) var heldSince: Ordinal {
    get { ordinals[1, from: firstAt] }
    set { ordinals[1, from: firstAt] = newValue }
  }
  /// When the first of its waiters began to spin.
  public internal(set) var waitingSince: Ordinal {
    get { ordinals[2, from: firstAt] }
    set { ordinals[2, from: firstAt] = newValue }
  }
  /// Since when there has been at least one such load.
  public internal(set) var loadedSince: Ordinal {
    get { ordinals[3, from: firstAt] }
    set { ordinals[3, from: firstAt] = newValue }
  }
  /// `ptl_alloc` was seen.
  public private(set) var bornInTrace: Bool {
    get { flags[0] }
    set { flags[0] = newValue }
  }
  /// `ptl_free` was seen.
  public internal(set) var freed: Bool {
    get { flags[1] }
    set { flags[1] = newValue }
  }
}

/// One use of an rcu_head, from `call_rcu` to the next of the same head. For a table batch it
/// begins when the first table is queued, before the head is known.
public struct CallbackLife: Sendable, BitwiseCopyable {
  /// Address of the head; 0 while a batch is still open.
  public var head: UInt64
  /// What `call_rcu` said: tables in the batch, or pfn of the one table.
  public var load: UInt64 = 0
  /// Gather the tables were queued on.
  public var gather: UInt64 = 0
  /// mm of the last table queued.
  public var mm: UInt64 = 0
  /// Since when none of its tables can be reached.
  public var unreachableSince: Ordinal = .none
  /// The same without its last member, which may fall back and leave it.
  var unreachableBefore: Ordinal = .none
  /// First table queued.
  public var openedAt: Ordinal = .none
  /// The `call_rcu`.
  public var queuedAt: Ordinal = .none
  /// Start of its last run.
  public var startedAt: Ordinal = .none
  /// End of its last run.
  public var endedAt: Ordinal = .none
  /// Start of the last grace period that was over when it started.
  public var gracePeriodAtStart: Ordinal = .none
  /// The last of them.
  public var pageFreedAt: Ordinal = .none
  /// Which use of that head.
  public var generation: UInt32
  /// Number of this callback in the trace, from 1.
  public var serial: UInt32
  /// Task of the `call_rcu`, of the first queueing before it.
  public var task: UInt32 = 0
  /// Tables seen to be queued into it.
  public var members: Int32 = 0
  /// Members whose destructor is still owed when they are queued.
  public var destructorsOwed: Int32 = 0
  /// Place of the next member.
  var nextIndex: Int32 = 0
  /// Members that are not freed yet; as long as there are any, the slot is kept.
  var waiting: Int32 = 0
  /// Runs of it in progress.
  var active: Int32 = 0
  /// Members whose teardown began inside it.
  public var torn: Int32 = 0
  /// Highest place of a member whose teardown began.
  public var lastIndex: Int32 = -1
  /// CPU and task of the `call_rcu`.
  public var cpu: UInt16 = 0
  /// What it will run.
  public var function: CallbackFunction = .other
  /// Runs (saturating).
  public var runs: UInt8 = 0
  /// Its head is in use again, or its batch was given up.
  var isSuperseded = false
  /// Every table of the batch is known by its queue event.
  public var isComplete = false
  /// Batch page frees seen (saturating).
  public var pageFrees: UInt8 = 0
}

/// One reader section that is open; its slot and the room for its loads are used again.
struct SectionLife {
  var key: UInt64 = 0
  var generation: UInt32 = 0
  var readerClass: ReaderClass = .unknown
  var cpu: UInt16 = 0
  var task: UInt32 = 0
  var openedAt: Ordinal = .none
  /// Its place among the open sections, -1 while it is not.
  var place: Int32 = -1
  var loads: [Load] = []

  struct Load {
    var table: Int32
    var pfn: UInt64
    var tableGeneration: UInt32
    var lock: Int32
    var lockGeneration: UInt32
    var at: Ordinal
    var lockedAt: Ordinal = .none
    var recheckedAt: Ordinal = .none
    var isUnchanged = false
    var pinnedAt: Ordinal = .none
  }

  /// Begins with an `rd_enter`.
  mutating func open(_ event: Event, at position: Ordinal) {
    key = event.object
    generation = event.generation
    readerClass = ReaderClass(rawValue: UInt8(truncatingIfNeeded: event.arg0)) ?? .unknown
    cpu = event.cpu
    task = event.task
    openedAt = position
  }
}
