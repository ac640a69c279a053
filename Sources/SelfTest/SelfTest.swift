import Replay
import Simulator
import TraceFormat

/// Does the judge see what it should, and nothing else?
///
/// Valid traces of every stage come from the simulator. Each mutation operator breaks one in one way,
/// and the invariants it names must notice, and no unrelated one; each neutral transformation
/// changes one in a way that means nothing, and every verdict must stay. What a stage violates by
/// design stays as it is: what counts is what changes.
public struct SelfTest {
  /// What to run.
  public struct Options: Sendable {
    /// Seed of every choice.
    public var seed: UInt64 = 1
    /// Labels of the stages; empty = all.
    public var stages: [String] = []
    /// Mutants of each operator on each trace.
    public var mutants = 1
    /// About this many events a trace.
    public var events = 1_500

    /// Everything once.
    public init() {}
  }

  private let options: Options

  /// A self-test.
  public init(_ options: Options = Options()) { self.options = options }

  /// Ids of the judge's invariants, in order.
  public static var invariants: [String] { InvariantRegistry.all.map { $0.description.id } }

  /// Invariants that at least one operator names.
  public static var named: Set<String> { Set(MutationOperator.all.flatMap(\.catches)) }

  /// Runs everything.
  ///
  /// - Parameter progress: told the name of each trace before it is worked on.
  /// - Throws: ``TraceError`` for an unknown stage.
  public func run(progress: (String) -> Void = { _ in }) throws -> SelfTestResult {
    var result = SelfTestResult(seed: options.seed)
    var stages = Stage.all + Stage.variants
    if !options.stages.isEmpty { stages = try options.stages.map { try Stage(named: $0) } }
    for (number, stage) in stages.enumerated() {
      for workload in Workloads.names {
        guard let trace = try specimen(stage, workload, number) else { continue }
        progress("\(stage.label) \(workload)")
        try work(on: trace, into: &result)
      }
    }
    return result
  }

  /// A valid trace; nil where the workload makes a stage violate what it does not by design, so
  /// that a mutant would drown in what is wrong anyway.
  private func specimen(
    _ stage: Stage, _ workload: String, _ number: Int
  ) throws -> Specimen? {
    // Readers race with a reclaim: a what-if on every stage but the last ones.
    if workload == "reclaim-race", !["S5", "S6"].contains(stage.label) { return nil }
    var simulated = SimulationOptions(stage: stage, workload: workload)
    simulated.seed = options.seed &+ UInt64(number)
    simulated.events = options.events
    let simulation = try Simulation(simulated)
    let array = EventArray(header: simulation.header())
    try simulation.run(into: array)
    return Specimen(header: array.header, workload: workload, events: array.events)
  }

  private func work(on specimen: Specimen, into result: inout SelfTestResult) throws {
    let base = try Verdicts(specimen)
    for (index, operation) in MutationOperator.all.enumerated() {
      for count in 0..<options.mutants {
        var random = SplitMix64(
          seed: options.seed &+ UInt64(index) &* 1_000_003 &+ UInt64(count) &* 7_919)
        var mutant = specimen
        guard operation.apply(&mutant, &random) else { continue }
        result.take(operation, specimen, base, try Verdicts(mutant))
      }
    }
    for (index, transformation) in NeutralTransformation.all.enumerated() {
      var random = SplitMix64(seed: options.seed &+ UInt64(index) &* 15_485_863)
      var changed = specimen
      guard transformation.apply(&changed, &random) else { continue }
      result.take(transformation, specimen, base, try Verdicts(changed))
    }
    result.take(readerBatches: specimen, base, try Verdicts(specimen, batchSize: 61))
  }
}

/// What the judge says about a trace, in numbers.
struct Verdicts: Equatable {
  private(set) var violations: [String: Int] = [:]
  private(set) var verdicts: [String: Verdict] = [:]

  init(_ specimen: Specimen, batchSize: Int = 4_096) throws {
    let array = EventArray(header: specimen.header, batchSize: batchSize)
    for event in specimen.events { array.append(event) }
    let checker = try Checker()
    for judgement in try checker.check(array).judgements {
      violations[judgement.invariant.id] = judgement.violations
      verdicts[judgement.invariant.id] = judgement.verdict
    }
  }

  /// Invariants that report more than on `base`, in order.
  func worse(than base: Verdicts) -> [String] {
    violations.keys.sorted().filter { (violations[$0] ?? 0) > (base.violations[$0] ?? 0) }
  }

  /// Invariants whose verdict or count is another one, in order.
  func changed(from base: Verdicts) -> [String] {
    violations.keys.sorted().filter {
      violations[$0] != base.violations[$0] || !isSame($0, base)
    }
  }

  /// An inserted life may exercise what was never exercised before.
  private func isSame(_ id: String, _ base: Verdicts) -> Bool {
    let before = base.verdicts[id]
    return verdicts[id] == before || before == .vacuous && verdicts[id] == .holds
  }
}
