import Testing
import TraceFormat

@testable import Replay

/// I20: no use of a ptlock after it is freed.
@Suite struct I20Tests {
  private let id = "I20"
  static let P = Trace.lockAddress(1)

  private func reader(_ after: (inout Trace) -> Void) -> Trace {
    Trace {
      $0.born(1, locks: true); $0.enter(7); $0.load(1, in: 7); after(&$0)
    }
  }

  @Test func holds() {
    let trace = reader {
      $0.queueBatch([1]); $0.wait(Self.P, section: 7, pfn: 1); $0.lock(Self.P, section: 7, pfn: 1)
      $0.unlock(Self.P, section: 7, pfn: 1); $0.exit(7); $0.gp(); $0.runBatch([1], locks: true)
    }
    expect(trace.judge(id), .holds)
    #expect(trace.violated == [])
  }

  @Test(arguments: [
    (EventKind.lockWait, "spins on"), (.lockAcquire, "took"), (.lockRelease, "released"),
  ])
  func usedAfterTheFree(_ kind: EventKind, _ verb: String) {
    let trace = reader {
      $0.queueBatch([1], early: true, locks: true)
      $0.emit(kind, Self.P, 7, 1)
    }
    #expect(trace.judge(id).causes == ["a reader \(verb) a freed ptlock"])
  }

  /// The slab handed the lock to another table: a stranger's lock is taken.
  @Test func aStrangersLock() {
    let trace = reader {
      $0.queueBatch([1], early: true, locks: true)
      $0.alloc(2); $0.lockAlloc(Self.P, of: 2); $0.lock(Self.P, section: 7, pfn: 1)
    }
    #expect(trace.judge(id).causes == ["a reader took a stranger's ptlock"])
  }

  @Test func aStrangersLockWithoutASection() {
    let trace = Trace {
      $0.born(1, locks: true); $0.queueBatch([1], early: true, locks: true)
      $0.alloc(2); $0.lockAlloc(Self.P, of: 2); $0.lock(Self.P, pfn: 1)
    }
    #expect(trace.judge(id).causes == ["a reader took the ptlock of another table than it meant"])
    expect(trace.missing(.lockAlloc).judge(id), .inconclusive, reason: "ptl_alloc")
  }

  @Test func lockOfTheSamePageInItsNextLife() {
    let trace = reader {
      $0.exit(7); $0.s3([1], locks: true); $0.born(1, locks: true)
      $0.enter(7); $0.load(1, in: 7); $0.lock(Self.P, section: 7, pfn: 1)
    }
    expect(trace.judge(id), .holds)
  }

  @Test func lockOlderThanTheTraceIsPending() {
    let judgement = Trace { $0.lock(Self.P, pfn: 1) }.judge(id)
    expect(judgement, .vacuous)
    #expect(judgement.pending == 1)
  }

  @Test func lossIsNamed() {
    let freed = reader {
      $0.queueBatch([1], early: true, locks: true); $0.hole(); $0.lock(Self.P, section: 7, pfn: 1)
    }
    expect(freed.judge(id), .inconclusive, reason: "lost events on CPU 1")
    let foreign = reader {
      $0.hole(); $0.s3([1], locks: true); $0.born(1, locks: true)
      $0.lock(Self.P, section: 7, pfn: 1)
    }
    expect(foreign.judge(id), .inconclusive, reason: "lost events on CPU 1")
  }

  @Test func allocationsThatMayBeMissed() {
    let trace = reader {
      $0.queueBatch([1], early: true, locks: true); $0.lock(Self.P, section: 7, pfn: 1)
    }.missing(.lockAlloc)
    expect(trace.judge(id), .inconclusive, reason: "ptl_alloc may be missed silently")
  }

  @Test func missingCapability() {
    let trace = Trace { $0.born(1, locks: true) }.without(.lockAcquire)
    expect(trace.judge(id), .notApplicable)
    expect(trace.judge(id, asked: true), .inconclusive, reason: "ptl_lock")
  }

  @Test func neverExercised() { expect(Trace { $0.born(1, locks: true) }.judge(id), .vacuous) }
}
