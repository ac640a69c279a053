import Testing
import TraceFormat

@testable import Replay

/// I27: no head is given to call_rcu while its callback waits.
@Suite struct I27Tests {
  private let id = "I27"
  private let twice = Trace {
    $0.callRCU(0xa000, load: 1); $0.callRCU(0xa000, load: 1)
  }

  @Test func holds() {
    let trace = Trace {
      $0.born(1, 2)
      for pfn in [UInt64(1), 2] {
        $0.queueBatch([pfn], head: 0xa000); $0.gp(); $0.runBatch([pfn], head: 0xa000)
      }
    }
    expect(trace.judge(id), .holds)
    #expect(trace.judge(id).exercised == 2)
  }

  @Test func queuedTwice() {
    #expect(twice.judge(id).causes == ["head given to call_rcu while its callback waits"])
    // The first call is lost as well, which is I24's.
    #expect(twice.violated == ["I24", "I27"])
  }

  /// A callback may give its own head to call_rcu again.
  @Test func fromInsideTheCallback() {
    let trace = Trace {
      $0.callRCU(0xa000, load: 1); $0.gp()
      $0.callback(0xa000) { $0.callRCU(0xa000, load: 1) }
    }
    expect(trace.judge(id), .holds)
  }

  @Test func deferredTables() {
    let trace = Trace {
      $0.born(1); $0.deferred(1); $0.born(1); $0.deferred(1)
    }
    expect(trace.judge(id), .holds)
    #expect(trace.violated == [])
  }

  @Test func missedCallback() {
    expect(
      twice.missing(.callbackStart).judge(id), .inconclusive,
      reason: "cb_start may be missed silently")
    let lossy = Trace {
      $0.callRCU(0xa000, load: 1); $0.hole(); $0.callRCU(0xa000, load: 1)
    }
    expect(lossy.judge(id), .inconclusive, reason: "lost events on CPU 1")
  }

  @Test func edges() {
    expect(twice.prefix(1).judge(id), .holds)
    expect(twice.suffix(from: 1).judge(id), .holds)
  }

  @Test func pagePathOwesNone() {
    let trace = Trace {
      $0.born(1); $0.pagePath(1)
    }
    expect(trace.judge(id), .notApplicable)
  }

  @Test func missingCapability() {
    expect(twice.without(.callbackStart).judge(id, asked: true), .inconclusive, reason: "cb_start")
  }

  @Test func neverExercised() { expect(Trace { $0.born(1) }.judge(id), .vacuous) }
}
