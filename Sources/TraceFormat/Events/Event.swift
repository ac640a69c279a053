/// One event of a trace, fixed size.
///
/// Order is the ordinal in the file; `time` is for people. An event names objects by their raw
/// key (pfn, address); which life of that key is meant is `generation`, which the writer assigns
/// by one rule (``GenerationTracker``) and a reader gets back.
public struct Event: Sendable, Hashable, BitwiseCopyable {
  /// Time in the units of ``Clock``; need not increase.
  public var time: UInt64
  /// Key of the object the event is about; its space is ``EventFields/space``.
  public var object: UInt64
  /// First argument; its meaning is ``EventFields/arg0``.
  public var arg0: UInt64
  /// Second argument; its meaning is ``EventFields/arg1``.
  public var arg1: UInt64
  /// Which life of `object`: 0 = alive before the trace began, then 1, 2 … . Set by the writer.
  public var generation: UInt32
  /// Process id (thread id) the event happened in; 0 is the idle task.
  public var task: UInt32
  /// CPU the event happened on; ``Event/allCPUs`` in a loss that is not bound to one.
  public var cpu: UInt16
  /// What happened.
  public var kind: EventKind
  /// What the CPU was doing.
  public var context: ExecutionContext
  /// Level of the table, where the source knows it.
  public var level: TableLevel
  /// How the event came to be known.
  public var flags: EventFlags

  /// Value of `cpu` in a loss that touches every CPU.
  public static let allCPUs = UInt16.max

  /// Makes an event; everything but kind and time has a neutral default.
  public init(
    _ kind: EventKind, time: UInt64, cpu: UInt16 = 0, task: UInt32 = 0,
    context: ExecutionContext = .task, object: UInt64 = 0, arg0: UInt64 = 0, arg1: UInt64 = 0,
    level: TableLevel = .unknown, flags: EventFlags = [], generation: UInt32 = 0
  ) {
    self.time = time
    self.object = object
    self.arg0 = arg0
    self.arg1 = arg1
    self.generation = generation
    self.task = task
    self.cpu = cpu
    self.kind = kind
    self.context = context
    self.level = level
    self.flags = flags
  }
}

/// What the CPU was doing when an event happened.
public enum ExecutionContext: UInt8, CaseIterable, Sendable, Hashable, BitwiseCopyable {
  /// The source cannot tell.
  case unknown = 0
  /// A user task, in process context.
  case task = 1
  /// A softirq.
  case softirq = 2
  /// A hard interrupt.
  case hardirq = 3
  /// A kernel thread (rcuc/N, rcuop/N, ksoftirqd, the grace-period kthread …).
  case kthread = 4

  /// Name in text forms.
  public var name: String {
    switch self {
    case .unknown: "?"
    case .task: "task"
    case .softirq: "softirq"
    case .hardirq: "hardirq"
    case .kthread: "kthread"
    }
  }
}

/// Level of a page table, bottom up.
public enum TableLevel: UInt8, CaseIterable, Sendable, Hashable, Comparable, BitwiseCopyable {
  /// The source does not say.
  case unknown = 0
  /// PTE table.
  case pte = 1
  /// PMD table.
  case pmd = 2
  /// PUD table.
  case pud = 3
  /// P4D table.
  case p4d = 4
  /// PGD.
  case pgd = 5

  /// Name in text forms.
  public var name: String {
    switch self {
    case .unknown: "?"
    case .pte: "pte"
    case .pmd: "pmd"
    case .pud: "pud"
    case .p4d: "p4d"
    case .pgd: "pgd"
    }
  }

  /// Lower levels come first.
  public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// How an event came to be known.
public struct EventFlags: OptionSet, Sendable, Hashable, BitwiseCopyable {
  /// The bits.
  public let rawValue: UInt8

  /// Makes flags from bits; unknown bits are kept.
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Not observed: an importer concluded it from other events.
  public static let inferred = EventFlags(rawValue: 1)
  /// The table belongs to init_mm (exception E10).
  public static let kernelTable = EventFlags(rawValue: 2)
  /// The entry is one of several that point at a shared hugetlb PMD table (exception E7).
  public static let shared = EventFlags(rawValue: 8)
  /// The table is being freed by madvise (PT_RECLAIM, trigger R of kernel-facts §4.2), said of the
  /// event that queues it.
  public static let reclaimed = EventFlags(rawValue: 4)
}
