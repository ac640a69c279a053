import Testing
import TraceFormat

@testable import Replay

/// I06: exactly one destructor per constructor.
@Suite struct I06Tests {
  private let id = "I06"

  @Test(
    arguments: [
      {
        $0.born(1); $0.s3([1])
      },
      {
        $0.born(1); $0.s1([1])
      },
      {
        $0.born(1); $0.pagePath(1)
      },
      { $0.lostRace(1) }, { $0.depositedAtFault(1) }, { $0.depositedByCollapse(1) },
      { $0.pgd(1, constructed: true) },
      {
        $0.born(1); $0.deferred(1)
      },
      {
        $0.born(1); $0.fallbackByIPI(1)
      },
    ] as [@Sendable (inout Trace) -> Void])
  func holds(_ life: @Sendable (inout Trace) -> Void) {
    expect(Trace(life).judge(id), .holds)
    expect(
      Trace {
        life(&$0); $0.quiesce()
      }.judge(id), .holds)
  }

  @Test func twice() {
    let judgement = Trace {
      $0.born(1); $0.dtor(1); $0.dtor(1)
    }.judge(id)
    #expect(judgement.causes == ["destructed a second time"])
  }

  @Test func twiceWithAConstructorBetween() {
    expect(
      Trace {
        $0.born(1); $0.dtor(1); $0.ctor(1); $0.dtor(1)
      }.judge(id), .holds)
  }

  @Test func neverConstructed() {
    let judgement = Trace {
      $0.alloc(1); $0.dtor(1)
    }.judge(id)
    #expect(judgement.causes == ["destructed without having been constructed"])
  }

  @Test func pageBecameANewTable() {
    let judgement = Trace {
      $0.born(1); $0.free(1); $0.alloc(1)
    }.judge(id)
    #expect(judgement.causes == ["page became a new table, its destructor never ran"])
    #expect(judgement.exercised == 1)
  }

  @Test func neverByQuiesce() {
    let trace = Trace {
      $0.born(1); $0.free(1); $0.quiesce(); $0.gp()
    }
    let judgement = trace.judge(id)
    #expect(judgement.causes == ["never destructed"])
    // The finding stands where the trace says that nothing may be left, not at its end.
    #expect(judgement.findings[0].exemplars[0].ordinal == 5)
  }

  @Test func whatBeganAfterQuiesceIsPending() {
    let judgement = Trace {
      $0.born(1); $0.s3([1]); $0.quiesce(); $0.born(2)
    }.judge(id)
    expect(judgement, .holds)
    #expect(judgement.pending == 1)
  }

  @Test func kernelTablesAreExempt() {
    let judgement = Trace {
      $0.alloc(1, flags: .kernelTable); $0.ctor(1); $0.quiesce()
    }.judge(id)
    expect(judgement, .vacuous)
    #expect(judgement.exempted(.e10) == 1)
  }

  @Test func truncatedEndIsPending() {
    let judgement = Trace { $0.born(1) }.judge(id)
    expect(judgement, .vacuous)
    #expect(judgement.pending == 1)
  }

  @Test func midLifeStartIsPending() {
    let judgement = Trace {
      $0.born(1); $0.s3([1])
    }.cut(from: .callbackStart).judge(id)
    expect(judgement, .vacuous)
    #expect(judgement.pending == 1)
  }

  @Test func lossIsNamed() {
    let trace = Trace {
      $0.born(1); $0.hole(); $0.free(1); $0.alloc(1)
    }
    expect(trace.judge(id), .inconclusive, reason: "lost events on CPU 1")
  }

  @Test func destructorsThatMayBeMissed() {
    let trace = Trace {
      $0.born(1); $0.free(1); $0.alloc(1)
    }.missing(.tableDestruct)
    expect(trace.judge(id), .inconclusive, reason: "pt_dtor may be missed silently")
  }

  @Test func missingCapability() {
    let trace = Trace {
      $0.born(1); $0.s3([1])
    }.without(.tableConstruct)
    expect(trace.judge(id), .notApplicable)
    expect(trace.judge(id, asked: true), .inconclusive, reason: "pt_ctor")
  }
}
