import Testing
import TraceFormat

@testable import Replay

/// I03: clearing, ptlock and constructor come before the first install.
@Suite struct I03Tests {
  private let id = "I03"

  @Test func holds() {
    let judgement = Trace {
      $0.born(1, locks: true); $0.born(2)
    }.judge(id)
    expect(judgement, .holds)
    #expect(judgement.exercised == 2)
  }

  @Test func installedUncleared() {
    let trace = Trace {
      $0.alloc(1); $0.ctor(1); $0.install(1)
    }
    #expect(trace.judge(id).causes == ["installed before its page was cleared"])
    // Cleared later, the table has lost what was installed in it: one fault, one finding.
    let late = Trace {
      $0.alloc(1); $0.ctor(1); $0.install(1); $0.zero(1)
    }
    #expect(late.judge(id).causes == ["installed before its page was cleared"])
  }

  @Test func clearedAgainWhileInstalled() {
    let trace = Trace {
      $0.born(1); $0.zero(1)
    }
    #expect(trace.judge(id).causes == ["page cleared while an entry points at it"])
  }

  @Test func lockAfterTheInstall() {
    let trace = Trace {
      $0.born(1); $0.lockAlloc(Trace.lockAddress(1), of: 1)
    }
    #expect(trace.judge(id).causes == ["ptlock allocated after the table was installed"])
  }

  @Test func constructorAfterTheInstall() {
    let trace = Trace {
      $0.alloc(1); $0.zero(1); $0.install(1); $0.ctor(1)
    }
    #expect(trace.judge(id).causes == ["constructed after it was installed"])
  }

  @Test func aSecondInstallIsNoPublication() {
    let trace = Trace {
      $0.born(1); $0.unlink(1); $0.install(1)
    }
    #expect(trace.judge(id).exercised == 1)
    expect(trace.judge(id), .holds)
  }

  @Test func aTableThatIsNeverConstructedIsNotItsBusiness() {
    let trace = Trace {
      $0.alloc(1, .p4d); $0.zero(1); $0.install(1, .p4d)
    }
    expect(trace.judge(id), .holds)
  }

  @Test func kernelTablesAreE10() {
    let judgement = Trace {
      $0.alloc(1, flags: .kernelTable); $0.install(1); $0.ctor(1)
    }.judge(id)
    expect(judgement, .vacuous)
    #expect(judgement.exempted(.e10) == 1)
  }

  @Test func startInMidLifeIsPending() {
    let judgement = Trace {
      $0.born(1)
    }.cut(from: .tableConstruct).judge(id)
    expect(judgement, .vacuous)
    #expect(judgement.pending == 1)
    let late = Trace {
      $0.install(1); $0.ctor(1); $0.lockAlloc(Trace.lockAddress(1), of: 1)
    }
    expect(late.judge(id), .vacuous)
  }

  @Test func truncationIsSilent() {
    let whole = Trace { $0.born(1, locks: true) }
    for count in 0...whole.events.count {
      #expect(whole.prefix(count).judge(id).violations == 0)
    }
  }

  @Test func lossIsNamed() {
    let uncleared = Trace {
      $0.alloc(1); $0.hole(); $0.ctor(1); $0.install(1)
    }
    expect(uncleared.judge(id), .inconclusive, reason: "lost events on CPU 1")
    let late = Trace {
      $0.alloc(1); $0.zero(1); $0.install(1); $0.hole(); $0.ctor(1)
    }
    expect(late.judge(id), .inconclusive, reason: "lost events on CPU 1")
  }

  @Test func whatMayBeMissed() {
    let trace = Trace {
      $0.alloc(1); $0.ctor(1); $0.install(1)
    }
    expect(trace.missing(.tableZero).judge(id), .inconclusive, reason: "pt_zero may be missed")
    // Another life may have begun unseen.
    let late = Trace {
      $0.alloc(1); $0.zero(1); $0.install(1); $0.ctor(1)
    }
    expect(late.missing(.tableAlloc).judge(id), .inconclusive, reason: "pt_alloc may be missed")
  }

  @Test func inferredInstallsDecideNothing() {
    var trace = Trace {
      $0.alloc(1); $0.zero(1); $0.install(1, flags: .inferred); $0.ctor(1)
    }
    trace.header.capabilities[.tableInstall] = .inferred
    expect(trace.judge(id), .notApplicable, reason: "infers pt_install")
    expect(trace.judge(id, asked: true), .inconclusive, reason: "infers pt_install")
  }

  @Test func missingCapability() {
    let trace = Trace { $0.born(1) }.without(.tableZero)
    expect(trace.judge(id), .notApplicable, reason: "pt_zero")
    expect(trace.judge(id, asked: true), .inconclusive, reason: "pt_zero")
  }

  @Test func neverExercised() { expect(Trace { $0.lostRace(1) }.judge(id), .vacuous) }
}
