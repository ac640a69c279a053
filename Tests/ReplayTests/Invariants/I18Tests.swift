import Testing
import TraceFormat

@testable import Replay

/// I18: no software access to a table's content after its page is freed.
@Suite struct I18Tests {
  private let id = "I18"

  /// A reader that loaded the table before it was unlinked, and is still inside.
  private func reader(_ after: (inout Trace) -> Void) -> Trace {
    Trace {
      $0.born(1); $0.enter(7, .map); $0.load(1, in: 7); after(&$0)
    }
  }

  @Test func holds() {
    expect(
      reader {
        $0.queueBatch([1]); $0.access(1, in: 7); $0.exit(7); $0.gp(); $0.runBatch([1])
      }
      .judge(id), .holds)
  }

  @Test func touchedAfterTheFree() {
    let judgement = reader {
      $0.fallbackByIPI(1); $0.access(1, in: 7)
    }.judge(id)
    #expect(judgement.causes == ["a reader touched a freed table"])
  }

  @Test func touchedAfterThePageIsAnotherTable() {
    let trace = reader {
      $0.fallbackByIPI(1); $0.born(1); $0.access(1, in: 7)
    }
    #expect(
      trace.judge(id).causes == ["a reader touched a table whose page is another table now"])
  }

  @Test func newLoadInTheSameSectionIsFine() {
    let trace = reader {
      $0.fallbackByIPI(1); $0.born(1); $0.load(1, in: 7); $0.access(1, in: 7)
    }
    expect(trace.judge(id), .holds)
  }

  @Test func sectionNumberUsedAgain() {
    let trace = reader {
      $0.exit(7); $0.s3([1]); $0.born(1); $0.enter(7, .map); $0.load(1, in: 7); $0.access(1, in: 7)
    }
    expect(trace.judge(id), .holds)
  }

  @Test func unknownTableIsPending() {
    let judgement = Trace {
      $0.enter(7); $0.access(1, in: 7)
    }.judge(id)
    expect(judgement, .vacuous)
    #expect(judgement.pending == 1)
  }

  @Test func lossIsNamed() {
    let freed = reader {
      $0.fallbackByIPI(1); $0.hole(); $0.access(1, in: 7)
    }
    expect(freed.judge(id), .inconclusive, reason: "lost events on CPU 1")
    // The hole may hide the end of the section and a new load.
    let foreign = reader {
      $0.hole(); $0.s3([1]); $0.born(1); $0.access(1, in: 7)
    }
    expect(foreign.judge(id), .inconclusive, reason: "lost events on CPU 1")
  }

  @Test func loadsThatMayBeMissed() {
    let trace = reader {
      $0.fallbackByIPI(1); $0.born(1); $0.access(1, in: 7)
    }
    expect(
      trace.missing(.readerLoad).judge(id), .inconclusive, reason: "rd_load may be missed silently")
    let freed = reader {
      $0.fallbackByIPI(1); $0.access(1, in: 7)
    }
    expect(freed.missing(.tableAlloc).judge(id), .inconclusive, reason: "pt_alloc")
  }

  @Test func missingCapability() {
    let trace = Trace {
      $0.born(1); $0.s3([1])
    }.without(.readerAccess)
    expect(trace.judge(id), .notApplicable)
    expect(trace.judge(id, asked: true), .inconclusive, reason: "rd_access")
  }

  @Test func neverExercised() {
    expect(
      Trace {
        $0.born(1); $0.s3([1])
      }.judge(id), .vacuous)
  }
}
