import TraceFormat

/// What is known of one page frame.
struct PageRecord {
  /// The allocation since the page was last free was seen.
  var isAllocated = false
  var allocTask: UInt32 = 0
  var allocCPU: UInt16 = 0
  var allocContext = ExecutionContext.unknown
  var order: UInt8 = 0
  /// Number of holes before the allocation: a proof from after a later one may mean another life.
  var allocEpoch = 0

  /// The page is a page table now.
  var isTable = false
  var level = TableLevel.unknown
  var mm: UInt64 = 0
  var slot: UInt64 = 0
  var isInstalled = false
  var isUnlinked = false
  var isDestructed = false
  var isQueued = false
  var isDeferred = false
  /// Sync IPIs that were over when the table was installed.
  var syncsAtInstall = 0
  /// Task whose `pmd_install` is not yet certain, plus one; 0 = none.
  var pendingInstaller = 0
  var putFunction = FreeFunction.unknown

  /// The page was a table, is free again, and was not seen to leave the allocator since.
  var wasTable = false

  /// Forgets the life that ended.
  mutating func endLife() {
    self = PageRecord()
    wasTable = true
  }
}

/// An upper entry being filled by `__pte_alloc()` … `__p4d_alloc()`.
struct AllocBracket {
  var level: TableLevel
  var mm: UInt64
  var slot: UInt64
  /// The table constructed inside.
  var table: UInt64?
  /// Pages allocated inside that may be a table of a level without constructor.
  var candidate: UInt64?
  var candidates = 0
}

/// What a task is in the middle of. Interrupts of a CPU have a record of their own.
struct TaskRecord {
  var name = CommandName()
  var isKernelThread = false
  /// `rcuc/N`, `rcuop/N`, `ksoftirqd/N`: runs RCU callbacks as a thread.
  var runsCallbacks = false
  var lastCPU = 0

  var bracket: AllocBracket?
  /// Level of the table `___pXd_free_tlb()` is about to queue.
  var freeing = TableLevel.unknown
  var gather: UInt64 = 0
  var gatherMM: UInt64 = 0
  var finishing = false
  var isInFreeRange = false
  /// Tables queued since the last `call_rcu()`.
  var queued: UInt64 = 0
  /// The last thing this task did was to queue a table.
  var justQueued = false

  var install: Event?
  var flush: Event?
  /// Table `ptlock_alloc()` was called for.
  var lockTable: UInt64?
  /// Lock that was allocated for a table not yet known.
  var lockAddress: UInt64?
  /// Head whose `call_rcu()` was just seen.
  var calledHead: UInt64 = 0
  var isSyncing = false
  /// The mm whose PGD is being allocated.
  var newMM: UInt64 = 0
  /// Slot of the `pte_offset_map_lock()` that is under way.
  var lockedSlot: UInt64 = 0
  var isInGUP = false

  /// Whether the task's next line may bring something to its end.
  @inline(__always)
  var isUnsettled: Bool {
    install != nil || lockAddress != nil || lockTable != nil || flush != nil || finishing
      || justQueued
  }

  /// Forgets what was under way: a hole came between.
  mutating func forget() {
    bracket = nil
    freeing = .unknown
    isInFreeRange = false
    finishing = false
    justQueued = false
    flush = nil
    lockTable = nil
    calledHead = 0
    isSyncing = false
    newMM = 0
    lockedSlot = 0
  }
}

/// What one CPU is in the middle of.
struct CPURecord {
  /// A callback that runs.
  struct Callback {
    var head: UInt64
    var function: CallbackFunction
    var load: UInt64
    var pid: UInt32
    var isThread: Bool
    /// The flags of the line that began it say softirq: one whose flags say neither softirq nor
    /// hardirq comes after its end.
    var showsSoftirq: Bool
    var sawProbe: Bool
    var sawTracepoint: Bool
  }

  /// What a line of the CPU was found to be part of.
  struct Situation {
    var pid: UInt32
    var interrupt: UInt8
    var context: ExecutionContext
    var isTaskWork: Bool
    /// The record of the line's task, and the one of whose work the line is.
    var own: Int
    var task: Int
    /// Number of renames before the line.
    var renames: Int
  }

  var callback: Callback? { didSet { situation = nil } }
  /// Of the last line, if nothing on the CPU has changed since.
  var situation: Situation?
  /// A callback the trace point named; its probe, which knows the load, follows.
  var announced: Event?
  /// What the flags of that line said.
  var announcedInSoftirq = false
  /// Task that is inside `rcu_do_batch()`.
  var runTask: UInt32? { didSet { situation = nil } }
  var interrupts: Int?
  var recentPid: UInt32?
  var recentTask = 0
  var hasBegun = false
  /// Time of its last event.
  var lastTime: UInt64 = 0
  /// Lock whose free a probe just showed; the slab's trace point follows on the same CPU.
  var freedLock: UInt64 = 0
  /// Table whose lock a probe just showed to be freed, where only the slab names the lock.
  var freeingTable: UInt64?
}

/// What is known of the lock at an address.
struct LockRecord {
  /// The table it belongs to; 0 if unknown.
  var table: UInt64
  /// Number of holes before its allocation or free: behind a later one all may be different.
  var epoch: Int
  /// It was freed, and its allocation not seen since.
  var isFreed = false
}

/// An rcu_head that was seen at `call_rcu()`.
struct HeadRecord {
  var function: CallbackFunction
  var load: UInt64
}
