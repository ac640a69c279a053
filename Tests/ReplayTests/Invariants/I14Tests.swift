import Testing
import TraceFormat

@testable import Replay

/// I14: destructor and free in the same activation, adjacent, destructor first.
@Suite struct I14Tests {
  private let id = "I14"

  @Test(
    arguments: [
      {
        $0.born(1, 2, locks: true); $0.s3([1, 2], locks: true)
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

  @Test func earlyDestructor() {
    let judgement = Trace {
      $0.born(1, 2); $0.s1([1, 2])
    }.judge(id)
    #expect(judgement.causes == ["destructor before the queue, free inside the callback"])
    #expect(judgement.violations == 2)
  }

  @Test func earlyDestructorOnTheFallback() {
    let trace = Trace {
      $0.born(1); $0.unlink(1); $0.dtor(1); $0.queue(1); $0.fallback(1); $0.free(1)
    }
    #expect(trace.judge(id).causes == ["destructor before the queue, free on its own"])
  }

  @Test func destructorAfterTheQueueOutsideTheCallback() {
    let judgement = Trace {
      $0.born(1); $0.queueBatch([1]); $0.gp(); $0.dtor(1)
      $0.callback(Trace.head(1)) { $0.free(1) }
    }.judge(id)
    #expect(judgement.causes == ["destructor outside the callback that frees"])
  }

  @Test func allDestructorsFirstAllFreesLater() {
    let judgement = Trace {
      $0.born(1, 2); $0.queueBatch([1, 2]); $0.gp()
      $0.callback(Trace.head(1)) {
        $0.dtor(1); $0.dtor(2); $0.free(1); $0.free(2)
      }
    }.judge(id)
    #expect(judgement.causes == ["another table torn down between destructor and free"])
  }

  /// A softirq may come between destructor and free of a fallback, and the task may migrate.
  @Test func interruptedAndMigratedFallbackIsLegal() {
    let trace = Trace {
      $0.born(1, 2); $0.queueBatch([2]); $0.gp()
      $0.fallBack(1); $0.emit(.ipiSyncStart); $0.emit(.ipiSyncEnd); $0.dtor(1)
      $0.callback(Trace.head(2), cpu: 0, task: 100) {
        $0.dtor(2); $0.free(2)
      }
      $0.on(cpu: 3) { $0.free(1) }
    }
    expect(trace.judge(id), .holds)
    #expect(trace.judge(id).exercised == 2)
  }

  @Test func freedLaterByAnotherHolderIsE15() {
    let callback = Trace {
      $0.born(1); $0.queueBatch([1]); $0.gp()
      $0.callback(Trace.head(1)) { $0.dtor(1) }
      $0.on(cpu: 2, task: 9) { $0.free(1) }
    }
    #expect(callback.judge(id).exempted(.e15) == 1)
    let fallback = Trace {
      $0.born(1); $0.fallBack(1); $0.emit(.ipiSyncStart); $0.emit(.ipiSyncEnd); $0.dtor(1)
      $0.on(cpu: 2, task: 9) { $0.free(1) }
    }
    #expect(fallback.judge(id).exempted(.e15) == 1)
    #expect(fallback.violated == ["I13", "I17"])
  }

  @Test func aLevelWithoutDestructorOwesNothing() {
    let trace = Trace {
      $0.alloc(1, .p4d); $0.queueBatch([1]); $0.gp(); $0.callback(Trace.head(1)) { $0.free(1) }
    }
    expect(trace.judge(id), .vacuous)
  }

  @Test func otherPathsOweNothing() {
    for life in [
      { $0.lostRace(1) }, { $0.depositedByCollapse(1) }, { $0.pgd(1, constructed: true) },
      {
        $0.born(1); $0.deferred(1)
      },
    ] as [(inout Trace) -> Void] { expect(Trace(life).judge(id), .vacuous) }
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
    #expect(whole.cut(before: .tableFree).judge(id).pending == 1)
    // Queued before the recording began, a table shows itself in its callback.
    expect(whole.cut(from: .callbackStart).judge(id), .holds)
    expect(whole.cut(from: .tableDestruct).judge(id), .vacuous)
  }

  @Test func lossIsNamed() {
    let trace = Trace {
      $0.born(1); $0.queueBatch([1]); $0.gp(); $0.dtor(1); $0.hole()
      $0.callback(Trace.head(1)) { $0.free(1) }
    }
    expect(trace.judge(id), .inconclusive, reason: "lost events on CPU 1")
  }

  @Test func callbackEndsThatMayBeMissed() {
    let trace = Trace {
      $0.born(1); $0.queueBatch([1]); $0.gp(); $0.dtor(1)
      $0.callback(Trace.head(1)) { $0.free(1) }
    }.missing(.callbackEnd)
    expect(trace.judge(id), .inconclusive, reason: "cb_end may be missed silently")
  }

  @Test func inferredQueueProvesNothing() {
    let judgement = Trace {
      $0.born(1); $0.dtor(1); $0.queue(1, flags: .inferred); $0.free(1)
    }
    .judge(id)
    expect(judgement, .vacuous)
    #expect(judgement.pending == 1)
  }

  @Test func missingCapability() {
    let trace = Trace {
      $0.born(1); $0.s3([1])
    }.without(.tableDestruct)
    expect(trace.judge(id), .notApplicable)
    expect(trace.judge(id, asked: true), .inconclusive, reason: "pt_dtor")
  }
}
