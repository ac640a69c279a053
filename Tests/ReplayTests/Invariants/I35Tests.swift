import Testing
import TraceFormat

@testable import Replay

/// I35: ptlocks balance, and each belongs to one table at a time.
@Suite struct I35Tests {
  private let id = "I35"
  private let P: UInt64 = 0x77

  @Test func holds() {
    let trace = Trace {
      $0.born(1, locks: true); $0.s3([1], locks: true); $0.born(1, locks: true)
      $0.s1([1], locks: true); $0.quiesce()
    }
    expect(trace.judge(id), .holds)
  }

  @Test func handedOutTwice() {
    let judgement = Trace {
      $0.lockAlloc(P, of: 1); $0.lockAlloc(P, of: 2)
    }.judge(id)
    #expect(judgement.causes == ["ptlock memory handed out while it is a ptlock"])
  }

  @Test func freedTwice() {
    let trace = Trace {
      $0.lockAlloc(P, of: 1); $0.lockFree(P); $0.lockFree(P)
    }
    #expect(trace.judge(id).causes == ["ptlock freed a second time"])
  }

  @Test func freedForAnotherTable() {
    let judgement = Trace {
      $0.lockAlloc(P, of: 1); $0.lockFree(P, of: 2)
    }.judge(id)
    #expect(judgement.causes == ["ptlock freed for another table than it was allocated for"])
  }

  @Test func leftAtQuiesce() {
    let judgement = Trace {
      $0.lockAlloc(P, of: 1); $0.quiesce()
    }.judge(id)
    #expect(judgement.causes == ["ptlock never freed"])
  }

  @Test func edgesArePending() {
    #expect(Trace { $0.lockAlloc(P, of: 1) }.judge(id).pending == 1)
    expect(Trace { $0.lockFree(P, of: 1) }.judge(id), .vacuous)
    #expect(Trace { $0.lockFree(P, of: 1) }.judge(id).pending == 1)
    let later = Trace {
      $0.quiesce(); $0.lockAlloc(P, of: 1)
    }
    expect(later.judge(id), .holds)
  }

  @Test func lossIsNamed() {
    let trace = Trace {
      $0.lockAlloc(P, of: 1); $0.hole(); $0.lockAlloc(P, of: 2)
    }
    expect(trace.judge(id), .inconclusive, reason: "lost events on CPU 1")
    let left = Trace {
      $0.lockAlloc(P, of: 1); $0.hole(); $0.quiesce()
    }
    expect(left.judge(id), .inconclusive, reason: "lost events on CPU 1")
  }

  @Test func freesThatMayBeMissed() {
    let trace = Trace {
      $0.lockAlloc(P, of: 1); $0.lockAlloc(P, of: 2)
    }.missing(.lockFree)
    expect(trace.judge(id), .inconclusive, reason: "ptl_free may be missed silently")
  }

  @Test func missingCapability() {
    let trace = Trace { $0.born(1) }.without(.lockAlloc)
    expect(trace.judge(id), .notApplicable)
    expect(trace.judge(id, asked: true), .inconclusive, reason: "ptl_alloc")
  }

  @Test func neverExercised() { expect(Trace { $0.born(1) }.judge(id), .vacuous) }
}
