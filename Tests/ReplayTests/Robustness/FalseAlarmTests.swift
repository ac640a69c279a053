import Testing
import TraceFormat

@testable import Replay

/// No legal run is ever called a violation, however much of its trace is missing.
///
/// What it does not verify: that anything is found. That is what the suites of the invariants do.
@Suite struct FalseAlarmTests {
  typealias Policy = LegalMachine.Policy

  /// A policy and what its stage owes up to (kernel-facts §6): structural findings only.
  struct Stage: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let policy: Policy
    let owed: Set<String>
  }

  static let stages: [Stage] = [
    Stage(testDescription: "S3", policy: Policy(), owed: []),
    Stage(testDescription: "S3, embedded locks", policy: Policy(locks: false), owed: []),
    Stage(testDescription: "S3, RT", policy: Policy(threads: true), owed: []),
    Stage(
      testDescription: "S4, IPI fallback", policy: Policy(fallback: .ipi), owed: ["I13", "I17"]),
    Stage(testDescription: "S6", policy: Policy(threads: true, fallback: .synchronize), owed: []),
    Stage(
      testDescription: "S1.sbi", policy: Policy(early: true, fallback: .ipi),
      owed: ["I13", "I14", "I17"]),
    Stage(
      testDescription: "S1.sbi, RT", policy: Policy(early: true, threads: true, fallback: .ipi),
      owed: ["I13", "I14", "I17"]),
    Stage(
      testDescription: "S1.ipi", policy: Policy(early: true, pagePath: true), owed: ["I13"]),
  ]

  static let seeds = (0..<12).map { UInt64($0) }

  private func expectNoFalseAlarm(
    _ trace: Trace, _ stage: Stage, seed: UInt64, _ how: String,
    location: SourceLocation = #_sourceLocation
  ) {
    let result = trace.check()
    let wrong = result.judgements.filter {
      $0.verdict == .violated && !stage.owed.contains($0.invariant.id)
    }
    for judgement in wrong {
      let at = judgement.findings.flatMap(\.exemplars).map(\.ordinal)
      Issue.record(
        "\(stage.testDescription), seed \(seed), \(how): \(judgement.invariant.id) \(judgement.causes) at \(at)",
        sourceLocation: location)
    }
  }

  @Test(arguments: stages, seeds) func whole(_ stage: Stage, _ seed: UInt64) {
    let trace = LegalMachine.run(stage.policy, seed: seed, jobs: 40)
    let result = trace.check()
    #expect(Set(result.violated).isSubset(of: stage.owed), "seed \(seed)")
    #expect(!result.judgements.contains { $0.verdict == .inconclusive }, "seed \(seed)")
    #expect(trace.events.count > 100)
  }

  @Test(arguments: stages, seeds) func edges(_ stage: Stage, _ seed: UInt64) {
    let whole = LegalMachine.run(stage.policy, seed: seed, jobs: 40)
    var random = SplitMix64(seed: seed)
    for _ in 0..<6 {
      let start = random.below(whole.events.count)
      let end = start + random.below(whole.events.count - start + 1)
      let cut = whole.dropping { index, _ in index < start || index >= end }
      expectNoFalseAlarm(cut, stage, seed: seed, "cut to \(start)..<\(end)")
    }
  }

  @Test(arguments: stages, seeds) func declaredLosses(_ stage: Stage, _ seed: UInt64) {
    let whole = LegalMachine.run(stage.policy, seed: seed, jobs: 40)
    var random = SplitMix64(seed: seed)
    for _ in 0..<6 {
      let trace = whole.losing(holes: 1 + random.below(4), &random)
      expectNoFalseAlarm(trace, stage, seed: seed, "with declared losses")
    }
  }

  @Test(arguments: stages, seeds) func silentMisses(_ stage: Stage, _ seed: UInt64) {
    let whole = LegalMachine.run(stage.policy, seed: seed, jobs: 40)
    var random = SplitMix64(seed: seed)
    for _ in 0..<8 {
      let (trace, kinds) = whole.missingSome(&random)
      expectNoFalseAlarm(trace, stage, seed: seed, "silently missing \(kinds)")
    }
  }

  @Test(arguments: stages, seeds) func unrecordedKinds(_ stage: Stage, _ seed: UInt64) {
    let whole = LegalMachine.run(stage.policy, seed: seed, jobs: 40)
    var random = SplitMix64(seed: seed)
    for _ in 0..<8 {
      let (trace, kinds) = whole.withoutSome(&random)
      expectNoFalseAlarm(trace, stage, seed: seed, "not recording \(kinds)")
    }
  }

  @Test(arguments: stages, seeds) func everythingAtOnce(_ stage: Stage, _ seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let whole = LegalMachine.run(stage.policy, seed: seed, jobs: 30)
    for _ in 0..<4 {
      let start = random.below(whole.events.count / 2)
      let (fewer, without) = whole.suffix(from: start).withoutSome(&random)
      let (missing, kinds) = fewer.missingSome(&random)
      let trace = missing.losing(holes: random.below(3), &random)
      expectNoFalseAlarm(
        trace, stage, seed: seed, "from \(start), without \(without), missing \(kinds)")
    }
  }
}

extension Trace {
  /// The same trace with events lost on single CPUs, declared as EVENTS.md has it: overruns at the
  /// start, holes that overlap, and holes that last to the end.
  func losing(holes: Int, _ random: inout SplitMix64) -> Trace {
    var lost: [(cpu: UInt16, range: Range<Int>)] = []
    for _ in 0..<holes {
      let start = random.oneIn(5) ? 0 : random.below(events.count)
      let length = random.oneIn(6) ? events.count : 1 + random.below(60)
      let cpu = random.oneIn(8) ? Event.allCPUs : UInt16(random.below(4))
      let range = start..<min(events.count, start + length)
      // One CPU is blind once at a time.
      if lost.contains(where: { $0.cpu == cpu && $0.range.overlaps(range) }) { continue }
      lost.append((cpu, range))
    }
    var copy = Trace(events: [], capabilities: header.capabilities)
    for (index, event) in events.enumerated() {
      for hole in lost where hole.range.upperBound == index { copy.lossEnd(cpu: hole.cpu) }
      for hole in lost where hole.range.lowerBound == index { copy.loss(cpu: hole.cpu) }
      let isLost = lost.contains {
        $0.range.contains(index) && ($0.cpu == event.cpu || $0.cpu == Event.allCPUs)
      }
      if !isLost { copy.append(event) }
    }
    return copy
  }

  private static let missable: [EventKind] = EventKind.allCases.filter {
    ![.quiesce, .loss, .lossEnd].contains($0)
  }

  /// The same trace from a source that silently misses some of some kinds: single events, or
  /// everything of those kinds inside one callback.
  func missingSome(_ random: inout SplitMix64) -> (Trace, [EventKind]) {
    let count = 1 + random.below(5)
    let kinds = (0..<count).map { _ in Self.missable.randomElement(using: &random)! }
    let rate = 1 + random.below(6)
    var missed: Set<Int> = []
    var inside = false
    var isBlind = false
    for (index, event) in events.enumerated() {
      if event.kind == .callbackStart {
        inside = true
        isBlind = random.oneIn(rate)
      }
      let isMissed = inside && event.context != .task ? isBlind : random.oneIn(rate)
      if kinds.contains(event.kind), isMissed { missed.insert(index) }
      if event.kind == .callbackEnd { inside = false }
    }
    // Two seen events in the wrong order stand on any source (design): lives must be told apart.
    let lives: [EventKind] = [.tableAlloc, .tableConstruct, .tableFree]
    let blind = lives.allSatisfy { header.capabilities[$0] != .sure || kinds.contains($0) }
    if blind { return (self, []) }
    var copy = dropping { index, _ in missed.contains(index) }
    for kind in kinds where copy.header.capabilities[kind] != nil {
      copy.header.capabilities[kind] = .mayMiss
    }
    return (copy, kinds)
  }

  /// The same trace from a source that does not know some kinds.
  func withoutSome(_ random: inout SplitMix64) -> (Trace, [EventKind]) {
    let count = 1 + random.below(5)
    let kinds = (0..<count).map { _ in Self.missable.randomElement(using: &random)! }
    var copy = self
    for kind in kinds { copy = copy.without(kind) }
    return (copy, kinds)
  }
}
