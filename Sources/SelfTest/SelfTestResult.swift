import Replay

/// What a self-test found.
public struct SelfTestResult: Sendable {
  /// One way to break or to change traces, and how it went.
  public struct Row: Sendable {
    /// Name of the operator or transformation.
    public let name: String
    /// What it does.
    public let summary: String
    /// Invariants that had to report it; empty for a neutral transformation.
    public let catches: [String]
    /// Mutants that were noticed as they should, or traces that were judged as before.
    public fileprivate(set) var passed = 0
    /// The others.
    public fileprivate(set) var failed = 0
    /// What went wrong, one line each, the first few.
    public fileprivate(set) var failures: [String] = []

    mutating func note(_ failure: String?) {
      guard let failure else {
        passed += 1
        return
      }
      failed += 1
      if failures.count < 5 { failures.append(failure) }
    }
  }

  /// How one invariant did.
  public struct InvariantRow: Sendable {
    /// Its id.
    public let id: String
    /// Mutants it had to report, and did.
    public fileprivate(set) var killed = 0
    /// Mutants it had to report, and did not.
    public fileprivate(set) var survived = 0
    /// Mutants it reported although it has nothing to do with them.
    public fileprivate(set) var unrelated = 0
  }

  /// Seed of the run.
  public let seed: UInt64
  /// Mutation operators, in their order.
  public private(set) var mutations: [Row]
  /// Neutral transformations, in their order.
  public private(set) var neutral: [Row]
  /// Invariants, in their order.
  public private(set) var invariants: [InvariantRow]

  init(seed: UInt64) {
    self.seed = seed
    mutations = MutationOperator.all.map {
      Row(name: $0.name, summary: $0.summary, catches: $0.catches)
    }
    neutral = NeutralTransformation.all.map {
      Row(name: $0.name, summary: $0.summary, catches: [])
    }
    neutral.append(
      Row(
        name: "reader-batches", summary: "the trace is read in pieces of another size", catches: [])
    )
    invariants = InvariantRegistry.all.map { InvariantRow(id: $0.description.id) }
  }

  /// Mutants noticed, and all of them.
  public var kills: (killed: Int, all: Int) {
    let killed = mutations.reduce(0) { $0 + $1.passed }
    return (killed, killed + mutations.reduce(0) { $0 + $1.failed })
  }

  /// Operators that found no place in any trace.
  public var unused: [String] {
    (mutations + neutral).filter { $0.passed + $0.failed == 0 }.map(\.name)
  }

  /// Every mutant was noticed by whom it should, every neutral change by nobody, and every operator
  /// found a place.
  public var isClean: Bool { unused.isEmpty && isCleanWhereUsed }

  /// The same for the operators that found a place.
  public var isCleanWhereUsed: Bool { (mutations + neutral).allSatisfy { $0.failed == 0 } }

  mutating func take(
    _ operation: MutationOperator, _ specimen: Specimen, _ base: Verdicts, _ mutant: Verdicts
  ) {
    let worse = mutant.worse(than: base)
    let known = Set(invariants.map(\.id))
    let missed = operation.catches.filter { known.contains($0) && !worse.contains($0) }
    let strangers = worse.filter {
      !operation.catches.contains($0) && !operation.related.contains($0)
    }
    for index in invariants.indices {
      let id = invariants[index].id
      if strangers.contains(id) { invariants[index].unrelated += 1 }
      guard operation.catches.contains(id) else { continue }
      if worse.contains(id) {
        invariants[index].killed += 1
      } else {
        invariants[index].survived += 1
      }
    }
    var failure: String?
    if !missed.isEmpty || !strangers.isEmpty {
      let parts = [
        missed.isEmpty ? nil : "not noticed by \(missed.joined(separator: ", "))",
        strangers.isEmpty ? nil : "reported by unrelated \(strangers.joined(separator: ", "))",
      ]
      failure =
        "\(specimen.stage) \(specimen.workload): "
        + parts.compactMap { $0 }.joined(separator: "; ")
    }
    if let index = mutations.firstIndex(where: { $0.name == operation.name }) {
      mutations[index].note(failure)
    }
  }

  mutating func take(
    _ transformation: NeutralTransformation, _ specimen: Specimen, _ base: Verdicts,
    _ changed: Verdicts
  ) {
    note(transformation.name, specimen, changed.changed(from: base))
  }

  mutating func take(readerBatches specimen: Specimen, _ base: Verdicts, _ changed: Verdicts) {
    note("reader-batches", specimen, changed.changed(from: base))
  }

  private mutating func note(_ name: String, _ specimen: Specimen, _ changed: [String]) {
    guard let index = neutral.firstIndex(where: { $0.name == name }) else { return }
    neutral[index].note(
      changed.isEmpty
        ? nil
        : "\(specimen.stage) \(specimen.workload): another verdict of "
          + changed.joined(separator: ", "))
  }
}
