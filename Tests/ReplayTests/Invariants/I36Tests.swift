import Testing
import TraceFormat

@testable import Replay

/// I36: at quiesce every user table and every batch page has been freed.
@Suite struct I36Tests {
  private let id = "I36"

  @Test func holds() {
    expect(
      Trace {
        $0.born(1); $0.s3([1]); $0.pgd(2, constructed: true); $0.quiesce()
      }.judge(id), .holds)
  }

  @Test func tableLeft() {
    #expect(
      Trace {
        $0.born(1); $0.quiesce()
      }.judge(id).causes == ["table never freed"])
  }

  @Test func batchPageLeft() {
    let judgement = Trace {
      $0.emit(.batchNew, 0x9000); $0.quiesce()
    }.judge(id)
    #expect(judgement.causes == ["batch page never freed"])
    #expect(judgement.exercised == 1)
  }

  @Test func kernelTablesAreExempt() {
    let judgement = Trace {
      $0.alloc(1, flags: .kernelTable); $0.quiesce()
    }.judge(id)
    expect(judgement, .vacuous)
    #expect(judgement.exempted(.e10) == 1)
  }

  @Test func withoutQuiesceNothingIsOwed() {
    let judgement = Trace { $0.born(1) }.judge(id)
    expect(judgement, .vacuous)
    #expect(judgement.pending == 1)
  }

  @Test func whatBeganAfterQuiesceIsPending() {
    let judgement = Trace {
      $0.born(1); $0.s3([1]); $0.quiesce(); $0.born(2); $0.emit(.batchNew, 0x9000)
    }.judge(id)
    expect(judgement, .holds)
    #expect(judgement.pending == 1)
  }

  @Test func tablesOlderThanTheTraceDoNotCount() {
    expect(
      Trace {
        $0.born(1); $0.quiesce()
      }.cut(from: .tableInstall).judge(id), .vacuous)
  }

  @Test func lossIsNamed() {
    let trace = Trace {
      $0.born(1); $0.hole(); $0.quiesce()
    }
    expect(trace.judge(id), .inconclusive, reason: "lost events on CPU 1")
  }

  @Test func freesThatMayBeMissed() {
    let trace = Trace {
      $0.born(1); $0.quiesce()
    }.missing(.tableFree)
    expect(trace.judge(id), .inconclusive, reason: "pt_free may be missed silently")
  }

  @Test func missingCapability() {
    let trace = Trace { $0.born(1) }.without(.quiesce)
    expect(trace.judge(id), .notApplicable)
    expect(trace.judge(id, asked: true), .inconclusive, reason: "quiesce")
  }
}
