import Testing
import TraceFormat

@testable import Replay

/// I21: a ptlock is neither held nor waited for when it is freed.
@Suite struct I21Tests {
  private let id = "I21"
  private let P = Trace.lockAddress(1)

  private func locked(_ body: (inout Trace) -> Void) -> Trace {
    Trace {
      $0.born(1, locks: true); body(&$0)
    }
  }

  @Test func holds() {
    expect(
      locked {
        $0.wait(P); $0.lock(P); $0.unlock(P); $0.lockFree(P)
      }.judge(id), .holds)
  }

  @Test func freedWhileHeld() {
    #expect(
      locked {
        $0.lock(P); $0.lockFree(P)
      }.judge(id).causes == ["a held ptlock was freed"])
  }

  @Test func freedUnderAWaiter() {
    let judgement = locked {
      $0.wait(P); $0.lockFree(P)
    }.judge(id)
    #expect(judgement.causes == ["a ptlock was freed while a reader was spinning on it"])
  }

  /// Somebody else took it meanwhile: the waiter still waits.
  @Test func aLockTakenByAnotherDoesNotEndTheWait() {
    let trace = locked {
      $0.on(task: 5) { $0.wait(P) }
      $0.on(task: 6) {
        $0.lock(P); $0.unlock(P)
      }
      $0.lockFree(P)
    }
    expect(trace.judge(id), .violated)
  }

  @Test func everyWaiterGotIt() {
    let trace = locked {
      for task in [UInt32(5), 6] { $0.on(task: task) { $0.wait(P) } }
      for task in [UInt32(6), 5] {
        $0.on(task: task) {
          $0.lock(P); $0.unlock(P)
        }
      }
      $0.lockFree(P)
    }
    expect(trace.judge(id), .holds)
  }

  @Test func aNewLifeOfTheLockHasNoWaiters() {
    let trace = locked {
      $0.on(task: 5) { $0.wait(P) }
      $0.lockFree(P); $0.lockAlloc(P, of: 2)
      $0.on(task: 5) {
        $0.lock(P); $0.unlock(P)
      }
      $0.lockFree(P)
    }
    #expect(trace.judge(id).violations == 1)
  }

  @Test func lossIsNamed() {
    let held = locked {
      $0.lock(P); $0.hole(); $0.lockFree(P)
    }
    expect(held.judge(id), .inconclusive, reason: "lost events on CPU 1")
    let waiting = locked {
      $0.on(task: 5) { $0.wait(P) }
      $0.hole()
      $0.on(task: 6) {
        $0.wait(P); $0.lock(P); $0.unlock(P)
      }
      $0.lockFree(P)
    }
    expect(waiting.judge(id), .inconclusive, reason: "lost events on CPU 1")
  }

  @Test func kindsThatMayBeMissed() {
    let held = locked {
      $0.lock(P); $0.lockFree(P)
    }.missing(.lockRelease)
    expect(held.judge(id), .inconclusive, reason: "ptl_unlock may be missed silently")
    let waiting = locked {
      $0.wait(P); $0.lockFree(P)
    }.missing(.lockAcquire)
    expect(waiting.judge(id), .inconclusive, reason: "ptl_lock may be missed silently")
  }

  @Test func missingCapability() {
    let trace = locked { $0.lockFree(P) }.without(.lockAcquire)
    expect(trace.judge(id), .notApplicable)
    expect(trace.judge(id, asked: true), .inconclusive, reason: "ptl_lock")
  }

  @Test func neverExercised() { expect(locked { $0.lock(P) }.judge(id), .vacuous) }
}
