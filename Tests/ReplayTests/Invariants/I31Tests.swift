import Testing
import TraceFormat

@testable import Replay

/// I31: children are unlinked before their parent. Table 10 is the PMD table of these tests, 20
/// the PGD.
@Suite struct I31Tests {
  private let id = "I31"

  private func tree(_ body: (inout Trace) -> Void) -> Trace {
    Trace.known {
      $0.alloc(20, .pgd)
      $0.alloc(10, .pmd); $0.ctor(10); $0.install(10, under: 20)
      for pfn in [UInt64(1), 2] {
        $0.alloc(pfn); $0.ctor(pfn); $0.install(pfn, under: 10, pfn)
      }
      body(&$0)
    }
  }

  private func unlinkChildren(_ trace: inout Trace) {
    trace.unlink(1, from: 10, 1); trace.queue(1)
    trace.unlink(2, from: 10, 2); trace.queue(2)
  }

  @Test func holds() {
    let trace = tree {
      unlinkChildren(&$0); $0.unlink(10, from: 20); $0.queue(10)
    }
    expect(trace.judge(id), .holds)
  }

  @Test func queuedWithAChild() {
    let trace = tree {
      $0.unlink(1, from: 10, 1); $0.unlink(10, from: 20); $0.queue(10)
    }
    #expect(trace.judge(id).causes == ["queued while a table below it is installed"])
  }

  @Test func onThePagePath() {
    let trace = tree {
      $0.unlink(10, from: 20); $0.dtor(10); $0.queuePage(10)
    }
    #expect(trace.judge(id).causes == ["queued while a table below it is installed"])
  }

  @Test func unlinkedTopDown() {
    let trace = tree {
      $0.unlink(10, from: 20); unlinkChildren(&$0); $0.queue(10)
    }
    #expect(trace.judge(id).causes == ["unlinked from a table that was itself unlinked before"])
  }

  @Test func freedWithAChild() {
    let pgd = tree {
      unlinkChildren(&$0); $0.free(20)
    }
    #expect(pgd.judge(id).causes == ["freed while a table below it is installed"])
  }

  /// mremap moves a PMD table with everything below it (E6).
  @Test func moveIsExempt() {
    let trace = tree {
      $0.unlink(10, from: 20); $0.install(10, under: 20, 7); unlinkChildren(&$0)
      $0.unlink(10, from: 20, 7); $0.queue(10)
    }
    expect(trace.judge(id), .holds)
    #expect(trace.judge(id).exempted(.e6) == 1)
  }

  /// A failed collapse puts the table back (E5).
  @Test func reinstalledChild() {
    let trace = tree {
      $0.unlink(1, from: 10, 1); $0.install(1, under: 10, 1); unlinkChildren(&$0)
      $0.unlink(10, from: 20); $0.queue(10)
    }
    expect(trace.judge(id), .holds)
  }

  /// Who is freed first does not matter (E14).
  @Test func parentFreedFirst() {
    let trace = tree {
      unlinkChildren(&$0); $0.unlink(10, from: 20); $0.queue(10); $0.callRCU(0xa000, load: 3)
      $0.gp(); $0.dtor(10); $0.free(10); $0.dtor(1); $0.free(1)
    }
    expect(trace.judge(id), .holds)
  }

  /// A shared PMD table (E7) goes with its last entry.
  @Test func sharedTable() {
    let trace = tree {
      $0.install(10, under: 20, 9, flags: .shared); $0.unlink(10, from: 20, 9, flags: .shared)
      unlinkChildren(&$0); $0.unlink(10, from: 20); $0.queue(10)
    }
    expect(trace.judge(id), .holds)
  }

  @Test func lossIsBlamed() {
    let trace = tree {
      $0.hole(); $0.unlink(10, from: 20); $0.queue(10)
    }
    expect(trace.judge(id), .inconclusive, reason: "lost events on CPU 1")
    // A child that was installed before the hole and unlinked in it, another after it.
    let later = tree {
      $0.hole(); $0.unlink(1, from: 10, 1); $0.install(1, under: 10, 1)
      $0.unlink(1, from: 10, 1); $0.unlink(10, from: 20); $0.queue(10)
    }
    expect(later.judge(id), .inconclusive, reason: "lost events on CPU 1")
    let silent = tree {
      $0.unlink(10, from: 20); $0.queue(10)
    }.missing(.tableUnlink)
    expect(silent.judge(id), .inconclusive, reason: "pt_unlink may be missed silently")
  }

  @Test func edges() {
    let trace = tree {
      $0.unlink(1, from: 10, 1); $0.unlink(2, from: 10, 2); $0.unlink(10, from: 20); $0.queue(10)
    }
    #expect(trace.cut(before: .tableUnlink).judge(id).pending == 2)
    for count in 1..<trace.events.count {
      #expect(trace.suffix(from: count).judge(id).violations == 0, "\(count)")
    }
  }

  @Test func concludedUnlinks() {
    var trace = tree { $0.queue(10) }
    trace.header.capabilities[.tableUnlink] = .inferred
    expect(trace.judge(id), .notApplicable)
  }

  @Test func unknownMap() {
    let trace = tree { $0.queue(10) }.unknownMachine
    expect(trace.judge(id), .notApplicable)
    expect(trace.judge(id, asked: true), .inconclusive, reason: "linear map")
  }

  @Test func neverExercised() { expect(Trace.known { $0.alloc(1) }.judge(id), .vacuous) }
}
