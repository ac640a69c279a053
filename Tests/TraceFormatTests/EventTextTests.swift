import Testing

@testable import TraceFormat

/// How events look.
@Suite struct EventTextTests {
  private static func source() -> EventArray {
    let source = EventArray(
      header: TraceHeader(source: "t", producer: "t", cpus: 1, clock: .nanoseconds("mono")))
    source.setTaskName("ptwork", of: 169)
    source.setTaskName("a\nb\u{1b}\"\\ü", of: 7)
    _ = source.addString("phase\ttwo")
    return source
  }

  private static let samples: [(Event, line: String, json: String)] = [
    (
      Event(
        .tableConstruct, time: 13_273_246_000, cpu: 1, task: 169, context: .softirq,
        object: 0x88fb5, arg1: 1, level: .pte, generation: 1),
      "          ptwork-169   [001] ..s.. 13.273246000: pt_ctor: pfn=0x88fb5#1 level=pte nr=1",
      """
      {"ordinal":5,"time":13273246000,"cpu":1,"task":169,"comm":"ptwork","context":"softirq",\
      "event":"pt_ctor","pfn":"0x88fb5","generation":1,"level":"pte","mm":"0x0","nr":1,\
      "inferred":false}
      """
    ),
    (
      Event(
        .tableUnlink, time: 1, cpu: 12, task: 7, object: 0x10, arg0: 0xffff_8880_0000_0000,
        arg1: 0x18, flags: [.inferred, .kernelTable]),
      "        a?b?\"\\ü-7     [012] ..... 0.000000001: pt_unlink: pfn=0x10#0 "
        + "mm=0xffff888000000000 slot=0x18 (kernel table) (inferred)",
      """
      {"ordinal":5,"time":1,"cpu":12,"task":7,"comm":"a\\u000ab\\u001b\\"\\\\ü",\
      "context":"task","event":"pt_unlink","pfn":"0x10","generation":0,\
      "mm":"0xffff888000000000","slot":"0x18","kernel_table":true,"inferred":true}
      """
    ),
    (
      Event(
        .gracePeriodStart, time: 0, task: 123_456, context: .kthread, object: 0 &- 299),
      "           <...>-123456 [000] ..k.. 0.000000000: gp_start: seq=-299",
      """
      {"ordinal":5,"time":0,"cpu":0,"task":123456,"context":"kthread","event":"gp_start",\
      "seq":-299,"inferred":false}
      """
    ),
    (
      Event(
        .loss, time: .max, cpu: Event.allCPUs, context: .unknown, object: 1, arg0: .max),
      "          <idle>-0     [all] ..?.. 18446744073.709551615: loss: "
        + "cause=\"ring-buffer overrun\" count=?",
      """
      {"ordinal":5,"time":18446744073709551615,"cpu":null,"task":0,"context":"?",\
      "event":"loss","cause":"ring-buffer overrun","count":null,"since":0,"inferred":false}
      """
    ),
    (
      Event(.loss, time: 9_000_000_000, cpu: 1, object: 2, arg0: 7, arg1: 8_500_000_000),
      "          <idle>-0     [001] ..... 9.000000000: loss: "
        + "cause=\"lost events\" count=7 since=8.500000000",
      """
      {"ordinal":5,"time":9000000000,"cpu":1,"task":0,"context":"task","event":"loss",\
      "cause":"lost events","count":7,"since":8500000000,"inferred":false}
      """
    ),
    (
      Event(.callRCU, time: 0, context: .hardirq, object: 0xff, arg0: 1, arg1: 512, generation: 9),
      "          <idle>-0     [000] d.h.. 0.000000000: call_rcu: head=0xff#9 "
        + "func=tlb_remove_table_rcu load=512",
      """
      {"ordinal":5,"time":0,"cpu":0,"task":0,"context":"hardirq","event":"call_rcu",\
      "head":"0xff","generation":9,"func":"tlb_remove_table_rcu","load":512,"inferred":false}
      """
    ),
    (
      Event(.tableFree, time: 0, object: 3, arg0: 99, arg1: 1),
      "          <idle>-0     [000] ..... 0.000000000: pt_free: pfn=0x3#0 fn=99 order=1",
      """
      {"ordinal":5,"time":0,"cpu":0,"task":0,"context":"task","event":"pt_free","pfn":"0x3",\
      "generation":0,"fn":99,"order":1,"inferred":false}
      """
    ),
    (
      Event(.mark, time: 0),
      "          <idle>-0     [000] ..... 0.000000000: mark: string=0 phase?two",
      """
      {"ordinal":5,"time":0,"cpu":0,"task":0,"context":"task","event":"mark","string":0,\
      "text":"phase\\u0009two","inferred":false}
      """
    ),
    (
      Event(.tableDestruct, time: 0, object: 3, arg1: .max),
      "          <idle>-0     [000] ..... 0.000000000: pt_dtor: pfn=0x3#0 nr=-1",
      """
      {"ordinal":5,"time":0,"cpu":0,"task":0,"context":"task","event":"pt_dtor","pfn":"0x3",\
      "generation":0,"nr":-1,"inferred":false}
      """
    ),
  ]

  @Test func samplesLookAsWritten() {
    let source = Self.source()
    let text = EventText(clock: source.header.clock)
    for (event, line, json) in Self.samples {
      var bytes: [UInt8] = []
      text.appendLine(event, from: source, to: &bytes)
      #expect(String(decoding: bytes, as: UTF8.self) == line + "\n")
      bytes = []
      text.appendJSON(event, ordinal: 5, from: source, to: &bytes)
      #expect(String(decoding: bytes, as: UTF8.self) == json + "\n")
    }
  }

  @Test(arguments: [
    (UInt64?.none, UInt64(1_234_567), "1234567"), (0, 77, "77"), (1, 77, "77"),
    (1_000_000, 13_273_246, "13.273246"), (1000, 5, "0.005"), (3, 10, "3.333333333"),
    (.max, .max - 1, "0.999999999"), (1_000_000_000, .max, "18446744073.709551615"),
    (10_000_000_000, 10_000_000_001, "1.000000000"),
  ])
  func timesFollowTheClock(_ units: UInt64?, _ time: UInt64, _ expected: String) {
    var bytes: [UInt8] = []
    EventText(clock: Clock(name: "c", unitsPerSecond: units)).appendTime(time, to: &bytes)
    #expect(String(decoding: bytes, as: UTF8.self) == expected)
  }

  @Test func everyKindHasBothForms() throws {
    let source = Self.source()
    let text = EventText(clock: source.header.clock)
    for event in EventStreams.make(.wild, count: 3000, seed: 6) {
      var line: [UInt8] = []
      text.appendLine(event, from: source, to: &line)
      #expect(line.last == 0x0a && line.count { $0 < 0x20 } == 1)
      #expect(String(decoding: line, as: UTF8.self).contains(": \(event.kind.name):"))
      var json: [UInt8] = []
      text.appendJSON(event, ordinal: 1, from: source, to: &json)
      #expect(String(decoding: json, as: UTF8.self).contains("\"event\":\"\(event.kind.name)\""))
    }
  }
}
