import Testing
import TraceFormat

@testable import Replay

/// I24: every callback runs exactly once.
@Suite struct I24Tests {
  private let id = "I24"

  @Test(
    arguments: [
      {
        $0.born(1); $0.s3([1])
      },
      {
        $0.born(1); $0.deferred(1)
      },
      {
        $0.born(1); $0.fallbackByCallback(1)
      },
    ] as [@Sendable (inout Trace) -> Void])
  func holds(_ life: @Sendable (inout Trace) -> Void) {
    expect(
      Trace {
        life(&$0); $0.quiesce()
      }.judge(id), .holds)
  }

  @Test func headUsedAgainAndAgain() {
    let trace = Trace {
      for pfn in UInt64(1)...4 {
        $0.born(pfn); $0.queueBatch([pfn], head: 0x9000); $0.gp(); $0.runBatch([pfn], head: 0x9000)
      }
    }
    expect(trace.judge(id), .holds)
    #expect(trace.judge(id).exercised == 4)
  }

  @Test func ranTwice() {
    let judgement = Trace {
      $0.born(1); $0.s3([1]); $0.callback(Trace.head(1)) { _ in }
    }.judge(id)
    #expect(judgement.causes == ["callback ran a second time"])
  }

  @Test func neverRan() {
    let judgement = Trace {
      $0.born(1); $0.queueBatch([1]); $0.gp(); $0.quiesce()
    }.judge(id)
    #expect(judgement.causes == ["callback never ran"])
  }

  @Test func ranAfterQuiesce() {
    let judgement = Trace {
      $0.born(1); $0.queueBatch([1]); $0.gp(); $0.quiesce(); $0.runBatch([1])
    }.judge(id)
    #expect(judgement.causes == ["callback ran after rcu_barrier() had returned"])
  }

  private static func overtaken(_ trace: inout Trace) {
    trace.born(1)
    trace.queueBatch([1])
    trace.emit(.barrierStart)
    trace.gp()
    trace.emit(.barrierEnd)
    trace.runBatch([1])
  }

  @Test func ranAfterBarrier() {
    let late = "callback ran after rcu_barrier() had returned"
    #expect(Trace.known(Self.overtaken).judge(id).causes == [late])
    // The probe stands before the callback is queued: the barrier may have come in between.
    expect(Trace(Self.overtaken).judge(id), .inconclusive)
    expect(
      Trace.known {
        $0.born(1)
        $0.queueBatch([1])
        $0.emit(.barrierStart)
        $0.gp()
        $0.hole()
        $0.emit(.barrierEnd)
        $0.runBatch([1])
      }.judge(id), .inconclusive, reason: "lost events on CPU 1")
  }

  /// A barrier that began before the call_rcu, that has not returned, or of which only one end was
  /// seen waits for nothing.
  @Test(
    arguments: [
      {
        $0.born(1); $0.emit(.barrierStart); $0.queueBatch([1]); $0.gp(); $0.emit(.barrierEnd)
        $0.runBatch([1])
      },
      {
        $0.born(1); $0.queueBatch([1]); $0.emit(.barrierStart); $0.gp(); $0.runBatch([1])
        $0.emit(.barrierEnd)
      },
      {
        $0.born(1); $0.queueBatch([1]); $0.gp(); $0.emit(.barrierEnd); $0.runBatch([1])
      },
    ] as [@Sendable (inout Trace) -> Void])
  func otherBarriers(_ life: @Sendable (inout Trace) -> Void) {
    expect(Trace.known(life).judge(id), .holds)
  }

  @Test func queuedAfterQuiesceIsPending() {
    let judgement = Trace {
      $0.quiesce(); $0.born(1); $0.queueBatch([1])
    }.judge(id)
    expect(judgement, .vacuous)
    #expect(judgement.pending == 1)
  }

  @Test func queuedTwice() {
    let trace = Trace {
      $0.born(1, 2); $0.queueBatch([1], head: 0x9000); $0.queueBatch([2], head: 0x9000)
      $0.gp(); $0.runBatch([2], head: 0x9000); $0.quiesce()
    }
    #expect(trace.judge(id).causes == ["head given to call_rcu again, its callback never ran"])
    #expect(trace.judge(id).violations == 1)
  }

  @Test func edgesArePending() {
    let whole = Trace {
      $0.born(1); $0.s3([1])
    }
    #expect(whole.cut(before: .callbackStart).judge(id).pending == 1)
    #expect(whole.cut(from: .callbackStart).judge(id).pending == 1)
    expect(whole.cut(from: .callbackStart).judge(id), .vacuous)
  }

  @Test func lossIsNamed() {
    let never = Trace {
      $0.born(1); $0.queueBatch([1]); $0.hole(); $0.quiesce()
    }
    expect(never.judge(id), .inconclusive, reason: "lost events on CPU 1")
    let twice = Trace {
      $0.born(1); $0.s3([1]); $0.hole(); $0.callback(Trace.head(1)) { _ in }
    }
    expect(twice.judge(id), .inconclusive, reason: "lost events on CPU 1")
  }

  @Test func kindsThatMayBeMissed() {
    let never = Trace {
      $0.born(1); $0.queueBatch([1]); $0.quiesce()
    }.missing(.callbackStart)
    expect(never.judge(id), .inconclusive, reason: "cb_start may be missed silently")
    let twice = Trace {
      $0.born(1); $0.s3([1]); $0.callback(Trace.head(1)) { _ in }
    }
    .missing(.callRCU)
    expect(twice.judge(id), .inconclusive, reason: "call_rcu may be missed silently")
  }

  @Test func pagePathOwesNone() {
    expect(
      Trace {
        $0.born(1); $0.pagePath(1)
      }.judge(id), .notApplicable)
  }

  @Test func missingCapability() {
    let trace = Trace {
      $0.born(1); $0.s3([1])
    }.without(.callRCU)
    expect(trace.judge(id), .notApplicable)
    expect(trace.judge(id, asked: true), .inconclusive, reason: "call_rcu")
  }

  @Test func neverExercised() { expect(Trace { $0.born(1) }.judge(id), .vacuous) }
}
