import Testing
import TraceFormat

@testable import Replay

/// I22b: no ptlock reuse under a reader that loaded its table.
@Suite struct I22bTests {
  private let id = "I22b"
  private let P = Trace.lockAddress(1)

  private func reader(_ after: (inout Trace) -> Void) -> Trace {
    Trace {
      $0.born(1, locks: true); $0.enter(7); $0.load(1, in: 7); after(&$0)
    }
  }

  @Test func holds() {
    let trace = reader {
      $0.exit(7); $0.s3([1], locks: true); $0.lockAlloc(P, of: 2)
    }
    expect(trace.judge(id), .holds)
  }

  @Test func reusedUnderAReader() {
    let trace = reader {
      $0.queueBatch([1], early: true, locks: true); $0.alloc(2); $0.lockAlloc(P, of: 2)
    }
    #expect(
      trace.judge(id).causes
        == ["ptlock memory allocated again under a reader that loaded its table"])
    #expect(trace.violated == ["I13", "I22b"])
  }

  @Test func loadAfterTheLockIsAnothersDoesNotCount() {
    let trace = Trace {
      $0.born(1, locks: true); $0.queueBatch([1], early: true, locks: true)
      $0.alloc(2); $0.lockAlloc(P, of: 2)
      $0.enter(7); $0.load(1, in: 7)
      $0.lockFree(P, of: 2); $0.alloc(3); $0.lockAlloc(P, of: 3)
    }
    expect(trace.judge(id), .vacuous)
  }

  @Test func lossIsNamed() {
    let trace = reader {
      $0.hole(); $0.s3([1], locks: true); $0.lockAlloc(P, of: 2)
    }
    expect(trace.judge(id), .inconclusive, reason: "lost events on CPU 1")
  }

  @Test func exitsThatMayBeMissed() {
    let trace = reader {
      $0.s3([1], locks: true); $0.lockAlloc(P, of: 2)
    }.missing(.readerExit)
    expect(trace.judge(id), .inconclusive, reason: "rd_exit may be missed silently")
  }

  @Test func missingCapability() {
    let trace = reader { $0.exit(7) }.without(.lockAlloc)
    expect(trace.judge(id), .notApplicable)
    expect(trace.judge(id, asked: true), .inconclusive, reason: "ptl_alloc")
  }

  /// An instance is a lock within reach of a section, not memory that is used again.
  @Test func neverExercised() {
    let trace = Trace {
      $0.born(1, locks: true); $0.s3([1], locks: true); $0.alloc(2); $0.lockAlloc(P, of: 2)
    }
    expect(trace.judge(id), .vacuous)
    #expect(reader { $0.exit(7) }.judge(id).exercised == 1)
  }
}
