import Testing
import TraceFormat

@testable import Replay

/// Any sequence of events whatever gets the same verdicts in batches of any size, and traps nowhere.
///
/// What it does not verify: that the verdicts make sense. Nothing does on such input.
@Suite struct MalformedTraceTests {
  /// Kinds, keys and places so few that everything collides.
  static func noise(seed: UInt64, length: Int) -> Trace {
    var random = SplitMix64(seed: seed)
    var trace = Trace { _ in }
    let odd: [UInt64] = [0, .max, 1 << 63, 1 << 32]
    func number() -> UInt64 { random.oneIn(20) ? odd[random.below(4)] : UInt64(random.below(5)) }
    let favourites: [EventKind] = [
      .tableAlloc, .tableConstruct, .tableQueueBatch, .tableDestruct, .tableFree, .callRCU,
      .callbackStart, .callbackEnd, .quiesce,
    ]
    for index in 0..<length {
      let kind =
        random.oneIn(2)
        ? favourites.randomElement(using: &random)!
        : EventKind.allCases.randomElement(using: &random)!
      trace.append(
        Event(
          kind, time: random.oneIn(9) ? .max : UInt64(index),
          cpu: kind == .loss || kind == .lossEnd && random.oneIn(3)
            ? Event.allCPUs
            : random.oneIn(60) ? [7, 300][random.below(2)] : UInt16(random.below(3)),
          task: UInt32(random.below(3)), context: ExecutionContext.allCases[random.below(5)],
          object: number(), arg0: number(), arg1: number(),
          level: TableLevel.allCases[random.below(6)],
          flags: EventFlags(rawValue: UInt8(random.below(8) == 0 ? random.below(256) : 0))))
    }
    return trace
  }

  /// Everything a person can see of a result, in one text.
  static func text(of trace: Trace, batchSize: Int) throws -> String {
    let result = trace.check(batchSize: batchSize)
    let evidence = try Evidence(for: result, from: trace.source(batchSize: batchSize))
    let json = try CheckJSON(result, evidence: evidence, file: "f.ptt").bytes()
    return CheckText(result, evidence: evidence, file: "f.ptt").lines.joined(separator: "\n")
      + String(decoding: json, as: UTF8.self)
  }

  @Test(arguments: 0..<40) func noiseTrapsNowhere(_ block: Int) throws {
    for seed in block * 50..<block * 50 + 50 {
      let trace = Self.noise(seed: UInt64(seed), length: 10 + seed % 90)
      let whole = try Self.text(of: trace, batchSize: 4096)
      for size in [1, 7] {
        expectSame(try Self.text(of: trace, batchSize: size), whole, "seed \(seed), batch \(size)")
      }
    }
  }

  private func expectSame(_ one: String, _ other: String, _ comment: Comment) {
    guard one != other else { return }
    let pairs = zip(one.split(separator: "\n"), other.split(separator: "\n"))
    let first = pairs.first { $0 != $1 }
    Issue.record("\(comment): \(first.map { "\($0) / \($1)" } ?? "lengths differ")")
  }

  /// A legal run with events swapped, doubled, dropped and moved: nearer to real faults.
  @Test(arguments: 0..<40) func shuffledRuns(_ seed: Int) throws {
    let stage = FalseAlarmTests.stages[seed % FalseAlarmTests.stages.count]
    var random = SplitMix64(seed: UInt64(seed))
    var events = LegalMachine.run(stage.policy, seed: UInt64(seed), jobs: 20).events
    for _ in 0..<20 {
      let (here, there) = (random.below(events.count), random.below(events.count))
      switch random.below(4) {
      case 0: events.swapAt(here, there)
      case 1: events.insert(events[here], at: there)
      case 2: events.remove(at: here)
      default: events.insert(events.remove(at: here), at: min(there, events.count))
      }
    }
    let trace = Trace(events: events, capabilities: .sure)
    let whole = try Self.text(of: trace, batchSize: 4096)
    for size in [1, 7] {
      expectSame(try Self.text(of: trace, batchSize: size), whole, "seed \(seed), batch \(size)")
    }
  }

  @Test func emptyTrace() throws {
    let trace = Trace { _ in }
    #expect(trace.check().exitCode == 3)
    // Nor does it say anything of its machine.
    #expect(
      trace.check().judgements.allSatisfy {
        $0.verdict == ($0.invariant.facts.isEmpty ? .vacuous : .notApplicable)
      })
    #expect(try Self.text(of: trace, batchSize: 1).hasPrefix("f.ptt: 0 events"))
  }
}
