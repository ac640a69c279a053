import Testing
import TraceFormat

@testable import Replay

/// What the naive second opinion (Tests/OracleTests) found out about the judge, each in as few
/// events as show it.
@Suite struct SecondOpinionTests {
  @Test func pageClearedAfterItsFree() {
    let trace = Trace {
      $0.born(1); $0.s3([1]); $0.zero(1)
    }
    #expect(trace.judge("I01").causes == ["pt_zero on a table that is freed"])
  }

  /// A grace period had passed since the unlink: early, but not too early.
  @Test func destructorBeforeTheQueueThatWaited() {
    let trace = Trace {
      $0.born(1); $0.unlink(1); $0.gp(); $0.dtor(1); $0.queue(1)
    }
    expect(trace.judge("I13"), .holds)
    expect(trace.dropping(.gracePeriodEnd).judge("I13"), .violated)
  }

  /// A reader may load a table that is older than the recording.
  @Test func loadOfATableNotSeenBefore() {
    let trace = Trace {
      $0.enter(7, .map); $0.load(1, in: 7); $0.free(1); $0.alloc(1); $0.access(1, in: 7)
    }
    expect(trace.judge("I22a"), .violated)
    expect(trace.judge("I18"), .violated)
  }

  /// The recording may begin between the allocation of a table and that of its lock.
  @Test func lockOfATableNotSeenBefore() {
    let trace = Trace {
      $0.lockAlloc(8, of: 1); $0.enter(7, .nolock); $0.load(1, in: 7); $0.lockFree(8)
      $0.lockAlloc(8, of: 2); $0.lock(8, section: 7, pfn: 1)
    }
    expect(trace.judge("I20"), .violated)
    expect(trace.judge("I22b"), .violated)
  }

  /// What is missing before the second free does not excuse the third, nor what is missing before
  /// the last install a queueing while it stands.
  @Test func holesThatExcuseNothing() {
    let free = Trace {
      $0.born(1); $0.free(1); $0.hole(); $0.free(1); $0.free(1)
    }
    #expect(free.judge("I08").violations == 1)
    let queue = Trace {
      $0.born(1); $0.unlink(1); $0.hole(); $0.install(1); $0.queue(1)
    }
    expect(queue.judge("I04"), .violated)
    let left = Trace {
      $0.born(1); $0.quiesce(); $0.hole()
    }
    expect(left.judge("I36"), .violated)
    expect(left.judge("I06"), .violated)
  }

  /// The last of two readers that hold the page is enough.
  @Test func aHoleBeforeTheSecondReader() {
    let trace = Trace {
      $0.born(1); $0.enter(7, .map); $0.enter(8, .map); $0.load(1, in: 7); $0.hole()
      $0.load(1, in: 8); $0.free(1); $0.alloc(1)
    }
    expect(trace.judge("I22a"), .violated)
    expect(
      Trace {
        $0.born(1); $0.enter(7, .map); $0.enter(8, .map); $0.load(1, in: 7); $0.hole()
        $0.load(1, in: 8); $0.exit(8); $0.free(1); $0.alloc(1)
      }.judge("I22a"), .inconclusive)
  }

  /// One invalidation does not stand for another that began before it.
  @Test func acknowledgedByNobody() {
    let trace = Trace {
      $0.born(1); $0.unlink(1); $0.queuePage(1)
      $0.flushStart(); $0.flushCPUs(0b110)
      $0.on(cpu: 3, task: 9) { $0.flush() }
      $0.flushEnd(); $0.free(1)
    }
    expect(trace.judge("I15"), .violated)
  }

  /// Nor does the second of two spoil the first, which every CPU had acknowledged.
  @Test func acknowledgedBefore() {
    let trace = Trace {
      $0.born(1); $0.unlink(1); $0.queuePage(1)
      $0.flushStart(); $0.flushCPUs(0b110); $0.flushAck(cpu: 1); $0.flushAck(cpu: 2); $0.flushEnd()
      $0.flushStart(); $0.flushCPUs(0b110); $0.flushAck(cpu: 1); $0.flushEnd(); $0.free(1)
    }
    expect(trace.judge("I15"), .holds)
  }

  /// Only the callback shows that the table fell back.
  @Test func fallbackThatOnlyItsCallbackShows() {
    let trace = Trace {
      $0.born(1); $0.unlink(1); $0.queue(1)
      $0.callRCU(Trace.head(1), load: 1, .removeTableOne); $0.free(1)
    }
    expect(trace.judge("I11"), .violated)
    expect(trace.judge("I16"), .violated)
  }

  /// A table that fell back leaves nothing behind in the batch it was queued for.
  @Test func aBatchWithoutTheTableThatFellBack() {
    let trace = Trace {
      $0.born(1, 2); $0.unlink(1); $0.queue(1); $0.flush(); $0.unlink(2); $0.queue(2)
      $0.fallback(2); $0.callRCU(Trace.head(1), load: 1)
    }
    expect(trace.judge("I11"), .holds)
  }

  /// One fault, one finding: torn down in the wrong order is not left behind.
  @Test func outOfOrderIsNotLeft() {
    let trace = Trace {
      $0.born(1, 2); $0.queueBatch([1, 2]); $0.gp(); $0.runBatch([2, 1], head: Trace.head(1))
    }
    #expect(trace.judge("I29").causes == ["torn down out of queue order"])
  }

  /// Destructed in a callback before it was queued, freed on its own.
  @Test func destructedInACallbackAndQueuedLater() {
    let trace = Trace {
      $0.born(1); $0.callback(9) { $0.dtor(1) }
      $0.unlink(1); $0.queue(1); $0.free(1)
    }
    expect(trace.judge("I14"), .violated)
  }

  /// The unlink of a table that was not seen below another leaves that one's children alone.
  @Test func unlinkOfAChildNotSeen() {
    let trace = Trace.known {
      $0.born(10, level: .pmd); $0.alloc(1); $0.install(1, under: 10)
      $0.unlink(2, from: 10, 1); $0.queue(10)
    }
    #expect(trace.judge("I31").causes == ["queued while a table below it is installed"])
  }

  /// A lock whose memory has become another table's says nothing about the one reclaimed.
  @Test func reclaimedUnderAStrangersLock() {
    let trace = Trace {
      $0.alloc(1); $0.lockAlloc(8, of: 1); $0.ctor(1); $0.install(1)
      $0.lockFree(8); $0.lockAlloc(8, of: 2); $0.reclaim(1, pmdLock: 0)
    }
    expect(trace.judge("I40"), .holds)
  }
}
