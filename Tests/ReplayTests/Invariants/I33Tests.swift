import Testing
import TraceFormat

@testable import Replay

/// I33: NR_PAGETABLE goes up at the constructor and down by as much at the destructor.
@Suite struct I33Tests {
  private let id = "I33"

  @Test func holds() {
    expect(
      Trace {
        $0.born(1); $0.s3([1]); $0.lostRace(2); $0.quiesce()
      }.judge(id), .holds)
  }

  @Test func lowersByAnotherAmount() {
    let judgement = Trace {
      $0.alloc(1); $0.ctor(1, nr: 2); $0.dtor(1, nr: -1)
    }.judge(id)
    #expect(
      judgement.causes
        == ["destructor lowered NR_PAGETABLE by another amount than the constructor raised it"])
  }

  @Test func raisesByNothing() {
    let judgement = Trace {
      $0.alloc(1); $0.ctor(1, nr: 0)
    }.judge(id)
    #expect(judgement.causes == ["constructor did not raise NR_PAGETABLE"])
  }

  @Test func offAtQuiesce() {
    let judgement = Trace {
      $0.born(1); $0.free(1); $0.quiesce()
    }.judge(id)
    #expect(judgement.causes == ["NR_PAGETABLE is off by 1 at quiesce"])
  }

  /// Whatever a kernel table is accounted as, the sum of the others is not touched by it.
  @Test func kernelTablesAreE10() {
    let judgement = Trace {
      $0.alloc(1, flags: .kernelTable); $0.ctor(1, nr: 2); $0.dtor(1, nr: -1); $0.free(1)
      $0.quiesce()
    }.judge(id)
    expect(judgement, .holds)
    #expect(judgement.exempted(.e10) == 1)
  }

  /// Not zero when an mm is torn down: tables may still wait for RCU (kernel-facts §6).
  @Test func mmTeardownOwesNothing() {
    let trace = Trace {
      $0.born(1); $0.queueBatch([1]); $0.emit(.mmExit, Trace.mm); $0.emit(.mmFree, Trace.mm)
    }
    expect(trace.judge(id), .holds)
  }

  @Test func quiesceIsNotTheEnd() {
    expect(
      Trace {
        $0.lostRace(1); $0.quiesce(); $0.born(2)
      }.judge(id), .holds)
  }

  @Test func kernelTablesAreExempt() {
    let trace = Trace {
      $0.lostRace(2); $0.alloc(1, flags: .kernelTable); $0.ctor(1); $0.quiesce()
    }
    expect(trace.judge(id), .holds)
  }

  @Test func tablesOlderThanTheTraceDoNotCount() {
    let trace = Trace {
      $0.born(1); $0.s3([1]); $0.lostRace(2); $0.quiesce()
    }
    expect(trace.cut(from: .callbackStart).judge(id), .holds)
  }

  @Test func truncatedEndIsPending() { #expect(Trace { $0.born(1) }.judge(id).pending == 1) }

  @Test func lossIsNamed() {
    let trace = Trace {
      $0.born(1); $0.hole(); $0.free(1); $0.quiesce()
    }
    expect(trace.judge(id), .inconclusive, reason: "lost events on CPU 1")
    let amount = Trace {
      $0.alloc(1); $0.ctor(1, nr: 2); $0.hole(); $0.dtor(1, nr: -1)
    }
    expect(amount.judge(id), .inconclusive, reason: "lost events on CPU 1")
  }

  @Test func destructorsThatMayBeMissed() {
    let trace = Trace {
      $0.born(1); $0.free(1); $0.quiesce()
    }.missing(.tableDestruct)
    expect(trace.judge(id), .inconclusive, reason: "pt_dtor may be missed silently")
  }

  @Test func missingCapability() {
    let trace = Trace { $0.born(1) }.without(.tableDestruct)
    expect(trace.judge(id), .notApplicable)
    expect(trace.judge(id, asked: true), .inconclusive, reason: "pt_dtor")
  }

  @Test func neverExercised() { expect(Trace { $0.alloc(1) }.judge(id), .vacuous) }
}
