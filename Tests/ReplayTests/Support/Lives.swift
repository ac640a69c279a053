import TraceFormat

/// Ready-made lives: what a kernel does with a table, stage by stage (kernel-facts §1.5, §2.4, §5).
extension Trace {
  static func head(_ pfn: UInt64) -> UInt64 { 0xffff_8000 &+ pfn &* 0x1000 }
  static func lockAddress(_ pfn: UInt64) -> UInt64 { 0xaaaa_0000 &+ pfn &* 64 }

  /// Allocated, constructed (with a lock object if asked for) and installed.
  mutating func born(_ pfns: UInt64..., locks: Bool = false, level: TableLevel = .pte) {
    for pfn in pfns {
      alloc(pfn, level)
      zero(pfn)
      if locks { lockAlloc(Self.lockAddress(pfn), of: pfn) }
      ctor(pfn)
      install(pfn)
    }
  }

  /// The whole destructor: the lock object goes first.
  mutating func destruct(_ pfn: UInt64, locks: Bool = false) {
    if locks { lockFree(Self.lockAddress(pfn), of: pfn) }
    dtor(pfn)
  }

  /// What happens in a softirq on `cpu` while `task` is interrupted.
  mutating func callback(
    _ head: UInt64, _ function: CallbackFunction = .removeTableBatch, cpu: UInt16 = 1,
    task: UInt32 = 0, context: ExecutionContext = .softirq, _ body: (inout Trace) -> Void
  ) {
    on(cpu: cpu, task: task, context: context) {
      $0.cbStart(head, function)
      body(&$0)
      $0.cbEnd(head)
    }
  }

  /// Unlinked, queued, invalidated and given to call_rcu; S1 destructs each table just before it is queued.
  mutating func queueBatch(
    _ pfns: [UInt64], head: UInt64? = nil, early: Bool = false, locks: Bool = false
  ) {
    let head = head ?? Self.head(pfns[0])
    emit(.batchNew, head)
    for pfn in pfns {
      unlink(pfn)
      if early { destruct(pfn, locks: locks) }
      queue(pfn)
    }
    flush()
    callRCU(head, load: pfns.count)
  }

  /// Torn down in the callback; S1 has nothing left to destruct.
  mutating func runBatch(
    _ pfns: [UInt64], head: UInt64? = nil, early: Bool = false, locks: Bool = false
  ) {
    let head = head ?? Self.head(pfns[0])
    callback(head) {
      for pfn in pfns {
        if !early { $0.destruct(pfn, locks: locks) }
        $0.free(pfn)
      }
      $0.emit(.batchFree, head)
    }
  }

  /// S3 and later: destructor and free in the callback.
  mutating func s3(_ pfns: [UInt64], locks: Bool = false) {
    queueBatch(pfns, locks: locks)
    gp()
    runBatch(pfns, locks: locks)
  }

  /// S1, S2h: destructor at the queue, free in the callback.
  mutating func s1(_ pfns: [UInt64], locks: Bool = false) {
    queueBatch(pfns, early: true, locks: locks)
    gp()
    runBatch(pfns, early: true)
  }

  /// Page gather: destructor, queue, flush, free, all in the task.
  mutating func pagePath(_ pfn: UInt64, locks: Bool = false) {
    unlink(pfn)
    destruct(pfn, locks: locks)
    queuePage(pfn)
    flush()
    free(pfn)
  }

  mutating func fallBack(_ pfn: UInt64) {
    unlink(pfn)
    queue(pfn)
    emit(.batchFail, Self.gather)
    flush()
    fallback(pfn)
  }

  /// No-memory fallback until v7.0 without PT_RECLAIM: an IPI to everybody, then free.
  mutating func fallbackByIPI(_ pfn: UInt64, locks: Bool = false) {
    fallBack(pfn)
    emit(.ipiSyncStart)
    on(cpu: 1, task: 0, context: .hardirq) { $0.emit(.ipiSyncAck) }
    emit(.ipiSyncEnd)
    destruct(pfn, locks: locks)
    free(pfn)
  }

  /// No-memory fallback with PT_RECLAIM: a callback of its own.
  mutating func fallbackByCallback(_ pfn: UInt64, locks: Bool = false) {
    fallBack(pfn)
    callRCU(Self.head(pfn), load: Int(pfn), .removeTableOne)
    gp()
    callback(Self.head(pfn), .removeTableOne) {
      $0.destruct(pfn, locks: locks)
      $0.free(pfn)
    }
  }

  /// No-memory fallback from v7.1 on: synchronize_rcu(), whose grace period may be expedited and
  /// then shows no grace-period events of its own.
  mutating func fallbackBySynchronize(_ pfn: UInt64, expedited: Bool = false, locks: Bool = false) {
    fallBack(pfn)
    emit(.synchronizeStart)
    if !expedited { gp() }
    emit(.synchronizeEnd)
    destruct(pfn, locks: locks)
    free(pfn)
  }

  /// pte_free_defer() (E3).
  mutating func deferred(_ pfn: UInt64, locks: Bool = false) {
    unlink(pfn)
    flush()
    deferFree(pfn)
    callRCU(Self.head(pfn), load: Int(pfn), .freeDeferred)
    gp()
    callback(Self.head(pfn), .freeDeferred) {
      $0.destruct(pfn, locks: locks)
      $0.free(pfn)
    }
  }

  /// Deposited at a fault, withdrawn and freed at once (E4).
  mutating func depositedAtFault(_ pfn: UInt64) {
    alloc(pfn)
    ctor(pfn)
    deposit(pfn)
    withdraw(pfn)
    dtor(pfn)
    free(pfn)
  }

  /// Deposited by a collapse: it had been installed, and no grace period follows (E4).
  mutating func depositedByCollapse(_ pfn: UInt64) {
    born(pfn)
    unlink(pfn)
    flush()
    deposit(pfn)
    withdraw(pfn)
    dtor(pfn)
    free(pfn)
  }

  /// Lost allocation race (E1).
  mutating func lostRace(_ pfn: UInt64) {
    alloc(pfn)
    ctor(pfn)
    dtor(pfn)
    free(pfn)
  }

  /// Constructor failed (E2).
  mutating func constructorFailed(_ pfn: UInt64) {
    alloc(pfn)
    free(pfn)
  }

  /// PGD (E8), constructed from v6.14 on.
  mutating func pgd(_ pfn: UInt64, constructed: Bool) {
    alloc(pfn, .pgd)
    if constructed { ctor(pfn) }
    if constructed { dtor(pfn) }
    free(pfn)
  }
}
