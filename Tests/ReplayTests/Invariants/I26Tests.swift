import Testing
import TraceFormat

@testable import Replay

/// I26: callbacks of a CPU run in the order they were queued.
@Suite struct I26Tests {
  private let id = "I26"

  /// Two calls, then two callbacks in the order given.
  private func calls(
    _ first: (cpu: UInt16, task: UInt32), _ second: (cpu: UInt16, task: UInt32),
    runs: [(head: UInt64, cpu: UInt16)], between: (inout Trace) -> Void = { _ in }
  ) -> Trace {
    Trace.known {
      $0.on(cpu: first.cpu, task: first.task) { $0.callRCU(0xa000, load: 1) }
      $0.on(cpu: second.cpu, task: second.task) { $0.callRCU(0xb000, load: 1) }
      between(&$0)
      $0.gp()
      for run in runs { $0.callback(run.head, cpu: run.cpu) { _ in } }
    }
  }

  private let backwards: [(head: UInt64, cpu: UInt16)] = [(0xb000, 1), (0xa000, 1)]

  @Test func holds() {
    let trace = calls((1, 5), (1, 6), runs: [(0xa000, 1), (0xb000, 1)])
    expect(trace.judge(id), .holds)
    #expect(trace.judge(id).exercised == 2)
  }

  @Test func backwardsOnOneCPU() {
    let judgement = calls((1, 5), (1, 5), runs: backwards).judge(id)
    #expect(judgement.causes == ["callback started after one that was queued later on its CPU"])
    #expect(judgement.findings.first?.count == 1)
  }

  @Test(arguments: [1, 3, 4096]) func batchesDoNotMatter(_ size: Int) {
    let result = calls((1, 5), (1, 5), runs: backwards).check(batchSize: size)
    #expect(result.judgements.first { $0.invariant.id == id }!.violations == 1)
  }

  @Test func acrossCPUsNothingIsOrdered() {
    expect(calls((1, 5), (2, 5), runs: [(0xb000, 2), (0xa000, 1)]).judge(id), .holds)
  }

  /// The order of their call_rcu probes is not the order two tasks got into the list.
  @Test func probesAtTheEntryOfCallRCU() {
    var trace = calls((1, 5), (1, 6), runs: backwards)
    #expect(trace.judge(id).violations == 1)
    trace.header.machine = nil
    expect(trace.judge(id), .inconclusive, reason: "concluded")
    var oneTask = calls((1, 5), (1, 5), runs: backwards)
    oneTask.header.machine = nil
    #expect(oneTask.judge(id).violations == 1)
  }

  @Test func spliceIsExempt() {
    let trace = calls((1, 5), (1, 6), runs: [(0xb000, 0), (0xa000, 0)]) {
      $0.on(cpu: 0) { $0.emit(.callbacksSpliced, 0, 1) }
    }
    expect(trace.judge(id), .vacuous)
    #expect(trace.judge(id).exempted(.splice) == 2)
    // Another CPU's callbacks were moved: these were not.
    let other = calls((1, 5), (1, 6), runs: backwards) {
      $0.on(cpu: 0) { $0.emit(.callbacksSpliced, 0, 3) }
    }
    #expect(other.judge(id).violations == 1)
  }

  @Test func spliceThatNobodyRecords() {
    let away = calls((1, 5), (1, 5), runs: [(0xb000, 0), (0xa000, 0)])
      .without(.callbacksSpliced)
    expect(away.judge(id), .inconclusive, reason: "does not record rcu_splice")
    // Both ran where they were queued: nothing was moved.
    let home = calls((1, 5), (1, 5), runs: backwards).without(.callbacksSpliced)
    #expect(home.judge(id).violations == 1)
  }

  @Test func edgesAreSilent() {
    let trace = calls((1, 5), (1, 5), runs: backwards)
    #expect(trace.cut(before: .callbackStart).judge(id).pending == 2)
    let late = trace.cut(from: .gracePeriodStart)
    expect(late.judge(id), .vacuous)
    #expect(late.judge(id).pending == 2)
  }

  @Test func lossIsBlamed() {
    let trace = calls((1, 5), (1, 5), runs: backwards) { $0.hole() }
    expect(trace.judge(id), .inconclusive, reason: "lost events on CPU 1")
    let silent = calls((1, 5), (1, 5), runs: backwards).missing(.callRCU)
    expect(silent.judge(id), .inconclusive, reason: "call_rcu may be missed silently")
  }

  /// A callback whose start was missed does not put the next ones out of order.
  @Test func missedStart() {
    let trace = calls((1, 5), (1, 5), runs: [(0xb000, 1)]).missing(.callbackStart)
    expect(trace.judge(id), .holds)
    #expect(trace.judge(id).pending == 1)
  }

  @Test func pagePathOwesNone() {
    let trace = Trace {
      $0.born(1); $0.pagePath(1)
    }
    expect(trace.judge(id), .notApplicable)
  }

  @Test func missingCapability() {
    let trace = calls((1, 5), (1, 5), runs: backwards).without(.callRCU)
    expect(trace.judge(id), .notApplicable)
    expect(trace.judge(id, asked: true), .inconclusive, reason: "call_rcu")
  }

  @Test func neverExercised() { expect(Trace { $0.born(1) }.judge(id), .vacuous) }
}
