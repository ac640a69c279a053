import Testing
import TraceFormat

@testable import Replay

/// I25: no callback before a full grace period after its call_rcu.
@Suite struct I25Tests {
  private let id = "I25"

  /// One queued table; `between` is what happens before its callback.
  private func run(_ between: (inout Trace) -> Void) -> Trace {
    Trace {
      $0.born(1); $0.queueBatch([1]); between(&$0); $0.runBatch([1])
    }
  }

  @Test func holds() { expect(run { $0.gp() }.judge(id), .holds) }

  @Test func noGracePeriod() {
    #expect(run { _ in }.judge(id).causes == ["callback ran without a grace period"])
  }

  @Test func gracePeriodStillRunning() {
    expect(run { $0.gpStart(5) }.judge(id), .violated)
  }

  @Test func gracePeriodOlderThanTheCall() {
    let trace = Trace {
      $0.born(1); $0.gpStart(5); $0.queueBatch([1]); $0.gpEnd(5); $0.runBatch([1])
    }
    expect(trace.judge(id), .violated)
  }

  /// The first grace period of a recording has an end and no start.
  @Test func endWithoutStartIsNoGracePeriod() {
    expect(run { $0.gpEnd(5) }.judge(id), .violated)
    expect(
      run {
        $0.gpEnd(5); $0.gp()
      }.judge(id), .holds)
  }

  @Test func nextStartShowsThatTheLastOneIsOver() {
    expect(
      run {
        $0.gpStart(5); $0.gpStart(9)
      }.judge(id), .holds)
  }

  @Test func startSaidTwiceIsOneStart() {
    expect(
      run {
        $0.gpStart(5); $0.gpStart(5)
      }.judge(id), .violated)
    let trace = Trace {
      $0.born(1); $0.gpStart(5); $0.queueBatch([1]); $0.gpStart(5); $0.gpEnd(5); $0.runBatch([1])
    }
    expect(trace.judge(id), .violated)
  }

  /// gp_seq starts near −300 and passes through 0.
  @Test func numbersWrap() {
    let trace = run {
      $0.gpStart(UInt64(bitPattern: -4) | 1); $0.gpEnd(UInt64(bitPattern: -4) | 1)
    }
    expect(trace.judge(id), .holds)
    expect(
      run {
        $0.gpStart(UInt64(bitPattern: -3)); $0.gpStart(1)
      }.judge(id), .holds)
  }

  @Test func lateEndOfAnEarlierOneEndsNothing() {
    let trace = run {
      $0.gpStart(9); $0.gpEnd(5)
    }
    expect(trace.judge(id), .violated)
    expect(
      run {
        $0.gpStart(9); $0.gpEnd(5); $0.gpEnd(9)
      }.judge(id), .holds)
  }

  @Test func edgesArePending() {
    let whole = run { $0.gp() }
    #expect(whole.cut(before: .callbackStart).judge(id).pending == 1)
    #expect(whole.cut(from: .gracePeriodStart).judge(id).pending == 1)
    expect(whole.cut(from: .gracePeriodStart).judge(id), .vacuous)
  }

  @Test func lossIsNamed() {
    expect(run { $0.hole() }.judge(id), .inconclusive, reason: "lost events on CPU 1")
  }

  @Test func holesThatOverlapOnTwoCPUs() {
    let trace = run {
      $0.loss(cpu: 1); $0.loss(cpu: 2); $0.lossEnd(cpu: 1); $0.lossEnd(cpu: 2)
    }
    expect(trace.judge(id), .inconclusive, reason: "lost events on CPU 2")
    let open = run {
      $0.loss(cpu: 1); $0.loss(cpu: 2); $0.lossEnd(cpu: 1)
    }
    expect(open.judge(id), .inconclusive, reason: "lost events")
  }

  @Test func lossBeforeTheCallDoesNotMatter() {
    let trace = Trace {
      $0.loss(); $0.born(1); $0.lossEnd(); $0.queueBatch([1]); $0.runBatch([1])
    }
    expect(trace.judge(id), .violated)
  }

  @Test func gracePeriodsThatMayBeMissed() {
    expect(
      run { _ in }.missing(.gracePeriodEnd).judge(id), .inconclusive,
      reason: "gp_end may be missed silently")
  }

  /// Half a pair is no evidence.
  @Test(arguments: [EventKind.gracePeriodStart, .gracePeriodEnd])
  func halfOfThePairIsNotRecorded(_ kind: EventKind) {
    let trace = run { $0.gp() }.without(kind)
    expect(trace.judge(id), .notApplicable, reason: kind.name)
    expect(trace.judge(id, asked: true), .inconclusive, reason: kind.name)
  }

  @Test func pagePathOwesNone() {
    expect(
      Trace {
        $0.born(1); $0.pagePath(1)
      }.judge(id), .notApplicable)
  }

  @Test func neverExercised() { expect(Trace { $0.born(1) }.judge(id), .vacuous) }
}
