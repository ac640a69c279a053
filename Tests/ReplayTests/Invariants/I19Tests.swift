import Testing
import TraceFormat

@testable import Replay

/// I19: no page walker reads a table after its page is freed.
@Suite struct I19Tests {
  private let id = "I19"

  private func walked(_ after: (inout Trace) -> Void) -> Trace {
    Trace {
      $0.born(1); $0.hardwareLoad(1); after(&$0)
    }
  }

  /// A pointer may be used until the invalidation is over, whatever happened to the entry.
  @Test func holds() {
    let trace = walked {
      $0.unlink(1); $0.hardwareAccess(1); $0.queue(1); $0.flushStart(); $0.hardwareAccess(1)
      $0.flushEnd(); $0.callRCU(9, load: 1)
    }
    expect(trace.judge(id), .holds)
    #expect(trace.judge(id).exercised == 2)
  }

  @Test func readAfterTheFree() {
    let trace = walked {
      $0.unlink(1); $0.dtor(1); $0.free(1); $0.hardwareAccess(1)
    }
    #expect(trace.judge(id).causes == ["a page walker read a freed table"])
  }

  @Test func readAfterThePageIsAnotherTable() {
    let trace = walked {
      $0.s3([1]); $0.born(1); $0.hardwareAccess(1)
    }
    #expect(
      trace.judge(id).causes == ["a page walker read a table whose page is another table now"])
  }

  @Test func everyCPUHasItsOwnPointers() {
    let trace = walked {
      $0.s3([1]); $0.born(1); $0.hardwareLoad(1, cpu: 3); $0.hardwareAccess(1, cpu: 3)
    }
    expect(trace.judge(id), .holds)
    let reloaded = walked {
      $0.s3([1]); $0.born(1); $0.hardwareLoad(1); $0.hardwareAccess(1)
    }
    expect(reloaded.judge(id), .holds)
  }

  @Test func unknownTablesArePending() {
    let judgement = Trace { $0.hardwareAccess(1) }.judge(id)
    expect(judgement, .vacuous)
    #expect(judgement.pending == 1)
  }

  /// Neither a start in mid-life nor a load that was not seen is held against a walker.
  @Test func edges() {
    let whole = walked {
      $0.hardwareAccess(1); $0.s3([1]); $0.born(1); $0.hardwareLoad(1); $0.hardwareAccess(1)
    }
    for count in 0...whole.events.count {
      #expect(whole.prefix(count).judge(id).violations == 0)
      #expect(whole.suffix(from: count).judge(id).violations == 0)
    }
  }

  @Test func lossIsNamed() {
    let freed = walked {
      $0.s3([1]); $0.hole(); $0.hardwareAccess(1)
    }
    expect(freed.judge(id), .inconclusive, reason: "lost events on CPU 1")
    let foreign = walked {
      $0.s3([1]); $0.born(1); $0.hole(); $0.hardwareAccess(1)
    }
    expect(foreign.judge(id), .inconclusive, reason: "lost events on CPU 1")
  }

  @Test func whatMayBeMissed() {
    let foreign = walked {
      $0.s3([1]); $0.born(1); $0.hardwareAccess(1)
    }
    expect(foreign.missing(.hardwareLoad).judge(id), .inconclusive, reason: "hw_load may be missed")
    let freed = walked {
      $0.s3([1]); $0.hardwareAccess(1)
    }
    expect(freed.missing(.tableAlloc).judge(id), .inconclusive, reason: "pt_alloc may be missed")
  }

  @Test func missingCapability() {
    let trace = Trace {
      $0.born(1); $0.s3([1])
    }.without(.hardwareAccess)
    expect(trace.judge(id), .notApplicable)
    expect(trace.judge(id, asked: true), .inconclusive, reason: "hw_access")
  }

  @Test func neverExercised() { expect(Trace { $0.born(1) }.judge(id), .vacuous) }
}
