import Testing
import TraceFormat

@testable import Replay

/// I38: the page type stays until no reader can hold the table.
@Suite struct I38Tests {
  private let id = "I38"

  @Test func holds() {
    let trace = Trace {
      $0.born(1); $0.queueBatch([1]); $0.gp()
      $0.callback(Trace.head(1)) {
        $0.typeClear(1); $0.dtor(1); $0.free(1)
      }
    }
    expect(trace.judge(id), .holds)
  }

  @Test func beforeTheQueue() {
    let trace = Trace {
      $0.born(1); $0.unlink(1); $0.typeClear(1); $0.dtor(1); $0.queue(1)
    }
    #expect(trace.judge(id).causes == ["page type cleared before the table was queued"])
    let page = Trace {
      $0.born(1); $0.unlink(1); $0.typeClear(1); $0.dtor(1); $0.queuePage(1)
    }
    #expect(
      page.judge(id).causes == ["page type cleared before the table was put into the page gather"])
  }

  @Test func withoutAGracePeriod() {
    let callback = Trace {
      $0.born(1); $0.queueBatch([1]); $0.callback(Trace.head(1)) { $0.typeClear(1) }
    }
    #expect(
      callback.judge(id).causes == [
        "page type cleared in a callback that did not wait for a grace period"
      ])
    let fallback = Trace {
      $0.born(1); $0.fallBack(1); $0.emit(.ipiSyncStart); $0.emit(.ipiSyncEnd); $0.typeClear(1)
    }
    #expect(
      fallback.judge(id).causes == [
        "page type cleared without a grace period, on the no-memory fallback"
      ])
  }

  @Test func synchronizeIsAGracePeriod() {
    let trace = Trace {
      $0.born(1); $0.fallBack(1); $0.emit(.synchronizeStart); $0.emit(.synchronizeEnd)
      $0.typeClear(1); $0.dtor(1); $0.free(1)
    }
    expect(trace.judge(id), .holds)
  }

  @Test func exemptions() {
    let trace = Trace {
      // E1
      $0.alloc(1); $0.ctor(1); $0.typeClear(1); $0.dtor(1); $0.free(1)
      // E3
      $0.born(2); $0.unlink(2); $0.deferFree(2); $0.callRCU(0xa000, load: 2, .freeDeferred)
      $0.gp()
      $0.callback(0xa000, .freeDeferred) {
        $0.typeClear(2); $0.dtor(2); $0.free(2)
      }
      // E4
      $0.born(3); $0.unlink(3); $0.deposit(3); $0.withdraw(3); $0.typeClear(3); $0.dtor(3)
      $0.free(3)
      // E8
      $0.alloc(4, .pgd); $0.ctor(4); $0.typeClear(4); $0.dtor(4); $0.free(4)
      // E10
      $0.alloc(5, flags: .kernelTable); $0.ctor(5); $0.install(5); $0.unlink(5)
      $0.typeClear(5); $0.dtor(5); $0.free(5)
    }
    expect(trace.judge(id), .holds)
    for key in [Exemption.e1, .e3, .e4, .e8, .e10] {
      #expect(trace.judge(id).exempted(key) == 1, "\(key)")
    }
  }

  @Test func edges() {
    let whole = Trace {
      $0.born(1); $0.unlink(1); $0.typeClear(1); $0.dtor(1); $0.queue(1)
    }
    expect(whole.cut(before: .tableQueueBatch).judge(id), .vacuous)
    expect(whole.cut(from: .tableDestruct).judge(id), .vacuous)
    let waiting = Trace {
      $0.born(1); $0.queueBatch([1]); $0.gp()
    }
    #expect(waiting.judge(id).pending == 1)
    let late = Trace {
      $0.callback(Trace.head(1)) { $0.typeClear(1) }
    }
    #expect(late.judge(id).pending == 1)
  }

  @Test func lossIsBlamed() {
    let trace = Trace {
      $0.born(1); $0.queueBatch([1]); $0.hole(); $0.callback(Trace.head(1)) { $0.typeClear(1) }
    }
    expect(trace.judge(id), .inconclusive, reason: "lost events on CPU 1")
    let silent = Trace {
      $0.born(1); $0.queueBatch([1]); $0.callback(Trace.head(1)) { $0.typeClear(1) }
    }.missing(.gracePeriodStart)
    expect(silent.judge(id), .inconclusive, reason: "gp_start may be missed silently")
  }

  @Test func missingCapability() {
    let trace = Trace {
      $0.born(1); $0.s1([1])
    }.without(.tableTypeClear)
    expect(trace.judge(id), .notApplicable)
    expect(trace.judge(id, asked: true), .inconclusive, reason: "pt_type_clear")
  }

  @Test func neverExercised() { expect(Trace { $0.born(1) }.judge(id), .vacuous) }
}
