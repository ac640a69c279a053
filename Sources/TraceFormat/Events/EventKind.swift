/// What happened: the vocabulary of a trace (kernel-facts §6, plus loss, mark and intents).
///
/// The raw value is the number written to a file and never changes once released. Which fields
/// of an ``Event`` a kind uses, and what they mean, is said once, in ``EventKind/fields``.
public enum EventKind: UInt8, CaseIterable, Sendable, Hashable, BitwiseCopyable {
  // Page tables. object = pfn of the table.

  /// The page allocator handed out the page that becomes this table; starts a new generation.
  case tableAlloc = 1
  /// The constructor ran: ptlock initialised, page type set, NR_PAGETABLE raised by `arg1`.
  case tableConstruct = 2
  /// An upper entry was made to point at the table.
  case tableInstall = 3
  /// The upper entry was cleared: no new walk can reach the table.
  case tableUnlink = 4
  /// `tlb_remove_table()`: the table was put into the gather's table batch (RCU path).
  case tableQueueBatch = 5
  /// The table was put into the gather's page list (freed right after the TLB flush).
  case tableQueuePage = 6
  /// `tlb_remove_table_one()`: no batch page could be had; the table is freed on its own.
  case tableFallback = 7
  /// The destructor ran: page type cleared, NR_PAGETABLE lowered (`arg1` is negative).
  case tableDestruct = 8
  /// The call that drops the table's page reference (`pagetable_free()`, `__folio_put()` …).
  case tablePut = 9
  /// The table's page is back in the page allocator.
  case tableFree = 10
  /// A constructed, not installed PTE table was deposited on a PMD table (THP).
  case tableDeposit = 11
  /// A deposited table was withdrawn.
  case tableWithdraw = 12
  /// `pte_free_defer()`: the table gets a callback of its own on the rcu_head inside its ptdesc.
  case tableDefer = 13
  /// The page of a dead table was handed out again for something that is no page table.
  case pageReuse = 14
  /// The page's type was cleared: the second step of the destructor.
  case tableTypeClear = 15
  /// PT_RECLAIM: the entry that points at the table is about to be cleared by madvise or a zap.
  /// `arg0` = address of the pmd lock held (0: no object of its own), `arg1` = entries in use.
  case tableReclaim = 16
  /// The page was cleared: no entry of the new table points anywhere.
  case tableZero = 17

  // Split locks. object = address of the lock.

  /// `ptlock_alloc()`: the lock object was allocated for table `arg0`; starts a new generation.
  case lockAlloc = 20
  /// `ptlock_free()`: the lock object went back to its slab.
  case lockFree = 21
  /// A reader started to spin on the lock.
  case lockWait = 22
  /// The lock was taken.
  case lockAcquire = 23
  /// The lock was released.
  case lockRelease = 24

  // mmu_gather and its batches.

  /// `tlb_gather_mmu()`. object = address of the gather.
  case gatherStart = 30
  /// `tlb_finish_mmu()` returned. object = address of the gather.
  case gatherFinish = 31
  /// A table batch page was allocated. object = its address, which is also its callback head.
  case batchNew = 32
  /// Table `object` took place `arg1` in batch `arg0`.
  case batchAdd = 33
  /// The batch page was freed. object = address of the batch.
  case batchFree = 34
  /// The batch page could not be allocated. object = address of the gather.
  case batchFail = 35

  // TLB invalidation. object = mm.

  /// A TLB invalidation of the mm began.
  case flushStart = 40
  /// The invalidation is complete on every CPU it was sent to.
  case flushEnd = 41
  /// This CPU handled the flush IPI.
  case flushAck = 42
  /// `tlb_remove_table_sync_one()` began: an IPI to every other online CPU.
  case ipiSyncStart = 43
  /// This CPU acknowledged the sync IPI.
  case ipiSyncAck = 44
  /// Every CPU acknowledged the sync IPI.
  case ipiSyncEnd = 45
  /// Which CPUs an invalidation of the mm that this task has just begun is for, and how it
  /// reaches them.
  case flushCPUs = 46

  // RCU. object = address of the rcu_head, or the gp_seq of a grace period.

  /// `call_rcu()`; starts a new generation of the head.
  case callRCU = 50
  /// The callback started.
  case callbackStart = 51
  /// The callback returned. object = 0 where the source does not know the head.
  case callbackEnd = 52
  /// A grace period is certainly in progress from here on. object = gp_seq.
  case gracePeriodStart = 53
  /// A grace period may be over from here on. object = gp_seq.
  case gracePeriodEnd = 54
  /// This CPU reported a quiescent state. object = gp_seq.
  case quiescentState = 55
  /// `rcu_do_batch()` began on this CPU.
  case callbackRunStart = 56
  /// `rcu_do_batch()` returned on this CPU.
  case callbackRunEnd = 57
  /// `rcu_barrier()` was called.
  case barrierStart = 58
  /// `rcu_barrier()` returned.
  case barrierEnd = 59
  /// `synchronize_rcu()` was called.
  case synchronizeStart = 60
  /// `synchronize_rcu()` returned.
  case synchronizeEnd = 61
  /// CPU hotplug: the callbacks of dead CPU `arg0` were appended to those of this CPU.
  case callbacksSpliced = 62

  // Readers. object = section.

  /// A read-side section of class `arg0` began; starts a new generation of the section id.
  case readerEnter = 70
  /// The section ended.
  case readerExit = 71
  /// A walker loaded an entry that pointed at table `object` (pfn).
  case readerLoad = 72
  /// A walker touched the content of table `object` (pfn).
  case readerAccess = 73
  /// A walker compared the entries that led it to table `object` with those it had read;
  /// `arg1` = 1 if they were unchanged.
  case readerRecheck = 74
  /// Fast GUP took a reference on the page that an entry of table `object` points at.
  case readerPin = 75
  /// The page walker of this CPU loaded an entry that pointed at table `object` (pfn), and may
  /// use the pointer until the next invalidation (class H).
  case hardwareLoad = 76
  /// The page walker of this CPU read an entry of table `object` (pfn).
  case hardwareAccess = 77

  // Address spaces. object = mm.

  /// An address space was created.
  case mmNew = 80
  /// `exit_mmap()`: the last user left; its tables are being freed.
  case mmExit = 81
  /// `__mmdrop()`: the mm_struct itself and its PGD are gone.
  case mmFree = 82
  /// `mm->pgtables_bytes` changed by `arg0`.
  case mmBytes = 83
  /// `mm->tlb_flush_pending` changed by `arg0`.
  case mmFlushPending = 84

  // The recording itself.

  /// Every mm under test has exited and an rcu_barrier() has passed: nothing may be left.
  case quiesce = 90
  /// From here on, events of `cpu` (or of all CPUs) are missing. object = ``LossCause``.
  case loss = 91
  /// Events of `cpu` (or of all CPUs) are complete again.
  case lossEnd = 92
  /// A remark. object = index of its text in the trace's strings.
  case mark = 93

  // Intents: what the workload asked for, so that it can be run again. object = mm.

  /// `mmap()` and populate `arg1` bytes at `arg0`.
  case intentMap = 100
  /// `munmap()` of `arg1` bytes at `arg0`.
  case intentUnmap = 101
  /// `fork()` into mm `arg0`.
  case intentFork = 102
  /// `exit()`.
  case intentExit = 103
  /// `madvise(MADV_DONTNEED)` of `arg1` bytes at `arg0`.
  case intentAdvise = 104
  /// A software walk of address `arg0` by reader class `arg1`.
  case intentWalk = 105
  /// `pin_user_pages_fast()` of address `arg0`.
  case intentPin = 106
}
