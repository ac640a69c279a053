import Testing
import TraceFormat

@testable import Replay

/// I22a: no page reuse under a reader that loaded the table.
@Suite struct I22aTests {
  private let id = "I22a"

  private func reader(_ after: (inout Trace) -> Void) -> Trace {
    Trace {
      $0.born(1); $0.enter(7, .map); $0.load(1, in: 7); after(&$0)
    }
  }

  @Test func holds() {
    expect(
      reader {
        $0.exit(7); $0.s3([1]); $0.alloc(1)
      }.judge(id), .holds)
    expect(
      reader {
        $0.exit(7); $0.s3([1]); $0.reuse(1)
      }.judge(id), .holds)
  }

  @Test(arguments: [{ $0.alloc(1) }, { $0.reuse(1) }] as [@Sendable (inout Trace) -> Void])
  func reusedUnderAReader(_ reuse: @Sendable (inout Trace) -> Void) {
    let judgement = reader {
      $0.fallbackByIPI(1); reuse(&$0)
    }.judge(id)
    #expect(judgement.causes == ["page allocated again under a reader that loaded the table"])
  }

  @Test func readersOfALaterLifeDoNotCount() {
    let trace = reader {
      $0.exit(7); $0.s3([1]); $0.alloc(1); $0.ctor(1); $0.dtor(1); $0.free(1)
    }
    expect(trace.judge(id), .holds)
  }

  /// A section whose exit was not seen ends where its number is used again.
  @Test func sectionEnteredAgain() {
    let trace = reader {
      $0.enter(7, .map); $0.s3([1]); $0.alloc(1)
    }.missing(.readerExit)
    expect(trace.judge(id), .holds)
  }

  @Test func loadsOutsideAnySectionDoNotCount() {
    let trace = Trace {
      $0.born(1); $0.load(1, in: 0); $0.s3([1]); $0.alloc(1)
    }
    expect(trace.judge(id), .vacuous)
  }

  /// The hole lies between the load and the free: the section may have ended in it.
  @Test func lossIsNamed() {
    let trace = reader {
      $0.hole(); $0.s3([1]); $0.alloc(1)
    }
    expect(trace.judge(id), .inconclusive, reason: "lost events on CPU 1")
  }

  @Test func exitsThatMayBeMissed() {
    let trace = reader {
      $0.s3([1]); $0.alloc(1)
    }.missing(.readerExit)
    expect(trace.judge(id), .inconclusive, reason: "rd_exit may be missed silently")
  }

  @Test func missingCapability() {
    let trace = reader { $0.exit(7) }.without(.readerLoad)
    expect(trace.judge(id), .notApplicable)
    expect(trace.judge(id, asked: true), .inconclusive, reason: "rd_load")
  }

  /// An instance is a table in the hands of a section, not a page that is used again.
  @Test func neverExercised() {
    let trace = Trace {
      $0.born(1); $0.s3([1]); $0.alloc(1)
    }
    expect(trace.judge(id), .vacuous)
    #expect(reader { $0.s3([1]) }.judge(id).exercised == 1)
  }
}
