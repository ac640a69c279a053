import Testing
import TraceFormat

@testable import Replay

/// I02: exactly one constructor before the first install, at levels that have one.
@Suite struct I02Tests {
  private let id = "I02"

  @Test func holds() { expect(Trace { $0.born(1, 2) }.judge(id), .holds) }

  @Test func installedUnconstructed() {
    let judgement = Trace {
      $0.alloc(1); $0.install(1)
    }.judge(id)
    #expect(judgement.causes == ["installed without having been constructed"])
  }

  @Test func constructedTwice() {
    let judgement = Trace {
      $0.alloc(1); $0.ctor(1); $0.ctor(1)
    }.judge(id)
    #expect(judgement.causes == ["constructed a second time"])
    #expect(judgement.exercised == 1)
  }

  /// Two constructors before the first install are not one, whatever came in between.
  @Test func constructedAgainAfterItsDestructor() {
    let trace = Trace {
      $0.alloc(1); $0.ctor(1); $0.dtor(1); $0.ctor(1); $0.install(1)
    }
    #expect(trace.judge(id).causes == ["constructed a second time"])
    // Its page may have been freed and allocated again where nobody saw it.
    expect(trace.missing(.tableAlloc).judge(id), .inconclusive, reason: "pt_alloc may be missed")
  }

  @Test func constructedAgainAfterItsUse() {
    let trace = Trace {
      $0.born(1); $0.unlink(1); $0.dtor(1); $0.ctor(1); $0.install(1)
    }
    expect(trace.judge(id), .holds)
  }

  @Test func aLevelWithoutConstructorIsExempt() {
    let judgement = Trace {
      $0.born(1); $0.alloc(2, .p4d); $0.install(2, .p4d)
    }.judge(id)
    expect(judgement, .holds)
    #expect(judgement.exempted(.level) == 1)
  }

  /// Live constructors do not know their level; the first constructed PUD that is installed does.
  @Test func aLevelIsLearntFromAnInstall() {
    let judgement = Trace {
      $0.alloc(1, .unknown); $0.ctor(1); $0.install(1, .pud)
      $0.alloc(2, .unknown); $0.install(2, .pud)
    }.judge(id)
    expect(judgement, .violated)
  }

  @Test func kernelTablesAreExempt() {
    let judgement = Trace {
      $0.alloc(1, flags: .kernelTable); $0.install(1, flags: .kernelTable)
    }.judge(id)
    expect(judgement, .vacuous)
    #expect(judgement.exempted(.e10) == 1)
  }

  @Test(
    arguments: [{ $0.lostRace(1) }, { $0.constructorFailed(1) }, { $0.depositedAtFault(1) }]
      as [@Sendable (inout Trace) -> Void])
  func neverInstalledOwesNothing(_ life: @Sendable (inout Trace) -> Void) {
    expect(Trace(life).judge(id), .vacuous)
  }

  @Test func inferredInstallIsNoFinding() {
    expect(
      Trace {
        $0.alloc(1); $0.install(1, flags: .inferred)
      }.judge(id), .vacuous)
  }

  @Test func reinstalledTableOwesOneConstructorOnly() {
    expect(
      Trace {
        $0.born(1); $0.unlink(1); $0.install(1)
      }.judge(id), .holds)
  }

  @Test func midLifeStartIsPending() {
    let judgement = Trace { $0.born(1) }.cut(from: .tableInstall).judge(id)
    expect(judgement, .vacuous)
    #expect(judgement.pending == 1)
  }

  @Test func lossIsNamed() {
    let judgement = Trace {
      $0.alloc(1); $0.hole(); $0.install(1)
    }.judge(id)
    expect(judgement, .inconclusive, reason: "lost events on CPU 1")
  }

  @Test func constructorsThatMayBeMissed() {
    let trace = Trace {
      $0.alloc(1); $0.install(1)
    }.missing(.tableConstruct)
    expect(trace.judge(id), .inconclusive, reason: "pt_ctor may be missed silently")
  }

  @Test func missingCapability() {
    let trace = Trace { $0.born(1) }.without(.tableInstall)
    expect(trace.judge(id), .notApplicable)
    expect(trace.judge(id, asked: true), .inconclusive, reason: "pt_install")
  }
}
