import Testing
import TraceFormat

@testable import Interop

/// The joins, one by one, on traces of a few lines.
///
/// The literal traces use struct page 0x1000_0000 + pfn × 64; a pair of page-allocator lines at
/// the start tells that to the importer.
@Suite struct JoinTests {
  private static let pair = [
    "sh-1 [000] ..... 0.000001: mm_page_alloc: page=10000040 pfn=0x1 order=0 migratetype=1 gfp_flags=GFP_HIGHUSER_MOVABLE",
    "sh-1 [000] ..... 0.000002: mm_page_alloc: page=10000080 pfn=0x2 order=0 migratetype=1 gfp_flags=GFP_HIGHUSER_MOVABLE",
  ]

  /// Address of the struct page of `pfn`.
  private func page(_ pfn: Int) -> String { "0x" + String(0x1000_0000 + pfn * 64, radix: 16) }

  /// A line of task `sh-1` on CPU 0; every argument is `event text`.
  private func trace(_ lines: [String]) -> String {
    var text = Self.pair.joined(separator: "\n") + "\n"
    for (place, line) in lines.enumerated() {
      if line.hasPrefix("CPU:") || line.contains(" [00") {
        text += line + "\n"
      } else {
        text += "sh-1 [000] ..... 1.\(String(100_000 + place)): \(line)\n"
      }
    }
    return text
  }

  private func alloc(_ pfn: Int, _ gfp: String = "GFP_KERNEL|__GFP_ZERO") -> String {
    "mm_page_alloc: page=\(page(pfn).dropFirst(2)) pfn=0x\(String(pfn, radix: 16)) order=0 migratetype=0 gfp_flags=\(gfp)"
  }
  private func free(_ pfn: Int) -> String {
    "mm_page_free: page=\(page(pfn).dropFirst(2)) pfn=0x\(String(pfn, radix: 16)) order=0"
  }
  private func construct(_ pfn: Int, index: Int = 38, value: Int = 1) -> String {
    "pt_ctor: (x+0x0/0x1) folio=\(page(pfn)) idx=\(index) val=\(value)"
  }
  private func destruct(_ pfn: Int, index: Int = 38, value: Int = -1) -> String {
    "pt_dtor: (x+0x0/0x1) folio=\(page(pfn)) idx=\(index) val=\(value)"
  }
  private func install(_ pfn: Int, slot: String = "0xaa0", old: String = "0x0") -> String {
    "pmd_install: (x+0x0/0x1) mm=0xbb pmd=\(slot) pte=\(page(pfn)) old=\(old)"
  }
  private func queue(_ pfn: Int) -> String {
    "tlb_table: (x+0x0/0x1) tlb=0xcc table=\(page(pfn)) mm=0xbb start=0x0 end=0x1 fl=0x0"
  }
  private func names(_ lines: [String]) throws -> [String] {
    try Samples.importText(trace(lines)).names()
  }

  @Test func lifeOfOneTable() throws {
    let imported = try Samples.importText(
      trace([
        alloc(0x100), construct(0x100), install(0x100), queue(0x100), destruct(0x100), free(0x100),
      ]))
    #expect(
      imported.names() == [
        "pt_alloc", "pt_ctor", "pt_install", "pt_unlink", "pt_queue_table", "pt_dtor", "pt_free",
      ])
    let events = imported.trace.events
    #expect(events.allSatisfy { $0.object == 0x100 && $0.generation == 1 })
    #expect(events.map(\.flags) == [[], [], [], .inferred, [], [], []])
    #expect(events[2].level == .pte && events[2].arg1 == 0xaa0 && events[2].arg0 == 0xbb)
    #expect(events[4].arg0 == 0xcc && events[4].arg1 == 0xbb)
    #expect(events[1].arg1 == 1 && Int64(bitPattern: events[5].arg1) == -1)
  }

  @Test func lifeFromBeforeTheTraceHasNoAlloc() throws {
    #expect(try names([destruct(0x100), free(0x100)]) == ["pt_dtor", "pt_free"])
  }

  @Test func unfilteredProbesFireBothEventsForEachCall() throws {
    let lines = [
      alloc(0x100), construct(0x100), "pt_dtor: (x+0x0/0x1) folio=\(page(0x100)) idx=38 val=1",
      construct(0x100, index: 17), destruct(0x100, index: 17),
      construct(0x100, index: 38, value: -1), destruct(0x100), free(0x100),
    ]
    #expect(try names(lines) == ["pt_alloc", "pt_ctor", "pt_dtor", "pt_free"])
  }

  @Test func anotherStatisticNumberIsFoundOut() throws {
    let lines = [alloc(0x100), construct(0x100, index: 39), destruct(0x100, index: 39)]
    let imported = try Samples.importText(trace(lines))
    #expect(imported.names() == ["pt_alloc", "pt_ctor", "pt_dtor"])
    #expect(imported.header.options["NR_PAGETABLE"] == "39")
    var options = ImportOptions()
    options.nrPageTable = 40
    #expect(try Samples.importText(trace(lines), options: options).names().isEmpty)
  }

  @Test func lostRaceIsNoInstall() throws {
    let lines = [
      alloc(0x100), "pte_alloc: (x+0x0/0x1) mm=0xbb pmd=0xaa0", construct(0x100), install(0x100),
      destruct(0x100), free(0x100), "pte_alloc_ret: (x+0x0/0x1 <- y) ret=0",
    ]
    #expect(try names(lines) == ["pt_alloc", "pt_ctor", "pt_dtor", "pt_free"])
    let taken = [alloc(0x100), construct(0x100), install(0x100, old: "0x1234"), destruct(0x100)]
    #expect(try names(taken) == ["pt_alloc", "pt_ctor", "pt_dtor"])
  }

  @Test func upperLevelIsInstalledWhenItsBracketReturns() throws {
    let open = "pmd_alloc: (x+0x0/0x1) mm=0xbb pud=0xaa8 addr=0x1"
    let close = "pmd_alloc_ret: (x+0x0/0x1 <- y) ret=0"
    let imported = try Samples.importText(
      trace([open, alloc(0x100), construct(0x100), close]))
    #expect(imported.names() == ["pt_alloc", "pt_ctor", "pt_install"])
    #expect(imported.trace.events.map(\.level) == [.pmd, .pmd, .pmd])
    #expect(imported.trace.events[2].flags == .inferred)
    #expect(imported.trace.events[2].arg1 == 0xaa8)
    #expect(
      try names([open, alloc(0x100), construct(0x100), destruct(0x100), free(0x100), close])
        == ["pt_alloc", "pt_ctor", "pt_dtor", "pt_free"])
    #expect(
      try names([open, alloc(0x100), construct(0x100), close.replacing("ret=0", with: "ret=-12")])
        == ["pt_alloc", "pt_ctor"])
  }

  @Test func levelWithoutConstructorIsKnownByItsBracket() throws {
    let imported = try Samples.importText(
      trace([
        "p4d_alloc: (x+0x0/0x1) mm=0xbb pgd=0xaa8 addr=0x1", alloc(0x100),
        "p4d_alloc_ret: (x+0x0/0x1 <- y) ret=0", queue(0x100), free(0x100),
      ]))
    #expect(
      imported.names() == ["pt_alloc", "pt_install", "pt_unlink", "pt_queue_table", "pt_free"])
    #expect(imported.trace.events[0].flags == .inferred)
    #expect(imported.trace.events.allSatisfy { $0.level == .p4d })
  }

  @Test func pageOfADeadTableIsReusedOnceOrBecomesATable() throws {
    let dead = [alloc(0x100), construct(0x100), destruct(0x100), free(0x100)]
    let life = ["pt_alloc", "pt_ctor", "pt_dtor", "pt_free"]
    let movable = alloc(0x100, "GFP_HIGHUSER_MOVABLE|__GFP_COMP")
    #expect(try names(dead + [movable, free(0x100), movable]) == life + ["page_reuse"])
    #expect(try names(dead + [alloc(0x100, "GFP_NOWAIT")]) == life + ["page_reuse"])
    #expect(try names(dead + [alloc(0x100), construct(0x100)]) == life + ["pt_alloc", "pt_ctor"])
    // Flags of a table, and yet it never was one.
    let late = try Samples.importText(trace(dead + [alloc(0x100), free(0x100)]))
    #expect(late.names() == life + ["page_reuse"])
    #expect(late.trace.events.last?.flags == .inferred)
    #expect(try names(dead + [alloc(0x100)]) == life)
    let block =
      "mm_page_alloc: page=10003f00 pfn=0xfc order=3 migratetype=0 gfp_flags=GFP_KERNEL"
    #expect(try names(dead + [block]) == life + ["page_reuse"])
  }

  @Test func twoWitnessesOfACallbackGiveOneEvent() throws {
    let call = "rcu_queue: (call_rcu+0x0/0x1) head=0xff00 func=tlb_remove_table_rcu+0x0/0xa8 nr=3"
    let callback = "rcu_callback: rcu_preempt rhp=ff00 func=tlb_remove_table_rcu 7"
    let invoke = "rcu_invoke_callback: rcu_preempt rhp=ff00 func=tlb_remove_table_rcu"
    let start = "rcu_cb: (x+0x0/0x1) head=0xff00 nr=3 t0=0x0"
    let end = "rcu_cb_ret: (x+0x0/0x1 <- y)"
    #expect(
      try names([call, callback, invoke, start, end]) == ["call_rcu", "cb_start", "cb_end"])
    #expect(try names([call, start, end]) == ["call_rcu", "cb_start", "cb_end"])
    #expect(try names([callback, invoke, end]) == ["call_rcu", "cb_start", "cb_end"])
    let other = "rcu_callback: rcu_preempt rhp=ff00 func=radix_tree_node_rcu_free 7"
    #expect(try names([other]).isEmpty)
    let imported = try Samples.importText(trace([invoke, start, end]))
    #expect(imported.names() == ["cb_start", "cb_end"])
    #expect(imported.trace.events[0].arg1 == 3)
    #expect(imported.trace.events[0].context == .softirq)
  }

  @Test func missingReturnIsClosedAndMarked() throws {
    let start = "rcu_cb: (x+0x0/0x1) head=0xff00 nr=3"
    let second = "rcu_cb: (x+0x0/0x1) head=0xff10 nr=3"
    let imported = try Samples.importText(
      trace([start, second, "rcu_cb_ret: (x+0x0/0x1 <- y)"]))
    #expect(imported.names() == ["cb_start", "cb_end", "cb_start", "cb_end"])
    #expect(imported.trace.events[1].flags == .inferred)
    #expect(imported.trace.events[3].flags == [])
    let run = try Samples.importText(trace([start, "rcu_batch_ret: (x+0x0/0x1 <- y)"]))
    #expect(run.names() == ["cb_start", "cb_end", "rcu_batch_end"])
  }

  /// A callback whose return is not probed is over where the flags say so, in the same task.
  @Test(arguments: [("..s.1", "....1", 1), ("..s.1", "..s.1", 0), (".....", ".....", 0)])
  func aCallbackEndsWhereTheFlagsDo(_ first: String, _ second: String, _ ends: Int) throws {
    let lines = [
      (first, "rcu_queue: (call_rcu+0x0/0x1) head=0x1008 func=pte_free_now+0x0/0x1 nr=77"),
      (first, "pte_free_now: (x+0x0/0x1) head=0x1008"), (first, destruct(0x100)),
      (second, destruct(0x101)),
    ]
    let imported = try Samples.importText(
      Self.pair.joined(separator: "\n") + "\n"
        + lines.enumerated().map {
          "  bash-77      [000] \($1.0)    12.30000\($0): \($1.1)\n"
        }.joined())
    #expect(imported.names().count { $0 == "cb_end" } == ends)
    #expect(imported.trace.events.last?.context == (ends == 1 ? .task : .softirq))
  }

  @Test func deferredFreeNamesItsTable() throws {
    let head = "0x" + String(0x1000_0000 + 0x100 * 64 + 8, radix: 16)
    let imported = try Samples.importText(
      trace([
        alloc(0x100), construct(0x100), install(0x100),
        "pte_free_defer: (x+0x0/0x1) mm=0xbb pgtable=\(page(0x100))",
        "rcu_queue: (call_rcu+0x0/0x1) head=\(head) func=pte_free_now+0x0/0x1 nr=77",
        "pte_free_now: (x+0x0/0x1) head=\(head)", destruct(0x100), free(0x100),
      ]))
    #expect(
      imported.names() == [
        "pt_alloc", "pt_ctor", "pt_install", "pt_unlink", "pt_defer", "call_rcu", "cb_start",
        "pt_dtor", "pt_free",
      ])
    #expect(imported.trace.events[5].arg1 == 0x100)
    #expect(imported.trace.events[6].arg0 == UInt64(CallbackFunction.freeDeferred.rawValue))
  }

  @Test func lockWithTwoWitnessesGivesOneEvent() throws {
    let imported = try Samples.importText(
      trace([
        alloc(0x100), "ptlock_alloc: (x+0x0/0x1) ptdesc=\(page(0x100))",
        "kmem_cache_alloc: call_site=ptlock_alloc+0x1a/0x2c ptr=ff01 bytes_req=64",
        construct(0x100), "ptlock_free: (x+0x0/0x1) ptdesc=\(page(0x100)) ptl=0xff01",
        "kmem_cache_free: call_site=x+0x1/0x2 ptr=ff01 name=page->ptl", destruct(0x100),
        "kmem_cache_free: call_site=x+0x1/0x2 ptr=ff02 name=page->ptl",
        "kmem_cache_free: call_site=x+0x1/0x2 ptr=ff03 name=dentry",
        "ptlock_free: (x+0x0/0x1) ptdesc=\(page(0x100)) ptl=0x0",
      ]))
    #expect(
      imported.names() == ["pt_alloc", "ptl_alloc", "pt_ctor", "ptl_free", "pt_dtor", "ptl_free"])
    #expect(imported.trace.events[1].arg0 == 0x100 && imported.trace.events[3].arg0 == 0x100)
    #expect(imported.trace.events[5].arg0 == 0)
  }

  @Test func inlinedLockAllocationIsFoundByWhatIsFreed() throws {
    let imported = try Samples.importText(
      trace([
        alloc(0x100), "kmem_cache_alloc: call_site=vm_area_dup+0x1/0x2 ptr=ff09 bytes_req=64",
        "kmem_cache_alloc: call_site=pte_alloc_one+0x1/0x2 ptr=ff01 bytes_req=64",
        construct(0x100), "kmem_cache_free: call_site=x+0x1/0x2 ptr=ff01 name=page->ptl",
        destruct(0x100), "kmem_cache_free: call_site=x+0x1/0x2 ptr=ff09 name=vm_area_struct",
      ]))
    #expect(imported.names() == ["pt_alloc", "ptl_alloc", "pt_ctor", "ptl_free", "pt_dtor"])
    #expect(imported.trace.events[3].arg0 == 0x100)
  }

  @Test func gracePeriodEndsAtItsFirstCPUEnd() throws {
    let lines = ["start", "cpuqs", "cpuend", "end", "cpuend"].map {
      "rcu_grace_period: rcu_preempt -527 \($0)"
    }
    let late = ["start", "cpuend"].enumerated().map { place, what in
      "rcu_grace_period: rcu_preempt \(place == 0 ? -523 : -527) \(what)"
    }
    let imported = try Samples.importText(trace(lines + late))
    #expect(imported.names() == ["gp_start", "rcu_qs", "gp_end", "gp_start"])
    #expect(imported.trace.events[0].object == UInt64(bitPattern: -527))
  }

  @Test func depositIsInferredAfterACollapse() throws {
    let range = "free_pgd: (x+0x0/0x1) tlb=0xcc addr=0x0 end=0x1"
    let finish = "tlb_finish: (x+0x0/0x1) tlb=0xcc mm=0xbb"
    let imported = try Samples.importText(
      trace([
        range, finish, alloc(0x100), construct(0x100), install(0x100),
        "ipi_sync: (x+0x0/0x1)", "ipi_sync_ret: (x+0x0/0x1 <- y)", destruct(0x100), free(0x100),
        queue(0x200),
      ]))
    let names = imported.names().filter { $0.hasPrefix("pt_") }
    #expect(
      names == [
        "pt_alloc", "pt_ctor", "pt_install", "pt_unlink", "pt_deposit", "pt_withdraw", "pt_dtor",
        "pt_free", "pt_unlink", "pt_queue_table",
      ])
  }

  @Test func nestedMapOfAWalkerIsOneLoad() throws {
    let slot = "pmd=0xaa0 addr=0x1 pmdv=0x40001"  // pfn 0x100 as riscv writes it
    let lines = [
      alloc(0x100), construct(0x100), install(0x100), "pte_lock: (x+0x0/0x1) mm=0xbb \(slot)",
      "pte_map: (x+0x0/0x1) \(slot)", "pte_lock_ret: (x+0x0/0x1 <- y) ret=0x1",
      "pte_map: (x+0x0/0x1) \(slot)",
    ]
    let imported = try Samples.importText(trace(lines))
    #expect(imported.names() == ["pt_alloc", "pt_ctor", "pt_install", "rd_load", "rd_load"])
    #expect(imported.header.arch == "riscv64")
    #expect(imported.trace.events[3].object == 0x100 && imported.trace.events[3].arg0 == 0)
  }
}
