import Testing
import TraceFormat

@testable import Replay

/// I16: the fallback waits for every other CPU, or for a grace period.
@Suite struct I16Tests {
  private let id = "I16"

  private func fallenBack(_ after: (inout Trace) -> Void) -> Trace {
    Trace {
      $0.born(1); $0.fallBack(1); after(&$0)
    }
  }

  @Test(
    arguments: [
      { $0.fallbackByIPI(1) }, { $0.fallbackByCallback(1) }, { $0.fallbackBySynchronize(1) },
      { $0.fallbackBySynchronize(1, expedited: true) },
    ] as [@Sendable (inout Trace) -> Void])
  func holds(_ life: @Sendable (inout Trace) -> Void) {
    let judgement = Trace {
      $0.born(1); life(&$0)
    }.judge(id)
    expect(judgement, .holds)
    #expect(judgement.exercised == 1)
  }

  @Test func everybodyNamed() {
    let trace = fallenBack {
      $0.emit(.ipiSyncStart, 0, 0b1110); $0.syncAck(cpu: 3); $0.syncAck(cpu: 1)
      $0.syncAck(cpu: 2); $0.emit(.ipiSyncEnd); $0.dtor(1); $0.free(1)
    }
    expect(trace.judge(id), .holds)
  }

  @Test func noWaitAtAll() {
    let trace = fallenBack {
      $0.dtor(1); $0.free(1)
    }
    #expect(
      trace.judge(id).causes == ["freed on the fallback without a sync IPI or a grace period"])
  }

  /// The IPI of another task proves nothing about the CPU that task runs on.
  @Test func anotherTasksWait() {
    let trace = fallenBack {
      $0.on(cpu: 2, task: 9) {
        $0.emit(.ipiSyncStart); $0.emit(.ipiSyncEnd)
      }
      $0.dtor(1); $0.free(1)
    }
    #expect(trace.judge(id).violations == 1)
  }

  @Test func oneCPUDidNotAnswer() {
    let trace = fallenBack {
      $0.emit(.ipiSyncStart, 0, 0b1110); $0.syncAck(cpu: 3); $0.syncAck(cpu: 1)
      $0.emit(.ipiSyncEnd); $0.dtor(1); $0.free(1); $0.syncAck(cpu: 2)
    }
    #expect(
      trace.judge(id).causes
        == ["freed on the fallback before every CPU had acknowledged the sync IPI"])
  }

  @Test func freedBeforeTheEnd() {
    let trace = fallenBack {
      $0.emit(.ipiSyncStart); $0.dtor(1); $0.free(1); $0.emit(.ipiSyncEnd)
    }
    #expect(trace.judge(id).violations == 1)
  }

  /// Freed by whoever held the page last (E15): the wait was the fallback's all the same.
  @Test func heldPages() {
    let trace = fallenBack {
      $0.emit(.ipiSyncStart, 0, 0b10); $0.syncAck(cpu: 1); $0.emit(.ipiSyncEnd); $0.dtor(1)
      $0.on(cpu: 2, task: 9) { $0.free(1) }
    }
    expect(trace.judge(id), .holds)
  }

  @Test func oneTableAfterTheOther() {
    let trace = Trace {
      $0.born(1, 2); $0.fallbackByIPI(1); $0.fallBack(2); $0.dtor(2); $0.free(2)
    }
    #expect(trace.judge(id).violations == 1)
    #expect(trace.judge(id).exercised == 2)
  }

  @Test func batchesOweNone() {
    expect(
      Trace {
        $0.born(1); $0.s3([1])
      }.judge(id), .vacuous)
    expect(
      Trace {
        $0.born(1); $0.pagePath(1)
      }.judge(id), .notApplicable, reason: "page path")
  }

  @Test func edges() {
    let whole = fallenBack {
      $0.emit(.ipiSyncStart, 0, 0b10); $0.syncAck(cpu: 1); $0.emit(.ipiSyncEnd); $0.dtor(1)
      $0.free(1)
    }
    for count in 0...whole.events.count {
      #expect(whole.prefix(count).judge(id).violations == 0)
      #expect(whole.suffix(from: count).judge(id).violations == 0)
    }
    #expect(whole.cut(before: .tableFree).judge(id).pending == 1)
  }

  @Test func lossIsNamed() {
    let trace = fallenBack {
      $0.hole(); $0.dtor(1); $0.free(1)
    }
    expect(trace.judge(id), .inconclusive, reason: "lost events on CPU 1")
  }

  @Test func acknowledgementsThatMayBeMissed() {
    let trace = fallenBack {
      $0.emit(.ipiSyncStart, 0, 0b10); $0.emit(.ipiSyncEnd); $0.dtor(1); $0.free(1)
    }
    expect(
      trace.missing(.ipiSyncAck).judge(id), .inconclusive, reason: "ipi_sync_ack may be missed")
  }

  @Test func missingCapability() {
    let trace = Trace {
      $0.born(1); $0.fallbackByIPI(1)
    }.without(.ipiSyncStart)
    expect(trace.judge(id), .notApplicable)
    expect(trace.judge(id, asked: true), .inconclusive, reason: "ipi_sync_start")
  }
}
