import Testing
import TraceFormat

@testable import Replay

/// I10: an invalidation between the unlink and the free.
@Suite struct I10Tests {
  private let id = "I10"

  @Test(
    arguments: [
      {
        $0.born(1, 2); $0.s3([1, 2])
      },
      {
        $0.born(1); $0.s1([1])
      },
      {
        $0.born(1); $0.pagePath(1)
      },
      {
        $0.born(1); $0.fallbackByIPI(1)
      },
      {
        $0.born(1); $0.fallbackByCallback(1)
      },
      {
        $0.born(1); $0.deferred(1)
      },
      // Another task's invalidation of the same mm does as well.
      {
        $0.born(1); $0.unlink(1); $0.queuePage(1); $0.on(cpu: 2, task: 9) { $0.flush() }; $0.free(1)
      },
      // Two at a time.
      {
        $0.born(1); $0.unlink(1); $0.queuePage(1)
        $0.on(cpu: 2, task: 9) { $0.flushStart() }
        $0.flush(); $0.free(1)
        $0.on(cpu: 2, task: 9) { $0.flushEnd() }
      },
    ] as [@Sendable (inout Trace) -> Void])
  func holds(_ life: @Sendable (inout Trace) -> Void) { expect(Trace(life).judge(id), .holds) }

  @Test func freedAtOnce() {
    // S0a, an upper table.
    let trace = Trace {
      $0.born(1, level: .pmd); $0.unlink(1); $0.dtor(1); $0.free(1); $0.flush()
    }
    #expect(trace.judge(id).causes == ["freed before the TLB was invalidated"])
  }

  @Test func invalidatedBeforeTheUnlink() {
    let trace = Trace {
      $0.born(1); $0.flush(); $0.unlink(1); $0.queuePage(1); $0.free(1)
    }
    #expect(trace.judge(id).violations == 1)
    let across = Trace {
      $0.born(1); $0.flushStart(); $0.unlink(1); $0.flushEnd(); $0.queuePage(1); $0.free(1)
    }
    #expect(across.judge(id).violations == 1)
  }

  @Test func freedDuringTheInvalidation() {
    let trace = Trace {
      $0.born(1); $0.unlink(1); $0.queuePage(1); $0.flushStart(); $0.free(1); $0.flushEnd()
    }
    #expect(trace.judge(id).causes == ["freed while the TLB was being invalidated"])
  }

  @Test func anotherSpacesInvalidation() {
    let trace = Trace {
      $0.born(1); $0.unlink(1); $0.queuePage(1)
      $0.flushStart(0xff60_0777); $0.flushEnd(0xff60_0777); $0.free(1)
    }
    #expect(trace.judge(id).violations == 1)
  }

  @Test func exemptions() {
    #expect(Trace { $0.lostRace(1) }.judge(id).exempted(.e1) == 1)
    #expect(Trace { $0.constructorFailed(1) }.judge(id).exempted(.e1) == 1)
    #expect(Trace { $0.depositedByCollapse(1) }.judge(id).exempted(.e4) == 1)
    #expect(Trace { $0.depositedAtFault(1) }.judge(id).exempted(.e4) == 1)
    #expect(Trace { $0.pgd(1, constructed: true) }.judge(id).exempted(.e8) == 1)
    let kernel = Trace {
      $0.alloc(1, flags: .kernelTable); $0.install(1); $0.unlink(1); $0.free(1)
    }
    #expect(kernel.judge(id).exempted(.e10) == 1)
  }

  @Test func edgesArePending() {
    let whole = Trace {
      $0.born(1); $0.s3([1])
    }
    #expect(whole.cut(before: .tableFree).judge(id).pending == 1)
    for count in 0...whole.events.count {
      #expect(whole.prefix(count).judge(id).violations == 0)
    }
    let late = whole.cut(from: .callbackStart).judge(id)
    expect(late, .vacuous)
    #expect(late.pending == 1)
  }

  @Test func lossIsNamed() {
    let trace = Trace {
      $0.born(1); $0.unlink(1); $0.queuePage(1); $0.hole(); $0.free(1)
    }
    expect(trace.judge(id), .inconclusive, reason: "lost events on CPU 1")
  }

  @Test func invalidationsThatMayBeMissed() {
    let trace = Trace {
      $0.born(1); $0.unlink(1); $0.queuePage(1); $0.free(1)
    }
    expect(
      trace.missing(.flushStart).judge(id), .inconclusive,
      reason: "tlb_flush_start may be missed silently")
    expect(trace.missing(.flushEnd).judge(id), .inconclusive, reason: "tlb_flush_end may be")
  }

  /// Where the unlink is concluded from the queueing, the queueing is what counts; where there is
  /// none, nothing does.
  @Test func concludedUnlinks() {
    let queued = Trace {
      $0.born(1); $0.unlink(1, flags: .inferred); $0.queuePage(1); $0.flush(); $0.free(1)
    }
    expect(queued.judge(id), .holds)
    let direct = Trace {
      $0.born(1); $0.unlink(1, flags: .inferred); $0.dtor(1); $0.free(1)
    }.judge(id)
    expect(direct, .vacuous)
    #expect(direct.pending == 1)
  }

  @Test func missingCapability() {
    let trace = Trace {
      $0.born(1); $0.s3([1])
    }.without(.flushStart)
    expect(trace.judge(id), .notApplicable)
    expect(trace.judge(id, asked: true), .inconclusive, reason: "tlb_flush_start")
  }

  @Test func neverExercised() { expect(Trace { $0.born(1) }.judge(id), .vacuous) }
}
