import Testing
import TraceFormat

@testable import Replay

/// I32: only levels of the paging mode, one entry for each table. The mode here is Sv39.
@Suite struct I32Tests {
  private let id = "I32"

  @Test func holds() {
    let trace = Trace.known {
      $0.alloc(20, .pgd); $0.born(10, level: .pmd); $0.born(1)
    }
    expect(trace.judge(id), .holds)
    #expect(trace.judge(id).exercised == 3)
  }

  @Test(arguments: [TableLevel.pud, .p4d]) func foldedLevel(_ level: TableLevel) {
    let trace = Trace.known { $0.alloc(1, level) }
    #expect(trace.judge(id).causes == ["\(level.name) table in a paging mode without that level"])
  }

  @Test func unknownLevelIsNoLevel() {
    expect(Trace.known { $0.alloc(1, .unknown) }.judge(id), .vacuous)
  }

  @Test func secondEntry() {
    let trace = Trace.known {
      $0.born(1); $0.install(1, under: 10, 3)
    }
    #expect(trace.judge(id).causes == ["installed in a second entry"])
  }

  /// mremap (E6), and a failed collapse that puts the table back (E5).
  @Test func moved() {
    let trace = Trace.known {
      $0.alloc(1); $0.ctor(1); $0.install(1, under: 10, 3)
      $0.unlink(1, from: 10, 3); $0.install(1, under: 10, 3)
      $0.unlink(1, from: 10, 3); $0.install(1, under: 11, 4)
    }
    expect(trace.judge(id), .holds)
    #expect(trace.judge(id).exempted(.e6) == 1)
  }

  @Test func sharedIsExempt() {
    let trace = Trace.known {
      $0.alloc(1, .pmd); $0.ctor(1); $0.install(1, under: 10)
      $0.install(1, under: 11, flags: .shared); $0.unlink(1, from: 10, flags: .shared)
      $0.unlink(1, from: 11)
    }
    expect(trace.judge(id), .holds)
    #expect(trace.judge(id).exempted(.e7) == 1)
    let stillThere = Trace.known {
      $0.alloc(1, .pmd); $0.ctor(1); $0.install(1, under: 10)
      $0.install(1, under: 11, flags: .shared); $0.unlink(1, from: 10, flags: .shared)
      $0.install(1, under: 12)
    }
    #expect(stillThere.judge(id).causes == ["installed in a second entry"])
  }

  @Test func lossIsBlamed() {
    let trace = Trace.known {
      $0.born(1); $0.hole(); $0.install(1, under: 10, 3)
    }
    expect(trace.judge(id), .inconclusive, reason: "lost events on CPU 1")
    let silent = Trace.known {
      $0.born(1); $0.install(1, under: 10, 3)
    }.missing(.tableUnlink)
    expect(silent.judge(id), .inconclusive, reason: "pt_unlink may be missed silently")
  }

  @Test func edges() {
    let trace = Trace.known {
      $0.born(1); $0.unlink(1, from: 10, 3); $0.install(1, under: 10, 4); $0.s3([1])
    }
    for count in 0..<trace.events.count {
      #expect(trace.suffix(from: count).judge(id).violations == 0)
      #expect(trace.prefix(count).judge(id).violations == 0)
    }
  }

  @Test func unknownMode() {
    let trace = Trace.known { $0.alloc(1, .p4d) }.unknownMachine
    expect(trace.judge(id), .notApplicable)
    expect(trace.judge(id, asked: true), .inconclusive, reason: "levels")
  }

  @Test func neverExercised() { expect(Trace.known { $0.gp() }.judge(id), .vacuous) }
}
