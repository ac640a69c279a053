import Testing
import TraceFormat

@testable import Replay

/// I13: neither destructor nor ptlock free before the grace period.
@Suite struct I13Tests {
  private let id = "I13"

  static let legal: [(String, @Sendable (inout Trace) -> Void)] = [
    (
      "S3 batch",
      {
        $0.born(1, 2); $0.s3([1, 2])
      }
    ),
    (
      "S3 batch, lock objects",
      {
        $0.born(1, 2, locks: true); $0.s3([1, 2], locks: true)
      }
    ),
    (
      "fallback by callback",
      {
        $0.born(1); $0.fallbackByCallback(1)
      }
    ),
    (
      "fallback by synchronize_rcu",
      {
        $0.born(1); $0.fallbackBySynchronize(1)
      }
    ),
    (
      "fallback by an expedited grace period",
      {
        $0.born(1)
        $0.fallbackBySynchronize(1, expedited: true)
      }
    ),
    (
      "deferred (E3)",
      {
        $0.born(1, locks: true); $0.deferred(1, locks: true)
      }
    ),
    (
      "reinstalled after unlink (E5)",
      {
        $0.born(1)
        $0.unlink(1)
        $0.install(1)
        $0.s3([1])
      }
    ),
    (
      "a level without destructor",
      {
        $0.born(2)
        $0.s3([2])
        $0.alloc(1, .p4d)
        $0.zero(1)
        $0.install(1, .p4d)
        $0.queueBatch([1])
        $0.gp()
        $0.callback(Trace.head(1)) { $0.free(1) }
      }
    ),
  ]

  @Test(arguments: legal.indices) func holds(_ index: Int) {
    let trace = Trace(Self.legal[index].1)
    expect(trace.judge(id), .holds)
    #expect(trace.violated == [], "\(Self.legal[index].0)")
  }

  @Test(
    arguments: [
      { $0.lostRace(1) }, { $0.constructorFailed(1) }, { $0.depositedAtFault(1) },
      { $0.depositedByCollapse(1) }, { $0.pgd(1, constructed: true) },
      { $0.pgd(1, constructed: false) },
    ] as [@Sendable (inout Trace) -> Void])
  func owesNothing(_ life: @Sendable (inout Trace) -> Void) {
    let trace = Trace(life)
    expect(trace.judge(id), .vacuous)
    #expect(trace.violated == [])
  }

  @Test func deferredCountsAsE3() {
    #expect(
      Trace {
        $0.born(1); $0.deferred(1)
      }.judge(id).exempted(.e3) == 1)
  }

  @Test func kernelTablesAreE10() {
    let judgement = Trace {
      $0.alloc(1, flags: .kernelTable); $0.ctor(1); $0.install(1); $0.unlink(1); $0.dtor(1)
      $0.free(1)
    }.judge(id)
    expect(judgement, .vacuous)
    #expect(judgement.exempted(.e10) == 1)
  }

  @Test func tablesFreedWithoutAQueueAreExcusedByName() {
    let judgement = Trace {
      $0.lostRace(1); $0.depositedAtFault(2); $0.depositedByCollapse(3)
      $0.pgd(4, constructed: true)
    }.judge(id)
    expect(judgement, .vacuous)
    #expect(judgement.exempted(.e1) == 1)
    #expect(judgement.exempted(.e4) == 2)
    #expect(judgement.exempted(.e8) == 1)
  }

  @Test func earlyDestructorIsFoundOncePerTable() {
    let judgement = Trace {
      $0.born(1, 2); $0.s1([1, 2])
    }.judge(id)
    expect(judgement, .violated)
    #expect(judgement.causes == ["destructor ran before the table was queued"])
    #expect(judgement.violations == 2)
    #expect(judgement.exercised == 2)
  }

  @Test func earlyLockFreeIsTheCauseWhereLocksAreSeen() {
    let judgement = Trace {
      $0.born(1, locks: true); $0.s1([1], locks: true)
    }.judge(id)
    #expect(judgement.causes == ["ptlock freed before the table was queued"])
    #expect(judgement.violations == 1)
  }

  @Test func pagePathIsAStageProperty() {
    let judgement = Trace {
      $0.born(1); $0.pagePath(1)
    }.judge(id)
    #expect(judgement.causes == ["destructor ran before the table was put into the page gather"])
  }

  @Test func fallbackByIPIIsNoGracePeriod() {
    let trace = Trace {
      $0.born(1, locks: true); $0.fallbackByIPI(1, locks: true)
    }
    let judgement = trace.judge(id)
    #expect(judgement.causes == ["ptlock freed without a grace period, on the no-memory fallback"])
    #expect(trace.violated == [id, "I17"])
  }

  /// The finding does not need the callback kinds: grace periods decide it alone.
  @Test func fallbackByIPIIsFoundWhereCallbacksMayBeMissed() {
    let trace = Trace {
      $0.born(1); $0.fallbackByIPI(1)
    }.missing(.callbackStart, .callbackEnd)
    expect(trace.judge(id), .violated)
  }

  @Test func callbackThatDidNotWait() {
    let trace = Trace {
      $0.born(1)
      $0.queueBatch([1])
      $0.runBatch([1])
    }
    #expect(
      trace.judge(id).causes == [
        "destructor ran in a callback that did not wait for a grace period"
      ]
    )
    #expect(trace.violated == ["I12", "I13", "I25"])
  }

  @Test func gracePeriodThatBeganBeforeTheUnlinkIsNotEnough() {
    let trace = Trace {
      $0.born(1)
      $0.gpStart(5)
      $0.queueBatch([1])
      $0.gpEnd(5)
      $0.runBatch([1])
    }
    expect(trace.judge(id), .violated)
  }

  @Test func inferredUnlinkDoesNotCount() {
    // The grace period began after the true unlink, before the inferred one: what counts is the
    // queue, which was seen.
    let trace = Trace {
      $0.born(1)
      $0.unlink(1, flags: .inferred)
      $0.queue(1)
      $0.callRCU(Trace.head(1), load: 1)
      $0.gp()
      $0.runBatch([1])
    }
    expect(trace.judge(id), .holds)
  }

  @Test func inferredQueueProvesNothing() {
    let judgement = Trace {
      $0.born(1)
      $0.dtor(1)
      $0.queue(1, flags: .inferred)
    }.judge(id)
    expect(judgement, .inconclusive, reason: "concluded, never observed")
  }

  @Test func truncatedEndIsPending() {
    let judgement = Trace {
      $0.born(1, 2); $0.s3([2]); $0.queueBatch([1])
    }.judge(id)
    expect(judgement, .holds)
    #expect(judgement.pending == 1)
  }

  /// That it waited in a callback is visible, even if it was queued before the recording began.
  @Test func midLifeStartInACallbackHolds() {
    let whole = Trace {
      $0.born(1)
      $0.s3([1])
    }
    expect(whole.cut(from: .callRCU).judge(id), .holds)
    expect(whole.cut(from: .tableDestruct).judge(id), .vacuous, reason: "cut by the start or end")
    #expect(whole.cut(from: .tableDestruct).judge(id).pending == 1)
  }

  @Test func midLifeCallbackWithoutGracePeriod() {
    let judgement = Trace {
      $0.born(1)
      $0.queue(1)
      $0.callRCU(Trace.head(1), load: 1)
      $0.runBatch([1])
    }.cut(from: .callRCU).judge(id)
    expect(judgement, .violated)
  }

  @Test func lossInBetweenIsNamed() {
    let judgement = Trace {
      $0.born(1)
      $0.queueBatch([1])
      $0.hole(cpu: 2)
      $0.runBatch([1])
    }.judge(id)
    expect(judgement, .inconclusive, reason: "lost events on CPU 2 at #10 (5 events)")
    #expect(judgement.undecided == 1)
  }

  /// Destructor and queue are one step of one task: only a hole on its own CPU can lie between.
  @Test func lossBetweenEarlyDestructorAndQueue() {
    let early: (UInt16, Bool, (inout Trace) -> Void) -> Judgement = { cpu, installed, between in
      Trace {
        $0.alloc(1)
        $0.ctor(1)
        if installed { $0.install(1) }
        $0.dtor(1)
        $0.hole(cpu: cpu)
        between(&$0)
        $0.queue(1)
      }.judge("I13")
    }
    expect(early(0, true) { _ in }, .inconclusive, reason: "lost events on CPU 0")
    expect(early(1, true) { _ in }, .violated)
    expect(early(Event.allCPUs, true) { _ in }, .inconclusive, reason: "lost events at")
    // A table that was never in use may have lived once more on the blind CPU.
    expect(early(1, false) { _ in }, .inconclusive, reason: "lost events on CPU 1")
    expect(early(1, true) { $0.lostRace(2) }, .inconclusive, reason: "lost events on CPU 1")
  }

  /// The destructor ran in a softirq that interrupted the very task that queues the page's next
  /// life; the free of a page that somebody else held (E15) is lost with a CPU.
  @Test func destructorOfTheLifeBeforeIsNotEarly() {
    let judgement = Trace {
      $0.born(1)
      $0.queueBatch([1])
      $0.gp()
      $0.callback(Trace.head(1), cpu: 0, task: 100) { $0.dtor(1) }
      $0.hole(cpu: 1)
      $0.queue(1)
    }.judge(id)
    expect(judgement, .holds)
  }

  @Test func gracePeriodsThatMayBeMissed() {
    let judgement = Trace {
      $0.born(1); $0.queueBatch([1]); $0.runBatch([1])
    }
    .missing(.gracePeriodStart).judge(id)
    expect(judgement, .inconclusive, reason: "gp_start may be missed silently")
  }

  @Test(arguments: [[EventKind.gracePeriodStart, .gracePeriodEnd], [.gracePeriodEnd]])
  func gracePeriodsThatAreNotRecorded(_ kinds: [EventKind]) {
    var trace = Trace {
      $0.born(1); $0.fallbackByIPI(1)
    }
    for kind in kinds { trace = trace.without(kind) }
    expect(trace.judge(id), .inconclusive, reason: "does not record")
  }

  /// Queue and destructor are both seen: no grace-period event is needed to see the order.
  @Test func earlyDestructorNeedsNoGracePeriods() {
    let trace = Trace {
      $0.born(1); $0.s1([1])
    }.without(.gracePeriodStart, .gracePeriodEnd)
    expect(trace.judge(id), .violated)
  }

  @Test func missingCapability() {
    let trace = Trace {
      $0.born(1); $0.s3([1])
    }.without(.tableDestruct)
    expect(trace.judge(id), .notApplicable, reason: "does not record pt_dtor")
    expect(trace.judge(id, asked: true), .inconclusive, reason: "does not record pt_dtor")
  }

  @Test func neverExercised() { expect(Trace { $0.born(1) }.judge(id), .vacuous) }
}
