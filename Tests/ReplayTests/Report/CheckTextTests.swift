import Testing
import TraceFormat

@testable import Replay

/// `check --format text`, word for word.
@Suite struct CheckTextTests {
  private func lines(_ trace: Trace, _ set: (inout CheckOptions) -> Void = { _ in }) throws
    -> [String]
  {
    var options = CheckOptions()
    set(&options)
    let result = trace.check(options)
    let source = trace.source()
    source.setTaskName("ptwork", of: 100)
    return CheckText(
      result, evidence: try Evidence(for: result, from: source), file: "old.ptt"
    ).lines
  }

  @Test func aViolation() throws {
    let trace = Trace {
      $0.born(0x88fb5); $0.s1([0x88fb5])
    }
    let text = try lines(trace) { $0.only = ["I13"] }
    #expect(
      text == [
        "old.ptt: 17 events, 160 ns, 4 CPUs, stage not declared, literal",
        "  table path (RCU): 1 tables queued, 1 tables freed in callbacks",
        "",
        "  I13  VIOLATED                   1 of 1  no destructor before the grace period",
        "",
        "1 violated",
        "",
        "BUG: I13 critical: destructor ran before the table was queued, 1×  [I13-b6cac5f9]",
        "  The ptlock is not freed and the destructor does not run before the end of a grace "
          + "period that began after the table was unlinked.",
        "  not seen in between: queue, call_rcu, grace period",
        "  order only: no separate ptlock object is seen here, and with the lock embedded in "
          + "the page this order has no effect on memory safety",
        "  table pfn 0x88fb5#1 (pte)",
        "            #0  allocated by         cpu0  ptwork-100         task     0.000001000  "
          + "pt_alloc",
        "            #2  constructed by       cpu0  ptwork-100         task     0.000001020  "
          + "pt_ctor",
        "            #3  installed by         cpu0  ptwork-100         task     0.000001030  "
          + "pt_install",
        "            #5  unlinked by          cpu0  ptwork-100         task     0.000001050  "
          + "pt_unlink",
        "            #6  destroyed by         cpu0  ptwork-100         task     0.000001060  "
          + "pt_dtor",
        "            #7  queued by            cpu0  ptwork-100         task     0.000001070  "
          + "pt_queue_table   <== here",
        "  look: tracetool replay old.ptt --at 7",
        "        tracetool replay old.ptt --table '0x88fb5#1'",
        "        tracetool dump old.ptt --ordinal 2..12",
      ])
  }

  @Test func everyVerdict() throws {
    var trace = Trace {
      $0.born(1, locks: true); $0.s3([1], locks: true)
      $0.born(2); $0.hole(); $0.free(2)
    }.without(.readerAccess)
    trace.header.stage = "S3.sbi"
    trace.header.remarks = ["3 pt_dtor probe hits were missed"]
    let text = try lines(trace) { $0.only = ["I07", "I12", "I13", "I18", "I21", "I24"] }
    #expect(
      text == [
        "old.ptt: 26 events, 250 ns, 4 CPUs, stage S3.sbi, literal",
        "  table path (RCU): 1 tables queued, 1 tables freed in callbacks",
        "  separate ptlock objects: 0 of 1 freed before their table's grace period, 0 reused "
          + "while their table was pending",
        "  events are missing: 1 losses, 5 events counted as lost",
        "  note: 3 pt_dtor probe hits were missed",
        "",
        "  I07  inconclusive       1 of 2 unknown  destructor precedes free",
        "  I12  holds                           1  batch tables freed in their callback",
        "  I13  holds                           1  no destructor before the grace period",
        "  I18  inconclusive       0 of 0 unknown  no access after free",
        "  I21  holds                           1  no ptlock freed while in use",
        "  I24  holds                           1  every callback runs exactly once",
        "",
        "4 holds, 2 inconclusive",
        "",
        "I07 is inconclusive: 1 × freed without its destructor, across the lost events on CPU 1 "
          + "at #23 (5 events)",
        "I18 is inconclusive: this source does not record rd_access",
      ])
  }

  @Test func expectations() throws {
    let trace = Trace {
      $0.born(1); $0.s1([1])
    }
    let met = try lines(trace) {
      $0.expect = ["I14", "I13"]; $0.only = ["I13", "I14"]
    }
    #expect(met.contains("2 violated; exactly as expected"))
    let unmet = try lines(trace) {
      $0.expect = ["I13"]; $0.only = ["I13", "I14"]
    }
    #expect(unmet.contains("2 violated; expected violations: I13"))
    let none = try lines(trace) {
      $0.expect = []; $0.only = ["I13"]
    }
    #expect(none.contains("1 violated; expected violations: none"))
  }

  @Test func moreOfTheSame() throws {
    let trace = Trace {
      for pfn in UInt64(1)...5 { $0.born(pfn); $0.s1([pfn]) }
    }
    let text = try lines(trace) {
      $0.only = ["I13"]; $0.maxFindings = 2
    }
    #expect(text.count { $0.hasPrefix("  table pfn") } == 2)
    #expect(text.contains("  … and 3 more of the same cause (--all lists them)"))
    for count in [0, -1] {
      let terse = try lines(trace) {
        $0.only = ["I13"]; $0.maxFindings = count
      }
      #expect(terse.contains("  … and 5 more of the same cause (--all lists them)"))
    }
  }

  /// Order and harm are findings of their own; between them stands what the ptlock is.
  @Test func whatTheOrderMeansForMemorySafety() throws {
    let P = Trace.lockAddress(1)
    let order = Trace {
      $0.born(1, locks: true); $0.s1([1], locks: true)
    }
    #expect(
      try lines(order.without(.lockAcquire)).contains(
        "  order only: the ptlock is an object of its own here; whether a reader touched a dead one "
          + "this trace does not tell"))
    #expect(
      try lines(order).contains(
        "  order only: the ptlock is an object of its own here, and no reader was seen to touch a "
          + "dead one"))
    let touched = Trace {
      $0.born(1, locks: true); $0.enter(7); $0.load(1, in: 7)
      $0.queueBatch([1], early: true, locks: true); $0.lock(P, section: 7, pfn: 1)
    }
    #expect(
      try lines(touched).contains(
        "  order; the ptlock is an object of its own here, and that dead memory was really touched "
          + "is reported separately (I20)"))
    var embedded = Trace {
      $0.born(1); $0.s1([1])
    }
    embedded.header.options["split_ptlock"] = "no"
    #expect(
      try lines(embedded).contains(
        "  order only: the ptlock is embedded in the page here and lives as long as the page, so "
          + "this order has no effect on memory safety"))
    // Nothing seen, but known to be there: a recording without the probes.
    embedded.header.options["split_ptlock"] = "yes"
    #expect(try lines(embedded).contains { $0.contains("is an object of its own here") })
  }

  @Test func regimes() throws {
    let text = try lines(
      Trace {
        $0.born(1, 2, 3); $0.pagePath(1); $0.fallbackByIPI(2); $0.deferred(3)
      })
    #expect(
      Array(text[1...4]) == [
        "  table path (RCU): 1 tables queued, 1 tables freed in callbacks",
        "  no-memory fallback: 1 tables", "  page path (no RCU): 1 tables gathered",
        "  pte_free_defer: 1 tables",
      ])
    #expect(try lines(Trace { _ in })[1] == "  no table was queued for freeing")
  }

  @Test(
    arguments: [
      (UInt64(0), "0 ns"), (999, "999 ns"), (1_500, "1.5 us"), (48_000_000, "48.0 ms"),
      (3_000_000_000, "3.0 s"), (.max, "18446744073.7 s"),
    ] as [(UInt64, String)])
  func durations(_ units: UInt64, _ text: String) {
    #expect(Figures.duration(units, .nanoseconds("mono")) == text)
  }

  @Test func times() {
    #expect(Figures.time(13_273_246_000, .nanoseconds("mono")) == "13.273246000")
    #expect(Figures.time(42, Clock(name: "counter", unitsPerSecond: nil)) == "42")
    #expect(
      Figures.time(24_000_000, Clock(name: "tb", unitsPerSecond: 16_000_000)) == "1.500000000")
    #expect(Figures.time(3, Clock(name: "s", unitsPerSecond: 1)) == "3")
    #expect(Figures.time(1_500_000, Clock(name: "us", unitsPerSecond: 1_000_000)) == "1.500000")
  }

  @Test func counts() {
    #expect(Figures.count(0) == "0")
    #expect(Figures.count(999) == "999")
    #expect(Figures.count(8116) == "8,116")
    #expect(Figures.count(-1_234_567) == "-1,234,567")
    #expect(Figures.count(UInt64.max) == "18,446,744,073,709,551,615")
  }
}
