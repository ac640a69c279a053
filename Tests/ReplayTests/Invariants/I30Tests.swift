import Testing
import TraceFormat

@testable import Replay

/// I30: nothing is pending when a gather is finished.
@Suite struct I30Tests {
  private let id = "I30"

  private func gather(_ body: (inout Trace) -> Void) -> Trace {
    Trace {
      $0.born(1, 2); $0.gatherStart()
      body(&$0)
      $0.gatherFinish()
    }
  }

  @Test func holds() {
    let batch = gather {
      $0.queueBatch([1, 2]); $0.flush()
    }
    expect(batch.judge(id), .holds)
    let page = gather {
      $0.unlink(1); $0.dtor(1); $0.queuePage(1); $0.flush(); $0.free(1)
    }
    expect(page.judge(id), .holds)
    #expect(page.judge(id).exercised == 1)
  }

  @Test func batchLeft() {
    let trace = gather {
      $0.unlink(1); $0.queue(1); $0.flush()
    }
    #expect(trace.judge(id).causes == ["gather finished with a table batch pending"])
  }

  @Test func fallbackLeavesNoBatch() {
    let trace = gather {
      $0.fallBack(1); $0.emit(.ipiSyncStart); $0.emit(.ipiSyncEnd); $0.dtor(1); $0.free(1)
    }
    expect(trace.judge(id), .holds)
  }

  @Test func pageListLeft() {
    let trace = gather {
      $0.flush(); $0.unlink(1); $0.dtor(1); $0.queuePage(1)
    }
    #expect(
      trace.judge(id).causes == [
        "gather finished with tables in its page list that no TLB flush followed"
      ])
  }

  /// A page that somebody else holds (E15) is freed long after its gather.
  @Test func heldPage() {
    let trace = gather {
      $0.unlink(1); $0.dtor(1); $0.queuePage(1); $0.flush()
    }
    expect(trace.judge(id), .holds)
  }

  @Test func flushPendingLeft() {
    let high = Trace {
      $0.gatherStart(); $0.emit(.gatherFinish, Trace.gather, Trace.mm)
    }
    #expect(high.judge(id).causes == ["gather finished and left tlb_flush_pending raised"])
    let low = Trace {
      $0.gatherStart(); $0.flushPending(-1); $0.gatherFinish()
    }
    #expect(low.judge(id).causes == ["gather finished and left tlb_flush_pending too low"])
  }

  /// Two gathers of one mm overlap, each in a task of its own.
  @Test func twoAtOnce() {
    let trace = Trace {
      $0.gatherStart()
      $0.on(cpu: 1, task: 9) {
        $0.emit(.gatherStart, 0xff20_4010, Trace.mm); $0.flushPending(1)
      }
      $0.gatherFinish()
      $0.on(cpu: 2, task: 9) {
        $0.flushPending(-1); $0.emit(.gatherFinish, 0xff20_4010, Trace.mm)
      }
    }
    expect(trace.judge(id), .holds)
    #expect(trace.judge(id).exercised == 2)
  }

  @Test func edgesArePending() {
    let trace = gather {
      $0.unlink(1); $0.queue(1)
    }
    #expect(trace.cut(before: .gatherFinish).judge(id).pending == 1)
    let late = trace.cut(from: .tableUnlink)
    expect(late.judge(id), .vacuous)
    #expect(late.judge(id).pending == 1)
  }

  @Test func lossIsBlamed() {
    let trace = gather {
      $0.unlink(1); $0.queue(1); $0.hole(); $0.flush()
    }
    expect(trace.judge(id), .inconclusive, reason: "lost events on CPU 1")
    let silent = gather {
      $0.unlink(1); $0.queue(1); $0.flush()
    }.missing(.callRCU)
    expect(silent.judge(id), .inconclusive, reason: "call_rcu may be missed silently")
  }

  /// A gather start that was lost: the finish is another gather's.
  @Test func startThatIsMissing() {
    let trace = Trace {
      $0.gatherStart()
      $0.on(task: 9) { $0.emit(.gatherFinish, Trace.gather, Trace.mm) }
    }
    expect(trace.judge(id), .vacuous)
  }

  @Test func concludedFinish() {
    var trace = gather {
      $0.unlink(1); $0.queue(1)
    }
    trace.header.capabilities[.gatherFinish] = .inferred
    expect(trace.judge(id), .notApplicable)
  }

  @Test func missingCapability() {
    let trace = gather { _ in }.without(.mmFlushPending)
    expect(trace.judge(id), .notApplicable)
    expect(trace.judge(id, asked: true), .inconclusive, reason: "mm_flush_pending")
  }

  @Test func neverExercised() { expect(Trace { $0.born(1) }.judge(id), .vacuous) }
}
