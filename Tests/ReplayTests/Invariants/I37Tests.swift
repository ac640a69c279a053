import Testing
import TraceFormat

@testable import Replay

/// I37: callbacks, sync IPIs and synchronize_rcu() in their contexts.
@Suite struct I37Tests {
  private let id = "I37"

  private func callback(in context: ExecutionContext) -> Trace {
    Trace.known {
      $0.callRCU(0xa000, load: 1); $0.gp(); $0.callback(0xa000, context: context) { _ in }
    }
  }

  @Test(arguments: [ExecutionContext.softirq, .kthread]) func holds(_ context: ExecutionContext) {
    expect(callback(in: context).judge(id), .holds)
  }

  @Test func callbackInTaskContext() {
    #expect(callback(in: .task).judge(id).causes == ["callback started in task context"])
    #expect(callback(in: .hardirq).judge(id).causes == ["callback started in a hard interrupt"])
  }

  @Test func contextThatNobodySaw() {
    expect(callback(in: .unknown).judge(id), .vacuous)
    expect(callback(in: .task).unknownMachine.judge(id), .notApplicable)
    expect(
      callback(in: .task).unknownMachine.judge(id, asked: true), .inconclusive, reason: "context")
  }

  @Test func syncIPI() {
    let good = Trace.known {
      $0.enter(7, .gupFast); $0.exit(7); $0.emit(.ipiSyncStart)
    }
    expect(good.judge(id), .holds)
    // Another task's walk is what the IPI waits for.
    let others = Trace.known {
      $0.on(cpu: 1, task: 9) { $0.enter(7, .gupFast) }
      $0.emit(.ipiSyncStart)
    }
    expect(others.judge(id), .holds)
    let bad = Trace.known {
      $0.enter(7, .gupFast); $0.emit(.ipiSyncStart)
    }
    #expect(bad.judge(id).causes == ["sync IPI sent with IRQs off"])
    let interrupt = Trace.known { $0.on(context: .hardirq) { $0.emit(.ipiSyncStart) } }
    #expect(interrupt.judge(id).causes == ["sync IPI sent from a hard interrupt"])
  }

  @Test(arguments: [ReaderClass.map, .lock, .nolock, .gupFast])
  func waitingInsideASection(_ readerClass: ReaderClass) {
    let trace = Trace.known {
      $0.enter(3, .map); $0.exit(3)
      $0.enter(7, readerClass); $0.emit(.synchronizeStart)
    }
    #expect(trace.judge(id).causes == ["synchronize_rcu() called inside a read-side section"])
    let after = Trace.known {
      $0.enter(7, readerClass); $0.on(cpu: 1, task: 9) { $0.enter(8, readerClass) }
      $0.exit(7); $0.emit(.synchronizeStart)
    }
    expect(after.judge(id), .holds)
  }

  @Test func waitingElsewhere() {
    let locked = Trace.known {
      $0.lockAlloc(0x99, of: 1); $0.lock(0x99, pfn: 1); $0.emit(.synchronizeStart)
    }
    #expect(locked.judge(id).causes == ["synchronize_rcu() called with a ptlock held"])
    let released = Trace.known {
      $0.lockAlloc(0x99, of: 1); $0.lock(0x99, pfn: 1); $0.unlock(0x99, pfn: 1)
      $0.emit(.synchronizeStart)
    }
    expect(released.judge(id), .holds)
    let callback = Trace.known {
      $0.callRCU(0xa000, load: 1); $0.gp()
      $0.callback(0xa000, context: .kthread) { $0.emit(.synchronizeStart) }
    }
    #expect(callback.judge(id).causes == ["synchronize_rcu() called inside a callback"])
    let softirq = Trace.known { $0.on(context: .softirq) { $0.emit(.synchronizeStart) } }
    #expect(softirq.judge(id).causes == ["synchronize_rcu() called from a softirq"])
  }

  @Test func edges() {
    let trace = Trace.known {
      $0.enter(7, .map); $0.exit(7); $0.emit(.synchronizeStart); $0.emit(.synchronizeEnd)
    }
    for count in 0..<trace.events.count {
      #expect(trace.suffix(from: count).judge(id).violations == 0)
      #expect(trace.prefix(count).judge(id).violations == 0)
    }
  }

  @Test func lossIsBlamed() {
    let trace = Trace.known {
      $0.enter(7, .map); $0.hole(); $0.emit(.synchronizeStart)
    }
    expect(trace.judge(id), .inconclusive, reason: "lost events on CPU 1")
    let silent = Trace.known {
      $0.enter(7, .map); $0.emit(.synchronizeStart)
    }.missing(.readerExit)
    expect(silent.judge(id), .inconclusive, reason: "rd_exit may be missed silently")
  }

  @Test func pagePathOwesNone() {
    let trace = Trace.known {
      $0.born(1); $0.pagePath(1)
    }
    expect(trace.judge(id), .notApplicable)
  }

  @Test func neverExercised() { expect(Trace.known { $0.born(1) }.judge(id), .vacuous) }
}
