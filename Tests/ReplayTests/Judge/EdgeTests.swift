import Testing
import TraceFormat

@testable import Replay

/// What every invariant does at the edges of what was recorded, one that is added tomorrow as well:
/// its example (``ExampleTests``), cut short, with a hole, started late, from a source that may miss.
///
/// What it does not verify: other findings than the example's. Those have the suites.
@Suite struct EdgeTests {
  static let ids = InvariantRegistry.all.map { $0.description.id }

  /// The example of an invariant, and the finding it is there for.
  private struct Example {
    let id: String
    let trace: Trace
    let group: CandidateGroup
    let finding: CandidateGroup.Instance

    init(_ id: String) throws {
      self.id = id
      trace = Trace(try #require(ExampleTests.traces[id]))
      let wanted = InvariantRegistry.all.first { $0.description.id == id }!.description.example
      group = try #require(Self.judge(trace, id).findings.first { $0.cause == wanted })
      finding = try #require(group.instances.first)
    }

    /// Nothing can excuse it: one event alone is wrong.
    var isOneEvent: Bool { finding.since == finding.ordinal }

    static func judge(_ trace: Trace, _ id: String) -> Judgement {
      var options = CheckOptions()
      options.keepsAll = true
      return trace.check(options).judgements.first { $0.invariant.id == id }!
    }

    /// Whether a trace that is the example from event `shift` on is still accused there.
    func isAccused(_ trace: Trace, shift: Int64) -> Bool {
      Self.judge(trace, id).findings.contains { group in
        group.cause == self.group.cause
          && group.instances.contains { $0.ordinal == finding.ordinal + shift }
      }
    }
  }

  /// Nobody is accused of what has not happened yet.
  @Test(arguments: ids) func cutBeforeTheDecisiveEvent(_ id: String) throws {
    let example = try Example(id)
    for count in 0...Int(example.finding.ordinal) {
      let judgement = Example.judge(example.trace.prefix(count), id)
      let wasFoundBefore = judgement.findings.allSatisfy { group in
        group.instances.allSatisfy { $0.ordinal < example.finding.ordinal }
      }
      #expect(wasFoundBefore)
      #expect(!judgement.causes.contains(example.group.cause), "\(count) events")
    }
  }

  /// A hole between the two events it rests on: it cannot be told, and the hole is named.
  @Test(arguments: ids) func aHoleInBetween(_ id: String) throws {
    let example = try Example(id)
    let place = Int(example.finding.ordinal)
    // An early destructor and its queue are one step: only a hole on their own CPU counts.
    let cpu = example.trace.events[place].cpu
    let trace = example.trace.withHole(before: place, cpu: cpu)
    guard !example.isOneEvent else {
      #expect(example.isAccused(trace, shift: 2), "a hole excuses no event that was seen")
      return
    }
    #expect(!example.isAccused(trace, shift: 2))
    let judgement = Example.judge(trace, id)
    #expect(judgement.undecided > 0)
    #expect(judgement.reason?.contains("lost events") == true, "\(judgement.reason ?? "none")")
  }

  /// A recording that began behind the earlier of the two events: if there is a finding all the
  /// same, it rests on another event that was recorded (the queueing for the unlink).
  @Test(arguments: ids) func startedInBetween(_ id: String) throws {
    let example = try Example(id)
    guard !example.isOneEvent else { return }
    let first = Int(max(example.finding.since, 0)) + 1
    for start in first...max(first, Int(example.finding.ordinal)) {
      let late = example.trace.suffix(from: start)
      for group in Example.judge(late, id).findings {
        #expect(group.instances.allSatisfy { $0.since >= 0 }, "\(group.cause), from \(start) on")
      }
    }
    // Behind whatever it can rest on, only the last event is left.
    let alone = example.trace.suffix(from: Int(example.finding.ordinal))
    #expect(Example.judge(alone, id).violations == 0)
  }

  /// A source that may miss what would have excused it, or that does not record it.
  @Test(arguments: ids) func mayHaveMissed(_ id: String) throws {
    let example = try Example(id)
    for kind in example.group.absent.kinds {
      let judgement = Example.judge(example.trace.missing(kind), id)
      #expect(!judgement.causes.contains(example.group.cause), "\(kind.name)")
      #expect(judgement.reason?.contains(kind.name) == true, "\(judgement.reason ?? "none")")
    }
  }

  /// What the trace concluded proves nothing.
  @Test(arguments: ids) func concludedOnly(_ id: String) throws {
    let example = try Example(id)
    // A quiesce and a count of what is left have no flag of their own.
    guard example.trace.events[Int(example.finding.ordinal)].kind != .quiesce else { return }
    let trace = example.trace.inferring(Int(example.finding.ordinal))
    #expect(!example.isAccused(trace, shift: 0))
  }

  /// Nothing happened: nothing holds.
  @Test(arguments: ids) func vacuous(_ id: String) {
    for trace in [Trace { _ in }, Trace { $0.quiesce() }] {
      let verdict = trace.judge(id).verdict
      #expect([.vacuous, .notApplicable].contains(verdict), "\(verdict)")
    }
  }
}

extension Trace {
  /// The same trace with a hole before an event.
  fileprivate func withHole(before place: Int, cpu: UInt16) -> Trace {
    var copy = Trace { _ in }
    copy.header = header
    for (index, event) in events.enumerated() {
      if index == place { copy.hole(cpu: cpu) }
      copy.append(event)
    }
    return copy
  }

  /// The same trace, one event of which was concluded.
  fileprivate func inferring(_ place: Int) -> Trace {
    var copy = Trace { _ in }
    copy.header = header
    for (index, var event) in events.enumerated() {
      if index == place { event.flags.insert(.inferred) }
      copy.append(event)
    }
    return copy
  }
}
