import Testing
import TraceFormat

@testable import Interop

/// What is read by comparing a line with those before it is what the lexer and the reader of pairs,
/// which know of no other line, make of it.
@Suite struct UsualLineTests {
  static let lines = [
    "              sh-111     (    111) [001] ..s3.    21.981067: rcu_batch: (rcu_do_batch+0x4/0x478) cpu=1 seq=29",
    "          <idle>-0       (-------) [000] d.Z..     7.828942: rcu_cb: (tlb_remove_table_rcu+0x0/0xa8) head=0xffffaf800711a000 nr=9",
    "            task-1052    [003] d..1.    12.000000247: mm_page_free: page=ffff8d80021206c0 pfn=0x8481b order=0",
    "     kworker/1:1-34      [001] ...1. 12345.000001: mm_page_free: page=ffff8d80021206c0 pfn=0x8481b order=0",
    "     kworker/1:1-34      [001] ...1. 1234567.000001: mm_page_free: page=ffff8d80021206c0 pfn=0x8481b order=0",
    "       busybox  -1234567 [011] dNh2.     9.500000: tlb_flush: pages:-1 reason:local mm shootdown (3) and more",
    "          ptwork-171     (    171) [000] ..s.1    11.971371: bpf_trace_printk: rcu_qs cpu=0 seq=369 and more text",
    "          ptwork-171     (    171) [000] ..s.1    11.971372: bpf_trace_printk: pt_ctor folio=0xffff8d80026ecf00 idx=38 val=1",
    "          ptwork-147     (    147) [000] .ns2.    29.797490: pt_dtor: (lruvec_stat_mod_folio+0x4/0x130) folio=0xffff8d80026ecf00 idx=38 val=-1",
    "          ptwork-147     (    147) [000] .ns2.    29.797492: table_free: (___free_pages+0x4/0x108) page=0xffff8d80026ecf00 order=0",
    "          ptwork-148     (    148) [001] ...2.    22.079939: pte_lock: (pte_offset_map_lock+0x4/0x118) mm=0xffffaf8004f49500 pmd=0xffffaf801bb58320 addr=0x7fff8c995000 pmdv=0x26ed6401",
    "          ptwork-147     (    147) [000] .....    23.275298: mm_page_alloc: page=ffff8d80026ec500 pfn=0x9bb14 order=0 migratetype=0 gfp_flags=GFP_KERNEL_ACCOUNT|__GFP_ZERO|__GFP_COMP",
    "         busybox-276     (    276) [000] ...1.    24.442713: tlb_table: (tlb_remove_table+0x4/0xd8) tlb=0xffff8f800023b7c8 table=0xffff8d80026ecc80 mm=0xffffaf8004f82a00 start=0x0 end=0xffffffffffffffff full=1",
    "         busybox-276     (    276) [000] ...1.    24.442714: pte_alloc_ret: (do_anonymous_page+0x246/0xe40 <- __pte_alloc) ret=0",
    "         busybox-276     (    276) [000] d..1.    24.442715: kmem_cache_free: call_site=ptlock_free+0x1c/0x30 ptr=ffffaf8004f82a00 name=page->ptl",
    "         busybox-276     (    276) [000] d..1.    24.442716: rcu_grace_period: rcu_preempt -528 AccReadyCB",
    "         busybox-276     (    276) [000] d..1.    24.442717: kmem_cache_free_and_more: ptr=ffffaf8004f82a00 name=page->ptl",
  ].map { Array($0.utf8) }
  static let spice: [UInt8] = Array(" -()[].:0199azAZ#=x\t\r<".utf8) + [0, 0x80, 0xFF]

  /// Changes, takes away or adds a few bytes.
  private func spoil(_ line: [UInt8], _ times: Int, _ random: inout SplitMix64) -> [UInt8] {
    var bytes = line
    for _ in 0..<times {
      let place = Int.random(in: 0..<bytes.count, using: &random)
      switch Int.random(in: 0..<5, using: &random) {
      case 0: bytes.remove(at: place)
      case 1: bytes.insert(Self.spice.randomElement(using: &random)!, at: place)
      case 2: bytes.removeLast(min(bytes.count - 1, place / 8))
      default: bytes[place] = Self.spice.randomElement(using: &random)!
      }
    }
    return bytes
  }

  @Test(arguments: [UInt64(1), 2, 3])
  func saysWhatTheLexerSays(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var usual = UsualLines()
    var found = 0
    for round in 0..<60_000 {
      // Runs of lines of one kind, and of lines that follow each other by chance.
      let kind = round % 3 == 0 ? Int.random(in: 0..<Self.lines.count, using: &random) : round / 64
      let bytes = spoil(Self.lines[kind % Self.lines.count], round % 4, &random)
      var quick = RecordedEvent()
      guard let head = usual.head(bytes.span, into: &quick) else {
        #expect(quick.time == 0 && quick.comm == CommandName() && quick.interrupt == 0x2E)
        expectForm(usual, bytes)
        continue
      }
      found += 1
      let probe = NameTable.shared.probes[head.index]
      let wanted: FieldSet = round % 2 == 0 ? .all : probe.joinedFields
      usual.pairs(head, wanted, bytes.span, into: &quick)
      expect(head, wanted, quick, bytes)
    }
    #expect(found > 20_000)
  }

  /// The columns alone may be of the usual form.
  private func expectForm(_ usual: UsualLines, _ bytes: [UInt8]) {
    var (quick, slow) = (EventLine(), EventLine())
    guard let form = usual.lex(bytes.span, into: &quick) else { return }
    let expected = LineLexer.lex(bytes.span, into: &slow)
    #expect(form == expected && quick == slow, "\(String(decoding: bytes, as: UTF8.self))")
  }

  private func expect(
    _ head: UsualLines.Head, _ wanted: FieldSet, _ event: RecordedEvent, _ bytes: [UInt8]
  ) {
    let text = String(decoding: bytes, as: UTF8.self)
    var line = EventLine()
    #expect(LineLexer.lex(bytes.span, into: &line) == .event, "\(text)")
    let name = NameTable.shared.index(of: bytes.span, line.nameStart, line.nameEnd)
    #expect(head.index == name && head.symbol == line.symbolStart, "\(text)")
    #expect(head.rest == min(line.restStart, bytes.count), "\(text)")
    #expect(event.pid == line.pid && event.cpu == line.cpu && event.time == line.time, "\(text)")
    #expect(event.interrupt == line.interrupt && event.isCounter == line.isCounter, "\(text)")
    #expect(event.comm == CommandName(bytes.span, line.commStart, line.commEnd), "\(text)")
    let origin: RecordedEvent.Origin =
      line.isBPF ? .program : line.symbolStart > 0 ? .probe : .tracepoint
    #expect(event.origin == origin, "\(text)")
    var fields = Fields()
    fields.read(NameTable.shared.probes[head.index], bytes.span, from: line.restStart)
    for key in FieldKey.allCases where wanted.contains(key) {
      #expect(event[key] == fields[key], "\(key) of \(text)")
    }
  }
}
