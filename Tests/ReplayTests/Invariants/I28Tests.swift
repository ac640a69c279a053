import Testing
import TraceFormat

@testable import Replay

/// I28: a full batch is flushed at once. The batches of these tests hold four tables.
@Suite struct I28Tests {
  private let id = "I28"
  private let head: UInt64 = 0xa000

  /// Queues `count` tables into one batch.
  private func filled(_ count: UInt64, _ then: (inout Trace) -> Void = { _ in }) -> Trace {
    Trace.known { trace in
      for pfn in 1...count { trace.born(pfn) }
      trace.emit(.batchNew, head)
      for pfn in 1...count {
        trace.unlink(pfn); trace.queue(pfn); trace.add(pfn, to: head, at: pfn - 1)
      }
      then(&trace)
    }
  }

  @Test func holds() {
    let trace = filled(4) {
      $0.flush(); $0.callRCU(head, load: 4)
    }
    expect(trace.judge(id), .holds)
    #expect(trace.judge(id).exercised == 2)
  }

  @Test func tooMany() {
    let trace = filled(5) { $0.callRCU(head, load: 5) }
    #expect(
      trace.judge(id).causes == [
        "task went on with a full batch", "table put into a full batch",
        "batch of more than MAX_TABLE_BATCH tables",
      ])
  }

  @Test(arguments: [1, 2, 4096]) func goesOn(_ size: Int) {
    let trace = filled(4) {
      $0.alloc(9); $0.unlink(9); $0.callRCU(head, load: 4)
    }
    let judgement = trace.check(batchSize: size).judgements.first { $0.invariant.id == id }!
    #expect(judgement.causes == ["task went on with a full batch"])
  }

  @Test func gatherEndsWithIt() {
    let trace = filled(4) { $0.emit(.gatherFinish, Trace.gather, Trace.mm) }
    #expect(trace.judge(id).causes == ["task went on with a full batch"])
  }

  /// What others do, and what interrupts this task, is no concern of the batch.
  @Test func othersGoOn() {
    let trace = filled(4) {
      $0.on(cpu: 1, task: 9) {
        $0.alloc(9); $0.unlink(9); $0.queue(9)
      }
      $0.on(context: .softirq) { $0.unlink(9) }
      $0.callRCU(head, load: 4)
    }
    expect(trace.judge(id), .holds)
  }

  @Test func edges() {
    let trace = filled(4) {
      $0.alloc(9); $0.unlink(9)
    }
    #expect(trace.cut(before: .gatherFinish).prefix(25).judge(id).violations == 0)
    #expect(filled(4).judge(id).pending == 1)
    let late = filled(4) { $0.callRCU(head, load: 4) }.cut(from: .callRCU)
    expect(late.judge(id), .holds)
  }

  @Test func lossIsBlamed() {
    let trace = filled(4) {
      $0.hole(); $0.alloc(9); $0.unlink(9)
    }
    expect(trace.judge(id), .inconclusive, reason: "lost events on CPU 1")
    let silent = filled(4) {
      $0.alloc(9); $0.unlink(9)
    }.missing(.callRCU)
    expect(silent.judge(id), .inconclusive, reason: "call_rcu may be missed silently")
  }

  @Test func unknownCapacity() {
    let trace = filled(4) { $0.callRCU(head, load: 4) }.unknownMachine
    expect(trace.judge(id), .notApplicable)
    expect(trace.judge(id, asked: true), .inconclusive, reason: "MAX_TABLE_BATCH")
  }

  @Test func pagePathOwesNone() {
    let trace = Trace.known {
      $0.born(1); $0.pagePath(1)
    }
    expect(trace.judge(id), .notApplicable)
  }

  @Test func neverExercised() { expect(Trace.known { $0.born(1) }.judge(id), .vacuous) }
}
