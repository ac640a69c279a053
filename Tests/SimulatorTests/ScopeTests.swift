import Replay
import Simulator
import Testing
import TraceFormat

/// Asked about a part of a trace, a check finds what it finds there in the whole.
@Suite struct ScopeTests {
  private func check(
    _ trace: EventArray, only selection: EventSelection? = nil
  ) throws -> (found: [FoundEvents.Finding], result: CheckResult) {
    let checker = try Checker(options: FoundEvents.options)
    let result = try checker.check(trace.fresh, only: selection)
    return (FoundEvents(result).all, result)
  }

  @Test(arguments: StageVerdictTests.runs)
  func partsOfATraceAddUp(_ run: (stage: String, workload: String)) throws {
    let trace = try simulate(Stage(named: run.stage), run.workload, seed: 3, events: 4000)
    let whole = try check(trace)
    let count = UInt64(trace.events.count)
    var parts: [FoundEvents.Finding] = []
    var events: UInt64 = 0
    var exercised = 0
    for (first, end) in [(0, 1), (1, 1700), (1700, 1701), (1701, count - 1), (count - 1, count)] {
      var selection = EventSelection()
      selection.ordinals = UInt64(first)...UInt64(end - 1)
      let part = try check(trace, only: selection)
      #expect(part.found.allSatisfy { selection.ordinals!.contains(UInt64($0.ordinal)) })
      parts += part.found
      events += part.result.events
      exercised += part.result.judgements.reduce(0) { $0 + $1.exercised }
    }
    #expect(parts.sorted() == whole.found)
    #expect(events == count)
    #expect(exercised == whole.result.judgements.reduce(0) { $0 + $1.exercised })
  }

  @Test func cpusKindsAndTablesAreAskedFor() throws {
    let trace = try simulate(Stage(named: "S1.sbi"), "reclaim-race", seed: 3, events: 4000)
    let whole = try check(trace).found
    #expect(whole.count > 20)
    var byCPU: [FoundEvents.Finding] = []
    for cpu in UInt16(0)..<64 {
      var selection = EventSelection()
      selection.cpus = [cpu]
      byCPU += try check(trace, only: selection).found
    }
    #expect(byCPU.sorted() == whole)
    var kinds = EventSelection()
    kinds.kinds = [.lockAcquire, .lockFree]
    #expect(
      try check(trace, only: kinds).found
        == whole.filter {
          kinds.kinds!.contains(trace.events[Int($0.ordinal)].kind)
        })
    let event = trace.events[Int(try #require(whole.first).ordinal)]
    var table = EventSelection()
    table.table = .init(frame: event.kind.fields.space == .table ? event.object : event.arg0)
    let found = try check(trace, only: table).found
    #expect(!found.isEmpty && found.count < whole.count)
    #expect(found.allSatisfy { trace.events[Int($0.ordinal)].names(table: table.table!.frame) })
  }
}

extension EventArray {
  /// The same trace, at its start.
  var fresh: EventArray {
    let copy = EventArray(header: header)
    for event in events { copy.append(event) }
    return copy
  }
}
