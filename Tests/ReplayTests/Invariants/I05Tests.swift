import Testing
import TraceFormat

@testable import Replay

/// I05: queued at most once, never installed again after that.
@Suite struct I05Tests {
  private let id = "I05"

  @Test(
    arguments: [
      {
        $0.born(1, 2); $0.s3([1, 2]); $0.born(1); $0.s3([1])
      },
      {
        $0.born(1); $0.pagePath(1)
      },
      {
        $0.born(1); $0.fallbackByCallback(1)
      },
      {
        $0.born(1); $0.deferred(1)
      },
      // E5, E6: unlinked and installed again, never queued in between.
      {
        $0.born(1); $0.unlink(1); $0.install(1); $0.unlink(1); $0.install(1); $0.s3([1])
      },
    ] as [@Sendable (inout Trace) -> Void])
  func holds(_ life: @Sendable (inout Trace) -> Void) { expect(Trace(life).judge(id), .holds) }

  @Test func queuedTwice() {
    for second in [
      { $0.queue(1) }, { $0.queuePage(1) }, { $0.deferFree(1) },
    ] as [(inout Trace) -> Void] {
      let trace = Trace {
        $0.born(1); $0.unlink(1); $0.queue(1); second(&$0)
      }
      #expect(trace.judge(id).causes == ["queued a second time"])
    }
  }

  @Test func installedAfterTheQueue() {
    let trace = Trace {
      $0.born(1); $0.queueBatch([1]); $0.install(1)
    }
    #expect(trace.judge(id).causes == ["installed after it was queued"])
  }

  @Test func afterTheFreeItIsAnotherMatter() {
    let trace = Trace {
      $0.born(1); $0.s3([1]); $0.install(1); $0.queue(1)
    }
    expect(trace.judge(id), .holds)
    #expect(trace.violated.contains("I01"))
  }

  @Test func startInMidLifeIsSilent() {
    let trace = Trace {
      $0.unlink(1); $0.queue(1)
    }
    expect(trace.judge(id), .holds)
    let whole = Trace {
      $0.born(1); $0.fallbackByIPI(1); $0.born(1); $0.s3([1])
    }
    for count in 0...whole.events.count {
      #expect(whole.prefix(count).judge(id).violations == 0)
      #expect(whole.suffix(from: count).judge(id).violations == 0)
    }
  }

  @Test func lossIsNamed() {
    let trace = Trace {
      $0.born(1); $0.queueBatch([1]); $0.hole(); $0.queue(1)
    }
    expect(trace.judge(id), .inconclusive, reason: "lost events on CPU 1")
  }

  @Test func livesThatMayBeMissed() {
    let trace = Trace {
      $0.born(1); $0.queueBatch([1]); $0.queue(1)
    }
    expect(trace.missing(.tableAlloc).judge(id), .inconclusive, reason: "pt_alloc may be missed")
    expect(trace.missing(.tableFree).judge(id), .inconclusive, reason: "pt_free may be missed")
  }

  @Test func whatWasConcludedDecidesNothing() {
    let queue = Trace {
      $0.born(1); $0.unlink(1); $0.queue(1, flags: .inferred); $0.queue(1)
    }.judge(id)
    expect(queue, .vacuous)
    #expect(queue.pending == 2)
    let install = Trace {
      $0.born(1); $0.queueBatch([1]); $0.install(1, flags: .inferred)
    }
    expect(install.judge(id), .holds)
  }

  @Test func missingCapability() {
    let trace = Trace {
      $0.born(1); $0.s3([1])
    }.without(.tableFree)
    expect(trace.judge(id), .notApplicable)
    expect(trace.judge(id, asked: true), .inconclusive, reason: "pt_free")
  }

  @Test func neverExercised() { expect(Trace { $0.born(1) }.judge(id), .vacuous) }
}
