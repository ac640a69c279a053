import Testing
import TraceFormat

@testable import Replay

/// I39: deposit discipline.
@Suite struct I39Tests {
  private let id = "I39"

  @Test func holds() {
    let trace = Trace {
      $0.depositedAtFault(1); $0.depositedByCollapse(2)
      // Split: withdrawn and installed (E5); deposited again by a collapse.
      $0.alloc(3); $0.emit(.tableZero, 3); $0.ctor(3); $0.deposit(3); $0.withdraw(3); $0.install(3);
      $0.unlink(3)
      $0.deposit(3); $0.withdraw(3); $0.dtor(3); $0.free(3)
      $0.quiesce()
    }
    expect(trace.judge(id), .holds)
    #expect(trace.judge(id).exercised == 8)
    #expect(trace.violated == [])
  }

  @Test func depositedWhenItMayNot() {
    let installed = Trace {
      $0.born(1); $0.deposit(1)
    }
    #expect(installed.judge(id).causes == ["deposited while an entry points at it"])
    let bare = Trace {
      $0.alloc(1); $0.deposit(1)
    }
    #expect(bare.judge(id).causes == ["deposited without having been constructed"])
    let dead = Trace {
      $0.alloc(1); $0.ctor(1); $0.dtor(1); $0.deposit(1)
    }
    #expect(dead.judge(id).causes == ["deposited after its destructor"])
    let twice = Trace {
      $0.alloc(1); $0.ctor(1); $0.deposit(1); $0.deposit(1)
    }
    #expect(twice.judge(id).causes == ["deposited a second time"])
  }

  @Test func withdrawnWhenItMayNot() {
    let never = Trace {
      $0.alloc(1); $0.ctor(1); $0.withdraw(1)
    }
    #expect(never.judge(id).causes == ["withdrawn without having been deposited"])
    let twice = Trace {
      $0.alloc(1); $0.ctor(1); $0.deposit(1); $0.withdraw(1); $0.withdraw(1)
    }
    #expect(twice.judge(id).causes == ["withdrawn a second time"])
  }

  @Test func usedWhileDeposited() {
    let build: (inout Trace) -> Void = {
      $0.alloc(1); $0.ctor(1); $0.deposit(1)
    }
    let uses: [(String, (inout Trace) -> Void)] = [
      ("installed while it is deposited", { $0.install(1) }),
      ("queued while it is deposited", { $0.queue(1) }),
      ("destructed while it is deposited", { $0.dtor(1) }),
      ("freed while it is deposited", { $0.free(1) }),
    ]
    for (cause, use) in uses {
      let trace = Trace {
        build(&$0); use(&$0)
      }
      #expect(trace.judge(id).causes == [cause])
    }
  }

  @Test func neverWithdrawn() {
    let trace = Trace {
      $0.alloc(1); $0.ctor(1); $0.deposit(1)
    }
    expect(trace.judge(id), .holds)
    #expect(trace.judge(id).pending == 1)
    let quiet = Trace {
      $0.alloc(1); $0.ctor(1); $0.deposit(1); $0.quiesce()
    }
    #expect(quiet.judge(id).causes == ["never withdrawn"])
  }

  @Test func midLifeStartIsSilent() {
    let trace = Trace { $0.depositedByCollapse(2) }
    for count in 1..<trace.events.count {
      #expect(trace.suffix(from: count).violated == [], "\(count)")
      #expect(trace.prefix(count).violated == [], "\(count)")
    }
  }

  @Test func lossIsBlamed() {
    let trace = Trace {
      $0.born(1); $0.hole(); $0.deposit(1)
    }
    expect(trace.judge(id), .inconclusive, reason: "lost events on CPU 1")
    let silent = Trace {
      $0.alloc(1); $0.ctor(1); $0.deposit(1); $0.free(1)
    }.missing(.tableWithdraw)
    expect(silent.judge(id), .inconclusive, reason: "pt_withdraw may be missed silently")
  }

  /// A live importer concludes deposits from what happens to the table: that proves nothing.
  @Test func concludedDeposits() {
    var trace = Trace {
      $0.alloc(1); $0.ctor(1); $0.deposit(1); $0.free(1)
    }
    trace.header.capabilities[.tableDeposit] = .inferred
    trace.header.capabilities[.tableWithdraw] = .inferred
    #expect(trace.judge(id).verdict != .holds)
  }

  @Test func missingCapability() {
    let trace = Trace { $0.depositedAtFault(1) }.without(.tableDeposit)
    expect(trace.judge(id), .notApplicable)
    expect(trace.judge(id, asked: true), .inconclusive, reason: "pt_deposit")
  }

  @Test func neverExercised() { expect(Trace { $0.born(1) }.judge(id), .vacuous) }
}
