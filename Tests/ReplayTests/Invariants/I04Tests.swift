import Testing
import TraceFormat

@testable import Replay

/// I04: no entry points at a table when it is queued.
@Suite struct I04Tests {
  private let id = "I04"

  @Test(
    arguments: [
      {
        $0.born(1, 2); $0.s3([1, 2])
      },
      {
        $0.born(1); $0.pagePath(1)
      },
      {
        $0.born(1); $0.fallbackByIPI(1)
      },
      {
        $0.born(1); $0.deferred(1)
      },
      // E5: installed again by whoever had unlinked it.
      {
        $0.born(1); $0.unlink(1); $0.install(1); $0.s3([1])
      },
    ] as [@Sendable (inout Trace) -> Void])
  func holds(_ life: @Sendable (inout Trace) -> Void) { expect(Trace(life).judge(id), .holds) }

  @Test func queuedInstalled() {
    for queue in [
      { $0.queue(1) }, { $0.queuePage(1) }, { $0.deferFree(1) },
    ] as [(inout Trace) -> Void] {
      let trace = Trace {
        $0.born(1); queue(&$0)
      }
      #expect(trace.judge(id).causes == ["queued while an entry points at it"])
    }
  }

  @Test func unlinkedTooLate() {
    let trace = Trace {
      $0.born(1); $0.queue(1); $0.unlink(1)
    }
    #expect(trace.judge(id).violations == 1)
  }

  @Test func installedAgainBeforeTheQueue() {
    let trace = Trace {
      $0.born(1); $0.unlink(1); $0.install(1); $0.queue(1)
    }
    #expect(trace.judge(id).violations == 1)
  }

  /// A deposited table is in no entry (E4), and one that never was owes no unlink (E1).
  @Test func whatWasNeverInstalledOwesNoUnlink() {
    let trace = Trace {
      $0.alloc(1); $0.ctor(1); $0.queue(1)
      $0.born(2); $0.unlink(2); $0.deposit(2); $0.queue(2)
    }
    expect(trace.judge(id), .holds)
  }

  @Test func kernelTablesAreE10() {
    let judgement = Trace {
      $0.alloc(1, flags: .kernelTable); $0.install(1); $0.queue(1)
    }.judge(id)
    #expect(judgement.exempted(.e10) == 1)
    expect(judgement, .vacuous)
  }

  @Test func startInMidLifeIsPending() {
    let judgement = Trace { $0.queue(1) }.judge(id)
    expect(judgement, .vacuous)
    #expect(judgement.pending == 1)
  }

  @Test func truncationIsSilent() {
    let whole = Trace {
      $0.born(1); $0.s3([1])
    }
    for count in 0...whole.events.count {
      #expect(whole.prefix(count).judge(id).violations == 0)
      #expect(whole.suffix(from: count).judge(id).violations == 0)
    }
  }

  @Test func lossIsNamed() {
    let trace = Trace {
      $0.born(1); $0.hole(); $0.queue(1)
    }
    expect(trace.judge(id), .inconclusive, reason: "lost events on CPU 1")
  }

  @Test func unlinksThatMayBeMissed() {
    let trace = Trace {
      $0.born(1); $0.queue(1)
    }
    expect(trace.missing(.tableUnlink).judge(id), .inconclusive, reason: "pt_unlink may be missed")
  }

  /// A live source puts the unlink where it must have been: that decides nothing.
  @Test func inferredUnlinksDecideNothing() {
    var trace = Trace {
      $0.born(1); $0.unlink(1, flags: .inferred); $0.queue(1); $0.born(2); $0.queue(2)
    }
    trace.header.capabilities[.tableUnlink] = .inferred
    expect(trace.judge(id), .notApplicable, reason: "infers pt_unlink")
  }

  @Test func missingCapability() {
    let trace = Trace {
      $0.born(1); $0.s3([1])
    }.without(.tableUnlink)
    expect(trace.judge(id), .notApplicable)
    expect(trace.judge(id, asked: true), .inconclusive, reason: "pt_unlink")
  }

  @Test func neverExercised() { expect(Trace { $0.born(1) }.judge(id), .vacuous) }
}
