import Testing

@testable import Interop

/// Every form a line of ftrace text can have, taken apart from a literal.
@Suite struct LineLexerTests {
  struct Expected: Sendable {
    var comm = ""
    var pid: UInt32 = 0
    var cpu: UInt16 = 0
    var time: UInt64 = 0
    var name = ""
    var rest = ""
    var interrupt: Character = "."
    var isBPF = false
    var isCounter = false
  }

  static let events: [(String, Expected)] = [
    (
      "          <idle>-0       (-------) [000] d.Z..     7.828942: rcu_cb: (tlb_remove_table_rcu+0x0/0xa8) head=0xffffaf800711a000 nr=9",
      Expected(
        comm: "<idle>", cpu: 0, time: 7_828_942_000, name: "rcu_cb",
        rest: " head=0xffffaf800711a000 nr=9", interrupt: "Z")
    ),
    (
      "       rcu_sched-15      (     15) [001] .....     7.828335: gp_cleanup_ret: (rcu_gp_kthread+0x11a/0x148 <- rcu_gp_cleanup) seq=18446744073709551448",
      Expected(
        comm: "rcu_sched", pid: 15, cpu: 1, time: 7_828_335_000, name: "gp_cleanup_ret",
        rest: " seq=18446744073709551448")
    ),
    (
      "          ptwork-171     (    171) [000] ..s.1    11.971371: bpf_trace_printk: rcu_qs cpu=0 seq=369",
      Expected(
        comm: "ptwork", pid: 171, time: 11_971_371_000, name: "rcu_qs", rest: "cpu=0 seq=369",
        interrupt: "s", isBPF: true)
    ),
    (
      "              sh-153     (    153) [001] .....    11.970431: mm_page_alloc: page=ff1c00000019a840 pfn=0x866a1 order=0 migratetype=0 gfp_flags=GFP_KERNEL",
      Expected(
        comm: "sh", pid: 153, cpu: 1, time: 11_970_431_000, name: "mm_page_alloc",
        rest: "page=ff1c00000019a840 pfn=0x866a1 order=0 migratetype=0 gfp_flags=GFP_KERNEL")
    ),
    (
      "     kworker/1:1-34      [001] ...1.   100.000001: mm_page_free: page=ffff8d80021206c0 pfn=0x8481b order=0",
      Expected(
        comm: "kworker/1:1", pid: 34, cpu: 1, time: 100_000_001_000, name: "mm_page_free",
        rest: "page=ffff8d80021206c0 pfn=0x8481b order=0")
    ),
    (
      "  a-1 [000] b:-2-77    [003] dNh2. 9.5: tlb_flush: pages:-1 reason:local mm shootdown (3)",
      Expected(
        comm: "a-1 [000] b:-2", pid: 77, cpu: 3, time: 9_500_000_000, name: "tlb_flush",
        rest: "pages:-1 reason:local mm shootdown (3)", interrupt: "h")
    ),
    (
      "           <...>-99999   [012] .....    12.000000: exit_mmap: (exit_mmap+0x4/0x3c0) mm=0x1",
      Expected(
        comm: "<...>", pid: 99999, cpu: 12, time: 12_000_000_000, name: "exit_mmap", rest: " mm=0x1"
      )
    ),
    (
      "          <idle>-0       (-------) [001] ..s.1            4: bpf_trace_printk: rcu_batch cpu=1 seq=60581",
      Expected(
        comm: "<idle>", cpu: 1, time: 4, name: "rcu_batch", rest: "cpu=1 seq=60581",
        interrupt: "s", isBPF: true, isCounter: true)
    ),
    (
      "sh-1 [000] 5.000001: rcu_grace_period: rcu_preempt -528 AccReadyCB",
      Expected(
        comm: "sh", pid: 1, time: 5_000_001_000, name: "rcu_grace_period",
        rest: "rcu_preempt -528 AccReadyCB")
    ),
    (
      "          rcuc/1-33      (     33) [001] b...2    39.222961: rcu_cb_ret: (rcu_do_batch+0x1c5/0x560 <- tlb_remove_table_rcu)",
      Expected(
        comm: "rcuc/1", pid: 33, cpu: 1, time: 39_222_961_000, name: "rcu_cb_ret", rest: "")
    ),
  ]

  @Test(arguments: events)
  func takesEventApart(text: String, expected: Expected) {
    let bytes = Array(text.utf8)
    var line = EventLine()
    #expect(LineLexer.lex(bytes.span, into: &line) == .event)
    func part(_ start: Int, _ end: Int) -> String {
      String(decoding: bytes[start..<end], as: UTF8.self)
    }
    #expect(part(line.commStart, line.commEnd) == expected.comm)
    #expect(line.pid == expected.pid)
    #expect(line.cpu == expected.cpu)
    #expect(line.time == expected.time)
    #expect(line.isCounter == expected.isCounter)
    #expect(line.isBPF == expected.isBPF)
    #expect(part(line.nameStart, line.nameEnd) == expected.name)
    #expect(part(line.restStart, bytes.count) == expected.rest)
    #expect(Character(UnicodeScalar(line.interrupt)) == expected.interrupt)
  }

  @Test(arguments: [
    ("CPU:1 [LOST 2083 EVENTS]", EventLine.Form.loss(cpu: 1, count: 2083)),
    ("CPU:0 [LOST EVENTS]", .loss(cpu: 0, count: nil)),
    ("CPU:12 [16626 EVENTS DROPPED]", .loss(cpu: 12, count: 16626)),
    ("# entries-in-buffer/entries-written: 261/26383   #P:2", .comment),
    ("", .comment),
    ("   ", .comment),
    ("sh-155 (    155) [000] d....     5.695536: call_rcu <-delete_node", .function),
    ("CPU:x [LOST 1 EVENTS]", .bad),
    ("hello world", .bad),
    ("sh-155 [000] d....     5.6955", .bad),
    ("sh-99999999999 [000] d....     5.6955: x: y", .bad),
    ("sh-155 [000] d....     99999999999999.0: x: y", .bad),
    ("-", .bad),
    ("[[[---(((", .bad),
    (" 0) + 10.700 us   |  rcu_do_batch();", .bad),
  ])
  func tellsForm(text: String, form: EventLine.Form) {
    var line = EventLine()
    #expect(LineLexer.lex(Array(text.utf8).span, into: &line) == form)
  }

  @Test func survivesEveryPrefixAndEveryFlippedByte() {
    var line = EventLine()
    var fields = Fields()
    for (text, _) in Self.events {
      let bytes = Array(text.utf8)
      var forms = 0
      for count in 0...bytes.count {
        if LineLexer.lex(bytes.span.extracting(0..<count), into: &line) == .event {
          fields.read(bytes.span.extracting(0..<count), from: line.restStart)
          forms += 1
        }
      }
      #expect(forms > 0)
      for place in bytes.indices {
        var damaged = bytes
        damaged[place] ^= 0x41
        if LineLexer.lex(damaged.span, into: &line) == .event {
          fields.read(damaged.span, from: line.restStart)
        }
      }
    }
  }
}

@Suite struct FieldsTests {
  private func read(_ text: String) -> Fields {
    var fields = Fields()
    fields.read(Array(text.utf8).span, from: 0)
    return fields
  }

  @Test func readsNumbersOfEveryForm() {
    let fields = read(
      "folio=0xffff8d80021c47c0 idx=38 val=-1 page=ffff8d80021c47c0 pfn=0x8711f order=3222388240 "
        + "seq=18446744073709551445 ret=1 tv={0x1,0x2} nr=9")
    #expect(fields[.folio] == 0xffff_8d80_021c_47c0)
    #expect(fields[.page] == 0xffff_8d80_021c_47c0)
    #expect(fields[.idx] == 38)
    #expect(fields[.val] == UInt64.max)
    #expect(fields[.pfn] == 0x8711f)
    #expect(fields[.order] == 3_222_388_240)
    #expect(fields[.seq] == 18_446_744_073_709_551_445)
    #expect(fields[.nr] == 9)
    #expect(fields[.mm] == nil)
  }

  @Test func readsSymbolsWithAndWithoutOffset() {
    #expect(read("func=tlb_remove_table_rcu+0x0/0xa8 nr=9")[.function] == Symbol.removeTableBatch)
    #expect(read("rhp=ff60 func=tlb_remove_table_rcu 74")[.function] == Symbol.removeTableBatch)
    #expect(read("func=pte_free_now")[.function] == Symbol.freeNow)
    #expect(read("rhp=ff600000044f3000")[.head] == 0xff60_0000_044f_3000)
    #expect(read("call_site=x+0x1/0x2 ptr=ff60 name=page->ptl")[.name] == Symbol.lockCache)
    #expect(read("ra=ptlock_alloc.constprop.0+0x1/0x2")[.ra] != Symbol.lockAlloc)
  }

  @Test(arguments: [
    "page=(null)", "page=", "page=0x", "page=0xg", "page=11112222333344445", "page",
  ])
  func refusesWhatIsNoNumber(text: String) {
    #expect(read(text)[.page] == nil)
  }

  @Test(arguments: ["nr=99999999999999999999", "nr=-", "nr=1x", "nr=18446744073709551616"])
  func refusesNumbersThatDoNotFit(text: String) {
    #expect(read(text)[.nr] == nil)
  }
}

@Suite struct EntryFormatTests {
  @Test(arguments: [
    (EntryFormat.riscv, 0x20e2_9401 as UInt64, 0x838a5 as UInt64?),
    (.riscv, 0x20e2_94cf, nil), (.riscv, 0, nil),
    (.x86, 0x339_4067, 0x3394), (.x86, 0x8000_0000_0020_00e7, nil), (.x86, 0x62, nil),
    (.arm, 0x0800_0000_45a8_f403, 0x45a8f), (.arm, 0x45a8_f401, nil),
  ])
  func decodes(format: EntryFormat, entry: UInt64, pfn: UInt64?) {
    #expect(format.pfn(entry) == pfn)
  }
}
