import TraceFormat

/// Every probe that is worth setting, in the order of a table's life.
///
/// Names, arguments and what each function is for: kernel-facts §8.1, and the recordings of
/// thirteen kernels. A function that is inlined everywhere is not listed.
enum ProbeCatalogue {
  static let probes: [ProbeSpec] =
    life + queue + callbacks + fallback + gather + flush + allocation + locks + gracePeriods
    + walkers + spaces

  private static func argument(_ name: String, _ number: Int, _ type: String = "x64") -> ProbeField
  {
    ProbeField(name: name, value: .argument(number), type: type)
  }

  private static func memory(
    _ name: String, _ number: Int, _ offset: Int, _ type: String = "x64"
  ) -> ProbeField { ProbeField(name: name, value: .memory(number, offset), type: type) }

  private static func result(_ type: String) -> ProbeField {
    ProbeField(name: "ret", value: .result, type: type)
  }

  private static let caller = ProbeField(name: "ra", value: .caller, type: "symbol")
  private static let gather4 = [
    argument("tlb", 1), argument("table", 2), memory("mm", 1, 0), memory("start", 1, 16),
    memory("end", 1, 24), memory("fl", 1, 32, "x32"), caller,
  ]
  private static let callbackNames = [
    "tlb_remove_table_rcu", "pte_free_now", "__tlb_remove_table_one_rcu",
  ]
  private static let statistic = [
    "__lruvec_stat_mod_folio", "lruvec_stat_mod_folio", "__mod_lruvec_page_state",
  ]
  private static let statisticFields = [
    argument("folio", 1), argument("idx", 2, "s32"), argument("val", 3, "s32"), caller,
  ]

  private static let life: [ProbeSpec] = [
    ProbeSpec(
      "pt_ctor", statistic, .minimal, statisticFields, filter: .statistic(positive: true),
      shows: [.tableConstruct],
      "the constructor is inlined; it raises NR_PAGETABLE here"),
    ProbeSpec(
      "pt_dtor", statistic, .minimal, statisticFields, filter: .statistic(positive: false),
      shows: [.tableDestruct],
      "the destructor is inlined; it lowers NR_PAGETABLE here"),
    ProbeSpec(
      "pmd_install", ["pmd_install"], .order,
      [argument("mm", 1), argument("pmd", 2), memory("pte", 3, 0), memory("old", 2, 0)],
      shows: [.tableInstall], "a PTE table becomes reachable, through which entry"),
    ProbeSpec(
      "table_free", ["___free_pages", "free_page_and_swap_cache", "__free_pages"], .order,
      [argument("page", 1), caller], shows: [.tablePut],
      "the call that gives the page back, and so which function frees tables"),
    ProbeSpec(
      "table_put", ["__folio_put"], .order, [argument("folio", 1), caller],
      before: KernelVersion(6, 14), shows: [.tablePut],
      "the last reference, on kernels without swap"),
  ]

  private static let queue: [ProbeSpec] = [
    ProbeSpec(
      "tlb_table", ["tlb_remove_table"], .minimal, gather4, shows: [.tableQueueBatch],
      "a table is queued for RCU; its caller says the level, and whether madvise frees it"),
    ProbeSpec(
      "tlb_page", ["native_tlb_remove_table"], .minimal, gather4, on: [.x86_64],
      before: KernelVersion(6, 15), shows: [.tableQueuePage],
      "x86 without a paravirtual flush: a table goes into the page gather"),
    ProbeSpec(
      "tlb_page", ["__tlb_remove_page_size"], .minimal, gather4,
      filter: .callers(["tlb_remove_page", "free_pgd_range"]), on: [.x86_64, .riscv64],
      before: KernelVersion(6, 15), shows: [.tableQueuePage],
      "a table goes into the page gather: called from tlb_remove_page() or free_pgd_range()"),
    ProbeSpec(
      "free_tlb_pte", ["___pte_free_tlb"], .order,
      [argument("tlb", 1), argument("page", 2), caller], on: [.x86_64],
      "the level of a queued table"),
    ProbeSpec(
      "free_tlb_pmd", ["___pmd_free_tlb"], .order,
      [argument("tlb", 1), argument("virt", 2), caller], on: [.x86_64],
      "the level of a queued table"),
    ProbeSpec(
      "free_tlb_pud", ["___pud_free_tlb"], .order,
      [argument("tlb", 1), argument("virt", 2), caller], on: [.x86_64],
      "the level of a queued table"),
    ProbeSpec(
      "free_tlb_p4d", ["___p4d_free_tlb"], .order,
      [argument("tlb", 1), argument("virt", 2), caller], on: [.x86_64],
      "the level of a queued table"),
  ]

  private static let callbacks: [ProbeSpec] = [
    ProbeSpec(
      "rcu_queue", ["call_rcu"], .minimal,
      [
        argument("head", 1), argument("func", 2, "symbol"), memory("nr", 1, 16, "u32"), caller,
      ],
      filter: .function(callbackNames), shows: [.callRCU],
      "a batch of tables starts to wait for its grace period"),
    ProbeSpec(
      "rcu_cb", ["tlb_remove_table_rcu"], .minimal,
      [
        argument("head", 1), memory("nr", 1, 16, "u32"), memory("t0", 1, 24),
        memory("t1", 1, 32),
      ],
      shows: [.callbackStart], "the callback of a batch starts"),
    ProbeSpec(
      "rcu_cb_ret", ["tlb_remove_table_rcu"], .minimal, isReturn: true, shows: [.callbackEnd],
      "it ends: what lies between happened inside it"),
    ProbeSpec(
      "pte_free_defer", ["pte_free_defer"], .order, [argument("mm", 1), argument("pgtable", 2)],
      shows: [.tableDefer], "khugepaged gives a PTE table a callback of its own"),
    ProbeSpec(
      "pte_free_now", ["pte_free_now"], .minimal, [argument("head", 1)],
      shows: [.callbackStart], "that callback starts"),
    ProbeSpec(
      "one_rcu", ["__tlb_remove_table_one_rcu"], .minimal, [argument("head", 1)],
      shows: [.callbackStart], "the callback of a table that fell back"),
  ]

  private static let fallback: [ProbeSpec] = [
    ProbeSpec(
      "table_one", ["tlb_remove_table_one"], .order, [argument("table", 1), caller],
      shows: [.tableFallback], "no memory for a batch: the table is freed on its own"),
    ProbeSpec(
      "ipi_sync", ["tlb_remove_table_sync_one"], .order, [caller], shows: [.ipiSyncStart],
      "the fallback, or a collapse, waits for an IPI to every CPU"),
    ProbeSpec(
      "ipi_sync_ret", ["tlb_remove_table_sync_one"], .order, isReturn: true,
      shows: [.ipiSyncEnd], "every CPU has answered"),
    ProbeSpec(
      "ipi_ack", ["tlb_remove_table_smp_sync"], .order, shows: [.ipiSyncAck], "one CPU answers"),
    ProbeSpec(
      "rcu_sync", ["tlb_remove_table_sync_rcu"], .order, [caller], shows: [.synchronizeStart],
      "the fallback of v7.1 and later waits for a grace period"),
    ProbeSpec(
      "rcu_sync_ret", ["tlb_remove_table_sync_rcu"], .order, isReturn: true,
      shows: [.synchronizeEnd], "it has passed"),
    ProbeSpec(
      "fail_ret", ["should_fail_alloc_page"], .full, [result("u8")], isReturn: true,
      filter: .failed, shows: [.batchFail], "fault injection made an allocation fail"),
  ]

  private static let gather: [ProbeSpec] = [
    ProbeSpec(
      "tlb_gather", ["tlb_gather_mmu"], .order, [argument("tlb", 1), argument("mm", 2)],
      shows: [.gatherStart], "a teardown begins"),
    ProbeSpec(
      "tlb_gather_full", ["tlb_gather_mmu_fullmm"], .order,
      [argument("tlb", 1), argument("mm", 2)], shows: [.gatherStart],
      "the teardown of a whole mm begins"),
    ProbeSpec(
      "tlb_gather_vma", ["tlb_gather_mmu_vma"], .order, [argument("tlb", 1), argument("vma", 2)],
      on: [.x86_64, .arm64], "a teardown for one VMA begins"),
    ProbeSpec(
      "tlb_finish", ["tlb_finish_mmu"], .order,
      [argument("tlb", 1), memory("mm", 1, 0), memory("fl", 1, 32, "x32")],
      shows: [.gatherFinish], "a teardown ends"),
    ProbeSpec(
      "tlb_flush_mmu", ["tlb_flush_mmu"], .full, [argument("tlb", 1), memory("mm", 1, 0)],
      "a flush in the middle of a teardown"),
    ProbeSpec(
      "free_pgd", ["free_pgd_range"], .order,
      [
        argument("tlb", 1), argument("addr", 2), argument("end", 3), argument("floor", 4),
        argument("ceil", 5),
      ],
      shows: [.tableUnlink], "tables of a range are about to be unlinked"),
  ]

  private static let flush: [ProbeSpec] = [
    ProbeSpec(
      "flush_range", ["__flush_tlb_range"], .order,
      [
        argument("mm", 1), argument("start", 3), argument("size", 4), argument("stride", 5),
        caller,
      ],
      on: [.riscv64], shows: [.flushStart], "a TLB flush begins"),
    ProbeSpec(
      "flush_range", ["flush_tlb_mm_range"], .order,
      [
        argument("mm", 1), argument("start", 2), argument("end", 3), argument("stride", 4, "u32"),
        argument("freed", 5, "u8"), caller,
      ],
      on: [.x86_64], shows: [.flushStart], "a TLB flush begins"),
    ProbeSpec(
      "flush_range_ret", ["flush_tlb_mm_range"], .order, isReturn: true, on: [.x86_64],
      shows: [.flushEnd], "it is complete on every CPU"),
    ProbeSpec(
      "flush_send", ["native_flush_tlb_multi"], .full,
      [
        memory("mm", 2, 0), memory("start", 2, 8), memory("end", 2, 16),
        memory("gen", 2, 24, "u64"), memory("freed", 2, 37, "u8"),
      ],
      on: [.x86_64], "flush IPIs are sent"),
    ProbeSpec(
      "flush_local", ["flush_tlb_func"], .order,
      [
        memory("mm", 1, 0), memory("start", 1, 8), memory("end", 1, 16),
        memory("gen", 1, 24, "u64"), memory("icpu", 1, 32, "s32"),
      ],
      on: [.x86_64], shows: [.flushAck], "one CPU handles a flush"),
  ]

  private static let allocation: [ProbeSpec] =
    [
      ("pte", ["pmd"]), ("pmd", ["pud", "addr"]), ("pud", ["p4d", "addr"]),
      ("p4d", ["pgd", "addr"]),
    ]
    .flatMap { level, names in
      [
        ProbeSpec(
          "\(level)_alloc", ["__\(level)_alloc"], .order,
          [argument("mm", 1)] + names.enumerated().map { argument($0.element, $0.offset + 2) },
          "brackets the constructor of a \(level.uppercased()) table: its level and mm"),
        ProbeSpec(
          "\(level)_alloc_ret", ["__\(level)_alloc"], .order, [result("s32")], isReturn: true,
          shows: level == "pmd" ? [.tableInstall] : [], "the end of that bracket"),
      ]
    }

  private static let locks: [ProbeSpec] = [
    ProbeSpec(
      "ptl_alloc", ["ptlock_alloc"], .order, [argument("ptdesc", 1)], shows: [.lockAlloc],
      "a separate ptlock is allocated (RT and lock debugging only)"),
    ProbeSpec(
      "ptl_alloc_ret", ["ptlock_alloc"], .full, [result("u8")], isReturn: true,
      "the end of that bracket"),
    ProbeSpec(
      "ptl_free", ["ptlock_free"], .order, [argument("ptdesc", 1), memory("ptl", 1, 40)],
      shows: [.lockFree], "it is freed, the first half of the destructor"),
  ]

  private static let number = ProbeField(
    name: "seq", value: .global(.gracePeriodNumber), type: "u64")

  private static let gracePeriods: [ProbeSpec] = [
    ProbeSpec("gp_init", ["rcu_gp_init"], .full, [number], "a grace period is about to begin"),
    ProbeSpec(
      "gp_init_ret", ["rcu_gp_init"], .order, [number, result("u8")], isReturn: true,
      shows: [.gracePeriodStart], "a grace period has begun"),
    ProbeSpec(
      "gp_cleanup", ["rcu_gp_cleanup"], .order, [number], shows: [.gracePeriodEnd],
      "a grace period is over"),
    ProbeSpec(
      "gp_cleanup_ret", ["rcu_gp_cleanup"], .full, [number], isReturn: true,
      "its callbacks have been made ready"),
    ProbeSpec(
      "rcu_qs", ["rcu_report_qs_rdp"], .full,
      [
        ProbeField(name: "cpu", value: .member(.callbackCPU), type: "s32"),
        memory("seq", 1, 0, "u64"),
      ],
      shows: [.quiescentState], "a CPU reports a quiescent state"),
    ProbeSpec(
      "rcu_qs_rnp", ["rcu_report_qs_rnp"], .full,
      [argument("mask", 1), argument("seq", 3, "u64"), caller], on: [.x86_64, .arm64],
      "a group of CPUs does"),
    ProbeSpec(
      "rcu_batch", ["rcu_do_batch"], .full,
      [
        ProbeField(name: "cpu", value: .member(.callbackCPU), type: "s32"),
        memory("seq", 1, 0, "u64"),
      ],
      shows: [.callbackRunStart], "a CPU starts to run callbacks"),
    ProbeSpec(
      "rcu_batch_ret", ["rcu_do_batch"], .full, isReturn: true, shows: [.callbackRunEnd],
      "it stops"),
  ]

  private static let walkers: [ProbeSpec] = [
    ProbeSpec(
      "gup_fast", ["gup_fast_fallback", "internal_get_user_pages_fast"], .walkers,
      [argument("start", 1), argument("nr", 2, "u64"), argument("flags", 3, "x32")],
      shows: [.readerEnter], "a class G walker starts (a superset of its IRQs-off section)"),
    ProbeSpec(
      "gup_fast_ret", ["gup_fast_fallback", "internal_get_user_pages_fast"], .walkers,
      [result("s32")], isReturn: true, shows: [.readerExit], "it ends"),
    ProbeSpec(
      "pte_lock", ["pte_offset_map_lock", "__pte_offset_map_lock"], .walkers,
      [
        argument("mm", 1), argument("pmd", 2), argument("addr", 3), memory("pmdv", 2, 0), caller,
      ],
      shows: [.readerLoad], "a class L walker reads the entry, and which table it names"),
    ProbeSpec(
      "pte_lock_ret", ["pte_offset_map_lock", "__pte_offset_map_lock"], .walkers,
      [result("x64")], isReturn: true, "it has the lock, or the table was gone"),
    ProbeSpec(
      "pte_map", ["__pte_offset_map"], .walkers,
      [argument("pmd", 1), argument("addr", 2), memory("pmdv", 1, 0), caller],
      shows: [.readerLoad], "a class M or N walker reads the entry"),
  ]

  private static let spaces: [ProbeSpec] = [
    ProbeSpec(
      "pgd_alloc_", ["mm_init"], .order, [argument("mm", 1)], on: [.x86_64, .arm64],
      shows: [.mmNew], "an mm gets its PGD"),
    ProbeSpec(
      "pgd_free", ["pgd_free"], .order, [argument("mm", 1), argument("virt", 2)],
      on: [.x86_64, .arm64], shows: [.mmFree], "an mm loses its PGD"),
    ProbeSpec(
      "exit_mmap", ["exit_mmap"], .order, [argument("mm", 1)], shows: [.mmExit],
      "the last user has left an mm"),
    ProbeSpec(
      "exit_mmap_ret", ["exit_mmap"], .full, isReturn: true, "its tables have been queued"),
  ]

  static let tracePoints: [TracePointSpec] = [
    TracePointSpec(
      path: "kmem/mm_page_alloc", set: .minimal, kinds: [.tableAlloc, .pageReuse], filter: "",
      needs: nil, why: "the page of every table, by pfn"),
    TracePointSpec(
      path: "kmem/mm_page_free", set: .minimal, kinds: [.tableFree, .batchFree], filter: "",
      needs: nil, why: "the page is back in the allocator"),
    TracePointSpec(
      path: "kmem/kmem_cache_free", set: .order, kinds: [.lockFree],
      filter: #"name == "page->ptl""#, needs: "ptlock_free",
      why: "the lock object, by address; a second witness that no kprobe miss can hide"),
    TracePointSpec(
      path: "kmem/kmem_cache_alloc", set: .order, kinds: [.lockAlloc], filter: "LOCKALLOC",
      needs: "ptlock_alloc", why: "the lock object's address when it is allocated"),
    TracePointSpec(
      path: "rcu/rcu_callback", set: .order, kinds: [.callRCU], filter: "CALLBACKS", needs: nil,
      why: "second witness of call_rcu() (RCU_TRACE)"),
    TracePointSpec(
      path: "rcu/rcu_invoke_callback", set: .order, kinds: [.callbackStart], filter: "CALLBACKS",
      needs: nil, why: "second witness of a callback's start (RCU_TRACE)"),
    TracePointSpec(
      path: "rcu/rcu_grace_period", set: .order, kinds: [.gracePeriodStart, .gracePeriodEnd],
      filter: "", needs: nil, why: "grace periods without any offset (RCU_TRACE)"),
    TracePointSpec(
      path: "rcu/rcu_batch_start", set: .full, kinds: [.callbackRunStart], filter: "", needs: nil,
      why: "a CPU starts to run callbacks (RCU_TRACE)"),
    TracePointSpec(
      path: "rcu/rcu_batch_end", set: .full, kinds: [.callbackRunEnd], filter: "", needs: nil,
      why: "it stops (RCU_TRACE)"),
    TracePointSpec(
      path: "tlb/tlb_flush", set: .full, kinds: [], filter: "", needs: nil,
      why: "x86 says why it flushes"),
  ]
}
