import Testing
import TraceFormat

@testable import Replay

/// I23: entries are compared again before use.
@Suite struct I23Tests {
  private let id = "I23"
  private let lock = Trace.lockAddress(1)

  /// A reader that locks table 1, does `body` and leaves.
  private func locked(
    _ readerClass: ReaderClass = .lock, _ body: (inout Trace) -> Void
  ) -> Trace {
    Trace {
      $0.born(1, locks: true); $0.enter(7, readerClass); $0.load(1, in: 7)
      $0.lock(lock, section: 7, pfn: 1)
      body(&$0)
      $0.unlock(lock, section: 7, pfn: 1); $0.exit(7)
    }
  }

  @Test(arguments: [ReaderClass.lock, .nolock]) func holds(_ readerClass: ReaderClass) {
    let trace = locked(readerClass) {
      $0.recheck(1, in: 7); $0.write(1, in: 7)
    }
    expect(trace.judge(id), .holds)
    #expect(trace.judge(id).exercised == 1)
  }

  @Test func writesWithoutComparing() {
    let judgement = locked { $0.write(1, in: 7) }.judge(id)
    #expect(judgement.causes == ["wrote to a table without comparing its entry again"])
  }

  @Test func comparedBeforeTheLockOnly() {
    let judgement = Trace {
      $0.born(1, locks: true); $0.enter(7, .nolock); $0.load(1, in: 7); $0.recheck(1, in: 7)
      $0.lock(lock, section: 7, pfn: 1); $0.write(1, in: 7)
    }.judge(id)
    #expect(judgement.causes == ["wrote to a table without comparing its entry again"])
  }

  @Test func writesThoughTheEntryChanged() {
    let judgement = locked {
      $0.recheck(1, in: 7, unchanged: false); $0.write(1, in: 7)
    }.judge(id)
    #expect(judgement.causes == ["wrote to a table whose entry had changed"])
  }

  /// A reader that finds the entry changed leaves, or starts over.
  @Test func startsOver() {
    let trace = locked {
      $0.recheck(1, in: 7, unchanged: false); $0.unlock(lock, section: 7, pfn: 1)
      $0.load(1, in: 7); $0.lock(lock, section: 7, pfn: 1); $0.recheck(1, in: 7)
      $0.write(1, in: 7)
    }
    expect(trace.judge(id), .holds)
  }

  @Test func lookingNeedsNoComparison() {
    expect(locked { $0.access(1, in: 7) }.judge(id), .vacuous)
  }

  /// Where locks are embedded nobody sees them taken: the load counts.
  @Test func embeddedLocks() {
    let trace = Trace {
      $0.born(1); $0.enter(7, .lock); $0.load(1, in: 7); $0.recheck(1, in: 7)
      $0.write(1, in: 7); $0.exit(7)
    }.without(.lockAlloc, .lockFree, .lockAcquire, .lockRelease, .lockWait)
    expect(trace.judge(id), .holds)
    #expect(trace.dropping(.readerRecheck).judge(id).violations == 1)
  }

  @Test func fastGUPComparesAfterItsPin() {
    let build: (inout Trace) -> Void = {
      $0.born(1); $0.enter(7, .gupFast); $0.load(1, in: 7); $0.access(1, in: 7); $0.pin(1, in: 7)
    }
    let good = Trace {
      build(&$0); $0.recheck(1, in: 7); $0.exit(7)
    }
    expect(good.judge(id), .holds)
    let dropped = Trace {
      build(&$0); $0.recheck(1, in: 7, unchanged: false); $0.exit(7)
    }
    expect(dropped.judge(id), .holds)
    let bad = Trace {
      build(&$0); $0.exit(7)
    }
    #expect(bad.judge(id).causes == ["kept a page without comparing the entries again"])
  }

  @Test func midLifeStartIsPending() {
    let trace = locked { $0.write(1, in: 7) }.cut(from: .lockAcquire)
    expect(trace.judge(id), .vacuous)
    #expect(trace.judge(id).pending == 1)
    #expect(trace.violated == [])
  }

  @Test func truncated() {
    let trace = locked {
      $0.recheck(1, in: 7); $0.write(1, in: 7)
    }
    expect(trace.cut(before: .readerAccess).judge(id), .vacuous)
  }

  @Test func lossIsBlamed() {
    let trace = locked {
      $0.hole(); $0.write(1, in: 7)
    }
    expect(trace.judge(id), .inconclusive, reason: "lost events on CPU 1")
    let silent = locked { $0.write(1, in: 7) }.missing(.readerRecheck)
    expect(silent.judge(id), .inconclusive, reason: "rd_recheck may be missed silently")
  }

  @Test func missingCapability() {
    let trace = locked { $0.write(1, in: 7) }.without(.readerRecheck)
    expect(trace.judge(id), .notApplicable)
    expect(trace.judge(id, asked: true), .inconclusive, reason: "rd_recheck")
  }

  @Test func neverExercised() { expect(Trace { $0.born(1) }.judge(id), .vacuous) }
}
