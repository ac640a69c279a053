import Testing
import TraceFormat

@testable import Replay

/// I07: the destructor precedes the free.
@Suite struct I07Tests {
  private let id = "I07"

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
      { $0.lostRace(1) }, { $0.depositedAtFault(1) },
      {
        $0.born(1); $0.deferred(1)
      },
      { $0.pgd(1, constructed: true) },
    ] as [@Sendable (inout Trace) -> Void])
  func holds(_ life: @Sendable (inout Trace) -> Void) { expect(Trace(life).judge(id), .holds) }

  @Test func freedUndestructed() {
    let judgement = Trace {
      $0.born(1); $0.free(1)
    }.judge(id)
    #expect(judgement.causes == ["freed without its destructor"])
  }

  @Test func destructedTooLate() {
    let judgement = Trace {
      $0.born(1); $0.free(1); $0.dtor(1)
    }.judge(id)
    #expect(
      judgement.causes == ["freed without its destructor", "destructed after it was freed"])
    #expect(judgement.exercised == 2)
  }

  @Test func constructorFailureIsE2() {
    #expect(Trace { $0.constructorFailed(1) }.judge(id).exempted(.e2) == 1)
  }

  @Test func unconstructedPGDIsE8() {
    #expect(Trace { $0.pgd(1, constructed: false) }.judge(id).exempted(.e8) == 1)
  }

  @Test func aLevelWithoutDestructorIsExempt() {
    let trace = Trace {
      $0.alloc(1, .p4d); $0.zero(1); $0.install(1); $0.queueBatch([1]); $0.gp()
      $0.callback(Trace.head(1)) { $0.free(1) }
    }
    #expect(trace.judge(id).exempted(.level) == 1)
    #expect(trace.violated == [])
  }

  @Test func kernelTablesAreExempt() {
    let trace = Trace {
      $0.alloc(1, flags: .kernelTable); $0.ctor(1); $0.free(1)
    }
    #expect(trace.judge(id).exempted(.e10) == 1)
  }

  @Test func edgesArePending() {
    let whole = Trace {
      $0.born(1); $0.s3([1])
    }
    #expect(whole.cut(before: .callbackStart).judge(id).pending == 1)
    #expect(whole.cut(from: .tableFree).judge(id).pending == 1)
    expect(whole.cut(from: .tableFree).judge(id), .vacuous)
  }

  @Test func lossIsNamed() {
    let trace = Trace {
      $0.born(1); $0.hole(); $0.free(1)
    }
    expect(trace.judge(id), .inconclusive, reason: "lost events on CPU 1")
  }

  /// A whole callback's destructors missed by recursion, its frees seen (live-kernels 1).
  @Test func aCallbackWhoseDestructorsWereMissed() {
    let trace = Trace {
      $0.born(1, 2); $0.s3([1, 2])
    }.dropping(.tableDestruct)
      .missing(.tableDestruct)
    let judgement = trace.judge(id)
    expect(judgement, .inconclusive, reason: "pt_dtor may be missed silently")
    #expect(judgement.undecided == 2)
    #expect(trace.violated == [])
  }

  @Test func countedMissesAreNamed() {
    var trace = Trace {
      $0.born(1); $0.free(1)
    }.missing(.tableDestruct)
    trace.header.capabilities.misses["pt_dtor"] = 3
    expect(trace.judge(id), .inconclusive, reason: "pt_dtor may be missed silently (3 misses")
    trace.header.capabilities.missesAreCumulative = true
    expect(trace.judge(id), .inconclusive, reason: "(up to 3 misses counted)")
  }

  @Test func missingCapability() {
    let trace = Trace {
      $0.born(1); $0.s3([1])
    }.without(.tableDestruct)
    expect(trace.judge(id), .notApplicable)
    expect(trace.judge(id, asked: true), .inconclusive, reason: "pt_dtor")
  }

  @Test func neverExercised() { expect(Trace { $0.gp() }.judge(id), .vacuous) }
}
