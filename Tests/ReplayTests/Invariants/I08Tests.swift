import Testing
import TraceFormat

@testable import Replay

/// I08: exactly one free per life.
@Suite struct I08Tests {
  private let id = "I08"

  @Test(
    arguments: [
      {
        $0.born(1); $0.s3([1]); $0.born(1); $0.s3([1])
      },
      {
        $0.born(1); $0.pagePath(1)
      },
      { $0.constructorFailed(1) }, { $0.pgd(1, constructed: false) },
    ] as [@Sendable (inout Trace) -> Void])
  func holds(_ life: @Sendable (inout Trace) -> Void) { expect(Trace(life).judge(id), .holds) }

  @Test func twice() {
    let judgement = Trace {
      $0.born(1); $0.s3([1]); $0.free(1)
    }.judge(id)
    #expect(judgement.causes == ["freed a second time"])
  }

  @Test func twiceOlderThanTheTrace() {
    expect(
      Trace {
        $0.free(1); $0.free(1)
      }.judge(id), .violated)
  }

  @Test func pageReuseThatIsNotRecordedDoesNotHideIt() {
    expect(
      Trace {
        $0.born(1); $0.free(1); $0.free(1)
      }.without(.pageReuse).judge(id), .violated)
  }

  @Test func allocatedAgainUnfreed() {
    let judgement = Trace {
      $0.born(1); $0.alloc(1)
    }.judge(id)
    #expect(judgement.causes == ["page allocated again, never freed"])
  }

  @Test func edgesArePending() {
    #expect(Trace { $0.born(1) }.judge(id).pending == 1)
    expect(Trace { $0.born(1) }.judge(id), .vacuous, reason: "cut by the start or end")
  }

  @Test func midLifeStartHolds() {
    expect(
      Trace {
        $0.born(1); $0.s3([1])
      }.cut(from: .callbackStart).judge(id), .holds)
  }

  @Test func lossIsNamed() {
    let trace = Trace {
      $0.born(1); $0.s3([1]); $0.hole(); $0.free(1)
    }
    expect(trace.judge(id), .inconclusive, reason: "lost events on CPU 1")
  }

  @Test func kindsThatMayBeMissed() {
    let twice = Trace {
      $0.born(1); $0.free(1); $0.free(1)
    }
    expect(twice.missing(.tableAlloc).judge(id), .inconclusive, reason: "pt_alloc may be missed")
    expect(twice.missing(.pageReuse).judge(id), .inconclusive, reason: "page_reuse may be missed")
    let never = Trace {
      $0.born(1); $0.alloc(1)
    }.missing(.tableFree)
    expect(never.judge(id), .inconclusive, reason: "pt_free may be missed")
  }

  @Test func missingCapability() {
    let trace = Trace { $0.born(1) }.without(.tableFree)
    expect(trace.judge(id), .notApplicable)
    expect(trace.judge(id, asked: true), .inconclusive, reason: "pt_free")
  }

  @Test func neverExercised() { expect(Trace { $0.gp() }.judge(id), .vacuous) }
}
