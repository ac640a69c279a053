import Testing
import TraceFormat

@testable import Replay

/// I01: a life begins with its allocation, and nothing happens between free and allocation.
@Suite struct I01Tests {
  private let id = "I01"

  @Test func holds() {
    expect(
      Trace {
        $0.born(1); $0.s3([1]); $0.born(1); $0.s3([1])
      }.judge(id), .holds)
  }

  @Test(
    arguments: [
      { $0.ctor(1) }, { $0.install(1) }, { $0.unlink(1) }, { $0.queue(1) }, { $0.queuePage(1) },
      { $0.fallback(1) }, { $0.deposit(1) }, { $0.withdraw(1) }, { $0.deferFree(1) },
    ] as [@Sendable (inout Trace) -> Void])
  func violatedByWhateverComesAfterTheFree(_ event: @Sendable (inout Trace) -> Void) {
    let trace = Trace {
      $0.born(1); $0.s3([1]); event(&$0)
    }
    let judgement = trace.judge(id)
    expect(judgement, .violated)
    #expect(judgement.causes == ["\(trace.events.last!.kind.name) on a table that is freed"])
  }

  @Test func inferredEventsAreNoFinding() {
    let trace = Trace {
      $0.born(1); $0.s3([1]); $0.unlink(1, flags: .inferred)
    }
    expect(trace.judge(id), .holds)
  }

  @Test func otherFaultsAreLeftToTheirInvariants() {
    expect(
      Trace {
        $0.born(1); $0.s3([1]); $0.dtor(1); $0.free(1)
      }.judge(id), .holds)
  }

  @Test func firstSightOfATableOlderThanTheTraceIsPending() {
    let judgement = Trace {
      $0.born(1, 2); $0.s3([1])
    }.cut(from: .batchNew).judge(id)
    expect(judgement, .vacuous)
    #expect(judgement.pending == 1)
  }

  @Test func lossIsNamed() {
    let judgement = Trace {
      $0.born(1); $0.s3([1]); $0.hole(); $0.queue(1)
    }.judge(id)
    expect(judgement, .inconclusive, reason: "lost events on CPU 1")
  }

  @Test func allocationsThatMayBeMissed() {
    let trace = Trace {
      $0.born(1); $0.s3([1]); $0.queue(1)
    }.missing(.tableAlloc)
    expect(trace.judge(id), .inconclusive, reason: "pt_alloc may be missed silently")
  }

  @Test func missingCapability() {
    let trace = Trace { $0.born(1) }.without(.tableFree)
    expect(trace.judge(id), .notApplicable, reason: "pt_free")
    expect(trace.judge(id, asked: true), .inconclusive, reason: "pt_free")
  }

  @Test func neverExercised() { expect(Trace { $0.gp() }.judge(id), .vacuous) }
}
