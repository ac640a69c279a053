import Testing
import TraceFormat

@testable import Replay

/// I12: a batch-queued table is freed only inside its callback, after a full grace period.
@Suite struct I12Tests {
  private let id = "I12"

  @Test func holds() {
    expect(
      Trace {
        $0.born(1, 2); $0.s3([1, 2])
      }.judge(id), .holds)
    expect(
      Trace {
        $0.born(1, 2); $0.s1([1, 2])
      }.judge(id), .holds)
  }

  @Test func freedOutside() {
    let judgement = Trace {
      $0.born(1); $0.queueBatch([1]); $0.gp(); $0.dtor(1); $0.free(1)
    }
    .judge(id)
    #expect(judgement.causes == ["freed outside any callback"])
  }

  @Test func freedInACallbackThatDidNotWait() {
    let judgement = Trace {
      $0.born(1); $0.queueBatch([1]); $0.runBatch([1])
    }.judge(id)
    #expect(judgement.causes == ["freed in a callback that did not wait for a grace period"])
  }

  @Test func fallbackTablesAreNotItsBusiness() {
    for life in [
      { $0.fallbackByIPI(1) }, { $0.fallbackByCallback(1) }, { $0.fallbackBySynchronize(1) },
    ] as [(inout Trace) -> Void] {
      expect(
        Trace {
          $0.born(1); life(&$0)
        }.judge(id), .vacuous)
    }
  }

  /// Where the fallback cannot be seen, a free outside any callback may be one.
  @Test func fallbackThatIsNotRecorded() {
    let trace = Trace {
      $0.born(1); $0.fallbackByIPI(1)
    }.without(.tableFallback)
    expect(trace.judge(id), .inconclusive, reason: "does not record pt_fallback")
  }

  @Test func pageKeptByAnotherReferenceIsE15() {
    let trace = Trace {
      $0.born(1, 2); $0.queueBatch([1, 2]); $0.gp()
      $0.callback(Trace.head(1)) {
        $0.dtor(1); $0.dtor(2); $0.free(2)
      }
      $0.on(task: 300) { $0.free(1) }
    }
    let judgement = trace.judge(id)
    expect(judgement, .holds)
    #expect(judgement.exempted(.e15) == 1)
    #expect(trace.violated == [])
  }

  /// The batch page was freed and is the head of another callback when the kept page is freed.
  @Test func e15AfterTheHeadIsInUseAgain() {
    let trace = Trace {
      $0.born(1, 2, 3)
      $0.queueBatch([1], head: 0x9000); $0.gp()
      $0.callback(0x9000) {
        $0.dtor(1); $0.emit(.batchFree, 0x9000)
      }
      $0.queueBatch([2], head: 0x9000); $0.gp(); $0.runBatch([2], head: 0x9000)
      $0.queueBatch([3], head: 0x9000)
      $0.free(1)
    }
    #expect(trace.judge(id).exempted(.e15) == 1)
    #expect(trace.violated == [])
  }

  /// rcuc/0 is preempted by rcuop/1 in the middle of a callback (PREEMPT_RT).
  @Test func callbacksInThreadsMayPreemptEachOther() {
    let trace = Trace {
      $0.born(1, 2); $0.queueBatch([1]); $0.queueBatch([2]); $0.gp()
      $0.on(cpu: 0, task: 20, context: .kthread) {
        $0.cbStart(Trace.head(1)); $0.dtor(1)
      }
      $0.callback(Trace.head(2), cpu: 0, task: 31, context: .kthread) {
        $0.dtor(2); $0.free(2)
      }
      $0.on(cpu: 0, task: 20, context: .kthread) {
        $0.free(1); $0.cbEnd(Trace.head(1))
      }
    }
    #expect(trace.violated == [])
    #expect(trace.judge(id).exercised == 2)
    expect(trace.judge("I14"), .holds)
  }

  /// The interrupted task is not the callback: what another task does on that CPU is outside.
  @Test func anotherTaskOnTheSameCPUIsOutside() {
    let trace = Trace {
      $0.born(1, 2); $0.queueBatch([1]); $0.queueBatch([2]); $0.gp()
      $0.on(cpu: 0, task: 20, context: .kthread) { $0.cbStart(Trace.head(1)) }
      $0.on(cpu: 0, task: 77) {
        $0.dtor(2); $0.free(2)
      }
    }
    #expect(trace.judge(id).causes == ["freed outside any callback"])
  }

  @Test func callByAnotherCPUAfterMigration() {
    let trace = Trace {
      $0.born(1); $0.unlink(1); $0.queue(1)
      $0.on(cpu: 2) { $0.callRCU(Trace.head(1), load: 1) }
      $0.gp()
      $0.callback(Trace.head(1), cpu: 2) {
        $0.dtor(1); $0.free(1)
      }
    }
    expect(trace.judge(id), .holds)
    expect(trace.judge("I29"), .holds)
  }

  @Test func inferredQueueProvesNothing() {
    let judgement = Trace {
      $0.born(1); $0.queue(1, flags: .inferred); $0.free(1)
    }.judge(id)
    expect(judgement, .vacuous)
    #expect(judgement.pending == 1)
  }

  @Test func edgesArePending() {
    let whole = Trace {
      $0.born(1); $0.s3([1])
    }
    #expect(whole.cut(before: .callbackStart).judge(id).pending == 1)
    expect(whole.cut(from: .callbackStart).judge(id), .vacuous)
  }

  /// `call_rcu` was before the recording: nothing is known of its grace period.
  @Test func callbackOlderThanTheTraceIsNoFinding() {
    #expect(
      Trace {
        $0.born(1); $0.s3([1])
      }.cut(from: .callbackStart).violated == [])
  }

  @Test func lossIsNamed() {
    let trace = Trace {
      $0.born(1); $0.queueBatch([1]); $0.gp(); $0.hole(); $0.dtor(1); $0.free(1)
    }
    expect(trace.judge(id), .inconclusive, reason: "lost events on CPU 1")
  }

  @Test func openHoleLastsToTheEnd() {
    let trace = Trace {
      $0.born(1); $0.queueBatch([1]); $0.loss(); $0.free(1)
    }
    expect(trace.judge(id), .inconclusive, reason: "lost events on CPU 1")
  }

  /// A whole softirq run without its probes, the frees seen (live-other-archs 1).
  @Test func callbacksThatMayBeMissed() {
    let trace = Trace {
      $0.born(1); $0.s3([1])
    }
    .dropping { [.callbackStart, .callbackEnd, .tableDestruct].contains($1.kind) }
    .missing(.callbackStart, .callbackEnd, .tableDestruct)
    expect(trace.judge(id), .inconclusive, reason: "cb_start may be missed silently")
    #expect(trace.violated == [])
  }

  @Test func pagePathOwesNone() {
    let trace = Trace {
      $0.born(1); $0.pagePath(1)
    }
    expect(trace.judge(id), .notApplicable, reason: "page path")
  }

  @Test func missingCapability() {
    let trace = Trace {
      $0.born(1); $0.s3([1])
    }.without(.gracePeriodEnd)
    expect(trace.judge(id), .notApplicable)
    expect(trace.judge(id, asked: true), .inconclusive, reason: "gp_end")
  }

  @Test func neverExercised() { expect(Trace { $0.born(1) }.judge(id), .vacuous) }
}
