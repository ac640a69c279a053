import Testing
import TraceFormat

@testable import Replay

/// I11: the invalidation is over before RCU, or the fallback, begins to wait.
@Suite struct I11Tests {
  private let id = "I11"

  @Test(
    arguments: [
      {
        $0.born(1, 2); $0.s3([1, 2])
      },
      {
        $0.born(1); $0.fallbackByIPI(1)
      },
      {
        $0.born(1); $0.fallbackByCallback(1)
      },
      {
        $0.born(1); $0.fallbackBySynchronize(1)
      },
    ] as [@Sendable (inout Trace) -> Void])
  func holds(_ life: @Sendable (inout Trace) -> Void) { expect(Trace(life).judge(id), .holds) }

  @Test func batchWithoutInvalidation() {
    let judgement = Trace {
      $0.born(1, 2); $0.unlink(1); $0.queue(1); $0.flush(); $0.unlink(2); $0.queue(2)
      $0.callRCU(9, load: 2)
    }.judge(id)
    #expect(judgement.causes == ["batch given to RCU before its tables were invalidated"])
  }

  @Test func batchDuringTheInvalidation() {
    let trace = Trace {
      $0.born(1); $0.unlink(1); $0.queue(1); $0.flushStart(); $0.callRCU(9, load: 1)
      $0.flushEnd()
    }
    #expect(trace.judge(id).violations == 1)
  }

  @Test func fallbackThatWaitsFirst() {
    for wait in [
      {
        $0.emit(.ipiSyncStart); $0.emit(.ipiSyncEnd)
      },
      {
        $0.emit(.synchronizeStart); $0.gp(); $0.emit(.synchronizeEnd)
      },
      { $0.callRCU(Trace.head(1), load: 1, .removeTableOne) },
    ] as [(inout Trace) -> Void] {
      let trace = Trace {
        $0.born(1); $0.unlink(1); $0.queue(1); $0.fallback(1); wait(&$0); $0.flush()
        $0.dtor(1); $0.free(1)
      }
      #expect(
        trace.judge(id).causes
          == ["fallback waited for readers before the table was invalidated"])
    }
  }

  @Test func fallbackThatNeverInvalidates() {
    let trace = Trace {
      $0.born(1); $0.unlink(1); $0.queue(1); $0.fallback(1); $0.dtor(1); $0.free(1)
    }
    #expect(
      trace.judge(id).causes == ["freed on the fallback before the table was invalidated"])
  }

  /// A sync IPI of the same task after its fallback is over is for something else (E7, collapse).
  @Test func laterSyncsAreNotTheFallbacks() {
    let trace = Trace {
      $0.born(1); $0.fallbackByCallback(1); $0.emit(.ipiSyncStart); $0.emit(.ipiSyncEnd)
      $0.born(1); $0.s3([1])
    }
    expect(trace.judge(id), .holds)
  }

  @Test func otherCallbacksOweNothing() {
    expect(Trace { $0.callRCU(9, load: 3) }.judge(id), .vacuous)
    expect(
      Trace {
        $0.born(1); $0.deferred(1)
      }.judge(id), .vacuous)
  }

  @Test func pagePathOwesNone() {
    expect(
      Trace {
        $0.born(1); $0.pagePath(1)
      }.judge(id), .notApplicable, reason: "page path")
  }

  @Test func edgesArePending() {
    let whole = Trace {
      $0.born(1); $0.s3([1])
    }
    #expect(whole.cut(before: .callRCU).judge(id).pending == 1)
    let late = whole.cut(from: .callRCU).judge(id)
    expect(late, .vacuous)
    #expect(late.pending == 1)
    for count in 0...whole.events.count {
      #expect(whole.prefix(count).judge(id).violations == 0)
    }
  }

  @Test func lossIsNamed() {
    let trace = Trace {
      $0.born(1); $0.unlink(1); $0.queue(1); $0.hole(); $0.callRCU(9, load: 1)
    }
    expect(trace.judge(id), .inconclusive, reason: "lost events on CPU 1")
  }

  @Test func invalidationsThatMayBeMissed() {
    let trace = Trace {
      $0.born(1); $0.unlink(1); $0.queue(1); $0.callRCU(9, load: 1)
    }
    expect(trace.missing(.flushEnd).judge(id), .inconclusive, reason: "tlb_flush_end may be")
  }

  @Test func missingCapability() {
    let trace = Trace {
      $0.born(1); $0.s3([1])
    }.without(.flushEnd)
    expect(trace.judge(id), .notApplicable)
    expect(trace.judge(id, asked: true), .inconclusive, reason: "tlb_flush_end")
  }
}
