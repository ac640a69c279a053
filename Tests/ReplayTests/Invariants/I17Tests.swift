import Testing
import TraceFormat

@testable import Replay

/// I17: the fallback is a real grace period.
@Suite struct I17Tests {
  private let id = "I17"

  @Test(
    arguments: [
      { $0.fallbackByCallback(1) }, { $0.fallbackBySynchronize(1) },
      { $0.fallbackBySynchronize(1, expedited: true) },
    ] as [@Sendable (inout Trace) -> Void])
  func holds(_ life: @Sendable (inout Trace) -> Void) {
    expect(
      Trace {
        $0.born(1); life(&$0)
      }.judge(id), .holds)
  }

  @Test func anInterruptIsNone() {
    let judgement = Trace {
      $0.born(1, 2); $0.fallbackByIPI(1); $0.fallbackByIPI(2)
    }.judge(id)
    #expect(judgement.causes == ["freed on the no-memory fallback without a grace period"])
    #expect(judgement.violations == 2)
  }

  /// One that happens to pass counts; one that began too early does not.
  @Test func onesThatHappenToPass() {
    let passed = Trace {
      $0.born(1); $0.fallBack(1); $0.emit(.ipiSyncStart); $0.gp(); $0.emit(.ipiSyncEnd)
      $0.dtor(1); $0.free(1)
    }
    expect(passed.judge(id), .holds)
    let tooEarly = Trace {
      $0.born(1); $0.gpStart(5); $0.fallBack(1); $0.gpEnd(5); $0.dtor(1); $0.free(1)
    }
    #expect(tooEarly.judge(id).violations == 1)
  }

  @Test func batchesOweNone() {
    expect(
      Trace {
        $0.born(1); $0.s1([1])
      }.judge(id), .vacuous)
    expect(
      Trace {
        $0.born(1); $0.pagePath(1)
      }.judge(id), .notApplicable, reason: "page path")
  }

  @Test func edges() {
    let whole = Trace {
      $0.born(1); $0.fallbackByCallback(1)
    }
    for count in 0...whole.events.count {
      #expect(whole.prefix(count).judge(id).violations == 0)
      #expect(whole.suffix(from: count).judge(id).violations == 0)
    }
    #expect(whole.cut(before: .tableFree).judge(id).pending == 1)
  }

  @Test func concludedQueuesDecideNothing() {
    let judgement = Trace {
      $0.born(1); $0.queue(1, flags: .inferred); $0.fallback(1); $0.free(1)
    }.judge(id)
    expect(judgement, .vacuous)
    #expect(judgement.pending == 1)
  }

  @Test func lossIsNamed() {
    let trace = Trace {
      $0.born(1); $0.fallBack(1); $0.hole(); $0.dtor(1); $0.free(1)
    }
    expect(trace.judge(id), .inconclusive, reason: "lost events on CPU 1")
  }

  @Test func gracePeriodsThatMayBeMissed() {
    let trace = Trace {
      $0.born(1); $0.fallbackByIPI(1)
    }
    expect(trace.missing(.gracePeriodEnd).judge(id), .inconclusive, reason: "gp_end may be missed")
  }

  @Test func missingCapability() {
    let trace = Trace {
      $0.born(1); $0.fallbackByCallback(1)
    }.without(.tableFallback)
    expect(trace.judge(id), .notApplicable)
    expect(trace.judge(id, asked: true), .inconclusive, reason: "pt_fallback")
  }
}
