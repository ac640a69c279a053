import Testing
import TraceFormat

@testable import Replay

/// I29: a callback tears down its batch, in order, then frees the batch page once.
@Suite struct I29Tests {
  private let id = "I29"
  private let head = Trace.head(1)

  private func batch(of pfns: [UInt64], _ body: (inout Trace) -> Void) -> Trace {
    Trace {
      for pfn in pfns { $0.born(pfn) }
      $0.queueBatch(pfns); $0.gp(); $0.callback(head) { body(&$0) }
    }
  }

  private func tearDown(_ trace: inout Trace, _ pfns: UInt64...) {
    for pfn in pfns { trace.dtor(pfn); trace.free(pfn) }
  }

  @Test func holds() {
    expect(
      Trace {
        $0.born(1, 2, 3); $0.s3([1, 2, 3])
      }.judge(id), .holds)
    expect(
      Trace {
        $0.born(1, 2, 3); $0.s1([1, 2, 3])
      }.judge(id), .holds)
  }

  @Test func outOfOrder() {
    let judgement = batch(of: [1, 2]) { tearDown(&$0, 2, 1) }.judge(id)
    #expect(judgement.causes.contains("torn down out of queue order"))
  }

  @Test func oneLeft() {
    let judgement = batch(of: [1, 2]) { tearDown(&$0, 1) }.judge(id)
    #expect(judgement.causes == ["callback ended with tables of its batch left"])
  }

  @Test func oneLeftOnS1ShowsAtQuiesce() {
    let build: (inout Trace) -> Void = {
      $0.born(1, 2); $0.queueBatch([1, 2], early: true); $0.gp(); $0.callback(head) { $0.free(1) }
    }
    let open = Trace(build).judge(id)
    expect(open, .holds)
    #expect(open.pending == 1)
    let quiet = Trace {
      build(&$0); $0.quiesce()
    }.judge(id)
    #expect(quiet.causes == ["callback ended with tables of its batch left"])
  }

  /// S1: nothing shows inside the callback for a page that somebody else holds (E15).
  @Test func heldPagesAreE15() {
    let late = Trace {
      $0.born(1, 2); $0.queueBatch([1, 2], early: true); $0.gp()
      $0.callback(head) {
        $0.free(1); $0.emit(.batchFree, head)
      }
      $0.on(task: 9) { $0.free(2) }
      $0.quiesce()
    }
    expect(late.judge(id), .holds)
    #expect(late.judge(id).exempted(.e15) == 1)
    let meanwhile = Trace {
      $0.born(1, 2); $0.queueBatch([1, 2], early: true); $0.gp()
      $0.on(cpu: 1, task: 0) {
        $0.cbStart(head); $0.free(1)
      }
      $0.on(task: 9) { $0.free(2) }
      $0.on(cpu: 1, task: 0) {
        $0.emit(.batchFree, head)
        $0.cbEnd(head)
      }
      $0.quiesce()
    }
    #expect(meanwhile.judge(id).exempted(.e15) == 1)
    #expect(late.violated == ["I13", "I14"])
    #expect(meanwhile.violated == ["I13", "I14"])
  }

  @Test func putCountsAsTornDown() {
    let trace = Trace {
      $0.born(1, 2); $0.queueBatch([1, 2], early: true); $0.gp()
      $0.callback(head) {
        $0.put(1); $0.free(1); $0.put(2)
      }
    }
    expect(trace.judge(id), .holds)
    #expect(trace.judge(id).pending == 0)
  }

  @Test func anotherBatchsTable() {
    let trace = Trace {
      $0.born(1, 2); $0.queueBatch([1]); $0.queueBatch([2]); $0.gp()
      $0.callback(head) { tearDown(&$0, 1, 2) }
    }
    #expect(trace.judge(id).causes == ["freed in the callback of another batch"])
  }

  @Test func batchPageFreedEarly() {
    let trace = batch(of: [1, 2]) {
      tearDown(&$0, 1); $0.emit(.batchFree, head); tearDown(&$0, 2)
    }
    #expect(trace.judge(id).causes == ["batch page freed before all its tables"])
  }

  @Test func batchPageFreedTwice() {
    let trace = batch(of: [1]) {
      tearDown(&$0, 1); $0.emit(.batchFree, head); $0.emit(.batchFree, head)
    }
    #expect(trace.judge(id).causes == ["batch page freed a second time"])
    let anew = Trace {
      $0.born(1); $0.s3([1]); $0.emit(.batchNew, head); $0.emit(.batchFree, head)
    }
    expect(anew.judge(id), .holds)
  }

  @Test func twoTasksFillBatchesAtOnce() {
    let trace = Trace {
      $0.born(1, 2, 3, 4)
      $0.on(cpu: 0, task: 5) { $0.queue(1) }
      $0.on(cpu: 1, task: 6) { $0.queue(3) }
      $0.on(cpu: 0, task: 5) {
        $0.queue(2); $0.callRCU(0xa000, load: 2)
      }
      $0.on(cpu: 2, task: 6) {
        $0.queue(4); $0.callRCU(0xb000, load: 2)
      }
      $0.gp()
      $0.callback(0xb000, cpu: 2) { tearDown(&$0, 3, 4) }
      $0.callback(0xa000, cpu: 0) { tearDown(&$0, 1, 2) }
    }
    expect(trace.judge(id), .holds)
    #expect(trace.judge(id).exercised == 2)
  }

  /// The stack, and so the gather, is at the same address every time.
  @Test func gathersInSequenceAtOneAddress() {
    let trace = Trace { for pfn in UInt64(1)...3 { $0.born(pfn); $0.s3([pfn]) } }
    #expect(trace.judge(id).exercised == 3)
    expect(trace.judge(id), .holds)
  }

  @Test func fallbackBeforeABatchDoesNotCount() {
    let trace = Trace {
      $0.born(1, 2, 3); $0.fallBack(1)
      $0.emit(.ipiSyncStart); $0.emit(.ipiSyncEnd); tearDown(&$0, 1)
      $0.unlink(2); $0.queue(2); $0.unlink(3); $0.queue(3); $0.callRCU(head, load: 2); $0.gp()
      $0.callback(head) { tearDown(&$0, 2, 3) }
    }
    expect(trace.judge(id), .holds)
    #expect(trace.judge(id).exercised == 1)
  }

  @Test func fallbackCallbackThatIsNotRecordedAsOne() {
    let trace = Trace {
      $0.born(1, 2); $0.fallbackByCallback(1); $0.s3([2])
    }
    .without(.tableFallback)
    expect(trace.judge(id), .holds)
    #expect(trace.judge(id).exercised == 1)
    #expect(trace.violated == [])
  }

  @Test func batchWithMissingQueueEventsIsPending() {
    let trace = Trace {
      $0.born(1, 2); $0.s3([1, 2])
    }
    let first = trace.events.firstIndex { $0.kind == .tableQueueBatch }
    let judgement = trace.dropping { index, _ in index == first }.judge(id)
    expect(judgement, .vacuous)
    #expect(judgement.pending == 1)
  }

  /// Two halves of two batches look like one whole batch: never certain where events are missed.
  @Test func batchesThatMergeByAccident() {
    let build: (inout Trace, Bool) -> Void = { trace, loses in
      trace.born(1, 2)
      trace.queue(1)
      if loses { trace.hole() }
      trace.queue(2); trace.callRCU(0xb000, load: 2); trace.gp()
      trace.callback(0xb000) { tearDown(&$0, 2) }
    }
    let lossy = Trace { build(&$0, true) }
    expect(lossy.judge(id), .inconclusive, reason: "lost events on CPU 1")
    let silent = Trace { build(&$0, false) }.missing(.tableQueueBatch, .callRCU)
    expect(silent.judge(id), .inconclusive, reason: "may be missed silently")
  }

  @Test func endsWithoutHead() {
    let trace = Trace {
      $0.born(1, 2); $0.queueBatch([1, 2]); $0.gp()
      $0.on(cpu: 1, task: 0) {
        $0.cbStart(head); tearDown(&$0, 1, 2); $0.cbEnd(0)
      }
    }
    expect(trace.judge(id), .holds)
  }

  @Test func endThatIsMissing() {
    let trace = Trace {
      $0.born(1, 2); $0.queueBatch([1]); $0.queueBatch([2]); $0.gp()
      $0.on(cpu: 1, task: 0) {
        $0.cbStart(head); tearDown(&$0, 1)
      }
      $0.callback(Trace.head(2)) { tearDown(&$0, 2) }
    }.missing(.callbackEnd)
    expect(trace.judge(id), .holds)
    #expect(trace.violated == [])
  }

  @Test func edgesArePending() {
    let whole = Trace {
      $0.born(1); $0.s3([1])
    }
    #expect(whole.cut(before: .callbackStart).judge(id).pending == 1)
    expect(whole.cut(from: .callRCU).judge(id), .vacuous)
    #expect(whole.cut(from: .callRCU).judge(id).pending == 1)
  }

  @Test func freesThatMayBeMissed() {
    let trace = batch(of: [1, 2]) { tearDown(&$0, 1) }.missing(.tableDestruct)
    expect(trace.judge(id), .inconclusive, reason: "pt_dtor may be missed silently")
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
    }.without(.callbackEnd)
    expect(trace.judge(id), .notApplicable)
    expect(trace.judge(id, asked: true), .inconclusive, reason: "cb_end")
  }

  @Test func neverExercised() { expect(Trace { $0.born(1) }.judge(id), .vacuous) }
}
