import Testing
import TraceFormat

@testable import Replay

/// I40: reclaimed tables are empty and locked. Table 10 is the PMD table.
@Suite struct I40Tests {
  private let id = "I40"
  private let pmdLock = Trace.lockAddress(10)
  private let lock = Trace.lockAddress(1)

  private func reclaim(_ body: (inout Trace) -> Void) -> Trace {
    Trace {
      $0.born(10, locks: true, level: .pmd); $0.born(1, locks: true)
      body(&$0)
      $0.unlink(1)
    }
  }

  @Test func holds() {
    let trace = reclaim {
      $0.lock(lock, pfn: 1); $0.lock(pmdLock, pfn: 10); $0.reclaim(1, pmdLock: pmdLock)
    }
    expect(trace.judge(id), .holds)
    #expect(trace.judge(id).exercised == 1)
  }

  @Test func notEmpty() {
    let trace = reclaim {
      $0.lock(lock, pfn: 1); $0.lock(pmdLock, pfn: 10)
      $0.reclaim(1, pmdLock: pmdLock, present: 3)
    }
    #expect(trace.judge(id).causes == ["reclaimed with entries in use"])
  }

  @Test func notLocked() {
    let noLock = reclaim {
      $0.lock(pmdLock, pfn: 10); $0.reclaim(1, pmdLock: pmdLock)
    }
    #expect(noLock.judge(id).causes == ["reclaimed without holding its ptlock"])
    let noPMDLock = reclaim {
      $0.lock(lock, pfn: 1); $0.reclaim(1, pmdLock: pmdLock)
    }
    #expect(noPMDLock.judge(id).causes == ["reclaimed without holding the pmd lock"])
    let others = reclaim {
      $0.lock(pmdLock, pfn: 10); $0.on(cpu: 1, task: 9) { $0.lock(lock, pfn: 1) }
      $0.reclaim(1, pmdLock: pmdLock)
    }
    #expect(others.judge(id).causes == ["reclaimed without holding its ptlock"])
  }

  /// Locks that are no objects of their own are not seen.
  @Test func embeddedLocks() {
    let trace = Trace {
      $0.born(10, level: .pmd); $0.born(1); $0.reclaim(1, pmdLock: 0); $0.unlink(1)
    }.without(.lockAlloc, .lockFree, .lockAcquire, .lockRelease, .lockWait)
    expect(trace.judge(id), .holds)
  }

  @Test func lossIsBlamed() {
    let trace = reclaim {
      $0.lock(lock, pfn: 1); $0.hole(); $0.reclaim(1, pmdLock: pmdLock)
    }
    expect(trace.judge(id), .inconclusive, reason: "lost events on CPU 1")
    let silent = reclaim { $0.reclaim(1, pmdLock: pmdLock) }.missing(.lockAcquire)
    expect(silent.judge(id), .inconclusive, reason: "ptl_lock may be missed silently")
  }

  @Test func edges() {
    let trace = reclaim {
      $0.lock(lock, pfn: 1); $0.lock(pmdLock, pfn: 10); $0.reclaim(1, pmdLock: pmdLock)
    }
    for count in 0..<trace.events.count {
      #expect(trace.suffix(from: count).judge(id).violations == 0, "\(count)")
      #expect(trace.prefix(count).judge(id).violations == 0, "\(count)")
    }
  }

  @Test func stagesWithoutPTReclaim() {
    let trace = reclaim { _ in }.without(.tableReclaim)
    expect(trace.judge(id), .notApplicable)
    expect(trace.judge(id, asked: true), .inconclusive, reason: "pt_reclaim")
  }

  @Test func neverExercised() { expect(Trace { $0.born(1) }.judge(id), .vacuous) }
}
