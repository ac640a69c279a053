/// The lines of a trace this importer reads, whatever kernel function is behind them.
///
/// The names are those the recording scripts give their probes, and the kernel's own trace points;
/// they mean the same as kprobe, kretprobe, fprobe or `bpf_trace_printk` line.
enum Probe: UInt8, CaseIterable {
  /// A trace point or probe that is known and not needed.
  case ignored
  // The page allocator and the slabs.
  case pageAlloc, pageFree, slabAlloc, slabFree
  // Tables.
  case construct, destruct, install, tableFree, tablePut
  case pteAlloc, pmdAlloc, pudAlloc, p4dAlloc
  case pteAllocReturn, pmdAllocReturn, pudAllocReturn, p4dAllocReturn
  // Locks.
  case lockAlloc, lockFree
  // The gather.
  case freePTE, freePMD, freePUD, freeP4D, queueTable, queuePage, tableOne, allocFailure
  case gather, gatherFull, gatherVMA, gatherFinish, freeRange, freeRangeReturn
  // Flush and sync IPI.
  case flush, flushReturn, flushHere, flushSend, flushTracepoint
  case sync, syncReturn, syncAck, syncCall, syncRCU, syncRCUReturn
  // RCU.
  case callRCU, callRCUTracepoint, batchCallback, batchCallbackReturn, deferFree, freeNow
  case freeNowReturn, oneCallback, oneCallbackReturn, invokeCallback
  case gpInitReturn, gpCleanup, gpTracepoint, quiescent
  case runStart, runEnd, runStartTracepoint, runEndTracepoint
  // Readers.
  case gupFast, gupFastReturn, pteLock, pteLockReturn, pteMap
  // Address spaces.
  case pgdAlloc, pgdFree, exitMM
  /// A text the user wrote to `trace_marker`.
  case marker
}

/// Every name this importer knows, and a lookup by bytes that allocates nothing.
struct NameTable: Sendable {
  /// One known name.
  struct Entry: Sendable {
    let name: String
    let probe: Probe
  }

  /// The names, in the order they are counted by.
  let entries: [Entry]
  private let text: [UInt8]
  private let starts: [Int]
  /// What the names stand for, in the same order.
  let probes: [Probe]
  private let slots: [Slot]
  private static let mask = 511

  /// The one table.
  static let shared = NameTable()

  private init() {
    var entries: [Entry] = []
    for (name, probe) in Self.needed { entries.append(Entry(name: name, probe: probe)) }
    for name in Self.ignored.split(whereSeparator: \.isWhitespace) {
      entries.append(Entry(name: String(name), probe: .ignored))
    }
    var text: [UInt8] = []
    var starts: [Int] = []
    var slots = [Slot](repeating: Slot(), count: Self.mask + 1)
    for (index, entry) in entries.enumerated() {
      starts.append(text.count)
      let bytes = Array(entry.name.utf8)
      text.append(contentsOf: bytes)
      let key = Self.key(bytes.span, 0, bytes.count)
      var slot = Self.slot(key)
      while slots[slot].index >= 0 { slot = (slot + 1) & Self.mask }
      slots[slot] = Slot(key: key, index: Int32(index))
    }
    starts.append(text.count)
    self.entries = entries
    self.text = text
    self.starts = starts
    self.slots = slots
    probes = entries.map(\.probe)
  }

  /// Index in ``entries`` of the name in `start..<end` of `line`; nil if it is not known.
  func index(of line: Span<UInt8>, _ start: Int, _ end: Int) -> Int? {
    let length = end - start
    guard length > 0 else { return nil }
    let key = Self.key(line, start, length)
    var slot = Self.slot(key)
    while true {
      let found = slots[slot]
      let index = Int(found.index)
      if index < 0 { return nil }
      if found.key == key, length <= 16 || isText(of: index, line, start) { return index }
      slot = (slot + 1) & Self.mask
    }
  }

  /// The name of at most 16 bytes that begins at `start` of `line` and ends before a colon or a
  /// blank: its index in ``entries`` and its end. nil if there is no such name, or it is not known.
  @inline(always)
  func find(in line: Span<UInt8>, at start: Int) -> (index: Int, end: Int)? {
    let low = line.wordOrLess(at: start)
    let high = line.wordOrLess(at: start &+ 8)
    var length = ByteWord.first(ByteWord.matches(low, 0x3A) | ByteWord.matches(low, 0x20))
    let key: Key
    if length < 8 {
      key = Key(low: ByteWord.prefix(low, length), length: Int32(truncatingIfNeeded: length))
    } else {
      length = 8 &+ ByteWord.first(ByteWord.matches(high, 0x3A) | ByteWord.matches(high, 0x20))
      key = Key(
        low: low, high: ByteWord.prefix(high, length &- 8),
        length: Int32(truncatingIfNeeded: length))
    }
    var slot = Self.slot(key)
    while true {
      let found = slots[slot]
      if found.index < 0 { return nil }
      if found.key == key { return (Int(found.index), start &+ length) }
      slot = (slot &+ 1) & Self.mask
    }
  }

  /// Length and first 16 bytes of a name.
  private struct Key: Equatable {
    var low: UInt64 = 0
    var high: UInt64 = 0
    var length: Int32 = 0
  }

  private struct Slot {
    var key = Key()
    /// -1 = free.
    var index: Int32 = -1
  }

  @inline(__always)
  private static func key(_ line: Span<UInt8>, _ start: Int, _ length: Int) -> Key {
    Key(
      low: ByteWord.prefix(line.wordOrLess(at: start), min(length, 8)),
      high: length > 8
        ? ByteWord.prefix(line.wordOrLess(at: start + 8), min(length - 8, 8)) : 0,
      length: Int32(truncatingIfNeeded: length))
  }

  @inline(__always)
  private static func slot(_ key: Key) -> Int {
    let mixed = (key.low ^ key.high.byteSwapped &+ UInt64(key.length)) &* 0x9E37_79B9_7F4A_7C15
    return Int(truncatingIfNeeded: mixed >> 48) & mask
  }

  /// Compares all of a name whose length is known to be right.
  private func isText(of index: Int, _ line: Span<UInt8>, _ start: Int) -> Bool {
    let from = starts[index]
    for place in from..<starts[index + 1] where text[place] != line[start + place - from] {
      return false
    }
    return true
  }

  /// Index in ``entries`` of `name`.
  func index(of name: String) -> Int? {
    let bytes = Array(name.utf8)
    return index(of: bytes.span, 0, bytes.count)
  }

  /// Indices in ``entries`` of the names that stand for `probe`.
  func indices(of probe: Probe) -> [Int] {
    entries.indices.filter { entries[$0].probe == probe }
  }

  private static let needed: [(String, Probe)] = [
    ("mm_page_alloc", .pageAlloc), ("mm_page_free", .pageFree),
    ("kmem_cache_alloc", .slabAlloc), ("kmem_cache_free", .slabFree),
    ("pt_ctor", .construct), ("pt_dtor", .destruct), ("pmd_install", .install),
    ("table_free", .tableFree), ("table_put", .tablePut),
    ("pte_alloc", .pteAlloc), ("pmd_alloc", .pmdAlloc), ("pud_alloc", .pudAlloc),
    ("p4d_alloc", .p4dAlloc), ("pte_alloc_ret", .pteAllocReturn),
    ("pmd_alloc_ret", .pmdAllocReturn), ("pud_alloc_ret", .pudAllocReturn),
    ("p4d_alloc_ret", .p4dAllocReturn),
    ("ptlock_alloc", .lockAlloc), ("ptl_alloc", .lockAlloc),
    ("ptlock_free", .lockFree), ("ptl_free", .lockFree),
    ("free_tlb_pte", .freePTE), ("free_tlb_pmd", .freePMD), ("free_tlb_pud", .freePUD),
    ("free_tlb_p4d", .freeP4D), ("tlb_table", .queueTable), ("tlb_page", .queuePage),
    ("table_one", .tableOne), ("fail_ret", .allocFailure),
    ("tlb_gather", .gather), ("tlb_gather_full", .gatherFull), ("tlb_gather_vma", .gatherVMA),
    ("tlb_finish", .gatherFinish), ("free_pgd", .freeRange), ("free_pgd_ret", .freeRangeReturn),
    ("flush_range", .flush), ("flush_range_ret", .flushReturn), ("flush_local", .flushHere),
    ("flush_send", .flushSend), ("tlb_flush", .flushTracepoint),
    ("ipi_sync", .sync), ("ipi_sync_ret", .syncReturn), ("ipi_ack", .syncAck),
    ("ipi_call", .syncCall), ("rcu_sync", .syncRCU), ("rcu_sync_ret", .syncRCUReturn),
    ("rcu_queue", .callRCU), ("rcu_callback", .callRCUTracepoint),
    ("rcu_cb", .batchCallback), ("rcu_cb_ret", .batchCallbackReturn),
    ("pte_free_defer", .deferFree), ("pte_free_now", .freeNow),
    ("pte_free_now_ret", .freeNowReturn), ("one_rcu", .oneCallback),
    ("one_rcu_ret", .oneCallbackReturn), ("rcu_invoke_callback", .invokeCallback),
    ("gp_init_ret", .gpInitReturn), ("gp_cleanup", .gpCleanup),
    ("rcu_grace_period", .gpTracepoint), ("rcu_qs", .quiescent),
    ("rcu_batch", .runStart), ("rcu_batch_ret", .runEnd),
    ("rcu_batch_start", .runStartTracepoint), ("rcu_batch_end", .runEndTracepoint),
    ("gup_fast", .gupFast), ("gup_fast_ret", .gupFastReturn),
    ("pte_lock", .pteLock), ("pte_lock_ret", .pteLockReturn), ("pte_map", .pteMap),
    ("pgd_alloc_", .pgdAlloc), ("pgd_free", .pgdFree), ("exit_mmap", .exitMM),
    ("tracing_mark_write", .marker), ("write_marker_to_buffer", .marker),
  ]

  private static let ignored = """
    mm_page_free_batched mm_page_alloc_zone_locked mm_page_pcpu_drain mm_page_alloc_extfrag
    kmalloc kfree kmalloc_node kmem_cache_alloc_node rss_stat mm_alloc_contig_migrate_range_info
    tlb_flush_mmu gp_init gp_cleanup_ret rcu_qs_rnp exit_mmap_ret ptl_alloc_ret ptlock_alloc_ret
    ptl_free_ret ptlock_free_ret pgd_alloc_ret pgd_free_ret pmd_install_ret pte_map_ret
    pte_free_defer_ret tlb_table_ret tlb_page_ret rcu_queue_ret table_free_ret table_put_ret
    tlb_gather_ret tlb_gather_full_ret tlb_finish_ret flush_local_ret flush_send_ret ipi_ack_ret
    ipi_call_ret table_one_ret free_tlb_pte_ret free_tlb_pmd_ret free_tlb_pud_ret free_tlb_p4d_ret
    rcu_qs_ret rcu_qs_rnp_ret
    ipi_send_cpu ipi_send_cpumask ipi_raise ipi_entry ipi_exit csd_queue_cpu
    csd_function_entry csd_function_exit
    sched_switch sched_waking sched_wakeup sched_wakeup_new sched_process_fork
    sched_process_exit sched_process_exec sched_process_free sched_process_wait
    sched_migrate_task sched_stat_runtime sched_pi_setprio
    irq_handler_entry irq_handler_exit softirq_entry softirq_exit softirq_raise
    tasklet_entry tasklet_exit reschedule_entry reschedule_exit
    call_function_entry call_function_exit call_function_single_entry call_function_single_exit
    local_timer_entry local_timer_exit hrtimer_expire_entry hrtimer_expire_exit
    rcu_utilization rcu_stall_warning rcu_barrier rcu_segcb_stats rcu_fqs rcu_grace_period_init
    rcu_future_grace_period rcu_quiescent_state_report rcu_exp_grace_period
    rcu_exp_funnel_lock rcu_nocb_wake rcu_preempt_task rcu_unlock_preempted_task rcu_watching
    rcu_dyntick rcu_kvfree_callback rcu_invoke_kvfree_callback rcu_invoke_kfree_bulk_callback
    rcu_sr_normal rcu_torture_read
    mm_khugepaged_scan_pmd mm_khugepaged_collapse_file mm_khugepaged_scan_file
    mm_collapse_huge_page mm_collapse_huge_page_isolate mm_collapse_huge_page_swapin
    hugepage_set_pmd hugepage_set_pud hugepage_update_pmd hugepage_update_pud
    set_migration_pmd remove_migration_pmd mm_migrate_pages
    mmap_lock_start_locking mmap_lock_acquire_returned mmap_lock_released
    page_fault_user page_fault_kernel vm_unmapped_area vma_mas_szero vma_store exit_mmap_tp
    sys_enter sys_exit console print
    """
}
