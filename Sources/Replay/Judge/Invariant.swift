import TraceFormat

/// What an invariant is, apart from its code: one section of docs/INVARIANTS.md, which is printed
/// from here (`make docs`).
///
/// The shape of each field, so that the sections read alike:
///
/// - `title`: a few words without a full stop, the good case (`freed exactly once`);
/// - `statement`: the promise, as one or two sentences with full stops;
/// - `rationale`: what goes wrong without it, and what the judge cannot or does not decide;
/// - `requires`: kinds without which nothing can be decided; `observed`: those of them that must
///   be seen, so that a source that merely infers them owes nothing (``observed``);
/// - `stages`: the row of kernel-facts §6, nine signs, see ``StageRow``;
/// - `exemptions`: every reason the judge may hand to ``Tally/exempt(_:)``;
/// - `example`: the cause of a typical finding, word for word as a report prints it. A test
///   provokes it (ExampleTests).
public struct InvariantDescription: Sendable {
  /// `I01` … `I40`, as in kernel-facts §6.
  public let id: String
  /// A few words, for tables.
  public let title: String
  /// How bad a violation is.
  public let severity: Severity
  /// Event kinds without which it cannot be decided.
  public let requires: KindSet
  /// Kinds that decide nothing where the source only infers them: the importer concludes, say, an
  /// unlink from the queueing that follows, which proves nothing about their order.
  public let observed: KindSet
  /// Whether only the table (RCU) path owes it.
  public let regime: Regime
  /// What each stage makes of it by design.
  public let stages: StageRow
  /// Legal endings that the judge counts as owing nothing.
  public let exemptions: [Exemption]
  /// The statement.
  public let statement: String
  /// Why it matters.
  public let rationale: String
  /// Cause of a typical finding.
  public let example: String

  /// How bad a violation is.
  public enum Severity: String, Sendable {
    case critical
    case high
    case medium
    case low
  }

  /// Which teardown path owes an invariant.
  public enum Regime: String, Sendable {
    /// Every path.
    case any
    /// The table path and its fallback; not applicable to a kernel that uses the page path alone.
    case tablePath = "table path"
    /// Whatever ends in an RCU callback.
    case callbacks
    /// The page gather; not applicable to a kernel that uses the table path alone.
    case pagePath = "page path"
  }

  init(
    _ id: String, _ title: String, severity: Severity, requires: KindSet, observed: KindSet = [],
    regime: Regime = .any, stages: StageRow, exemptions: [Exemption] = [], statement: String,
    rationale: String, example: String
  ) {
    self.id = id
    self.title = title
    self.severity = severity
    self.requires = requires
    self.observed = observed
    self.regime = regime
    self.stages = stages
    self.exemptions = exemptions
    self.statement = statement
    self.rationale = rationale
    self.example = example
  }
}

/// What every stage makes of an invariant by design: one row of kernel-facts §6, as nine signs in
/// the order of ``stages``, written as there: `"✗✗✗✗✗B✗B✓"`.
public struct StageRow: Sendable, Equatable, ExpressibleByStringLiteral {
  /// The columns.
  public static let stages = [
    "S0a", "S0b", "S1.sbi", "S1.ipi", "S2h", "S3.sbi", "S3.ipi", "S4", "S5+",
  ]

  /// What a stage makes of an invariant.
  public enum Outcome: Character, Sendable, CaseIterable {
    /// Holds.
    case holds = "✓"
    /// Violated by design.
    case violated = "✗"
    /// Holds as long as no table is reclaimed while readers may be inside (trigger R).
    case unlessReclaimed = "U"
    /// Holds on the batch path and fails on the no-memory fallback; accesses fail there only if
    /// tables are reclaimed while readers may be inside.
    case unlessFallback = "B"
    /// Nothing to hold.
    case notApplicable = "–"
  }

  /// One outcome per stage.
  public let outcomes: [Outcome]

  /// Reads a row.
  public init(stringLiteral row: String) {
    outcomes = row.compactMap(Outcome.init)
    precondition(outcomes.count == Self.stages.count, "a row has nine signs: \(row)")
  }

  /// The row as it is written.
  public var text: String { String(outcomes.map(\.rawValue)) }
}

/// A judge of one invariant. Called once per batch, never per event.
///
/// It sees only what the resolver wrote down and keeps no state of its own about objects. What it
/// finds goes into its ``Tally``; whether a candidate is a violation or inconclusive is decided
/// there, in one place.
public protocol Invariant: Sendable {
  /// What it states.
  static var description: InvariantDescription { get }
  /// A judge at the start of a trace.
  init()
  /// Judges the events of a batch.
  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally)
  /// Judges what is left when the trace says that nothing may be left (`quiesce`), or ends.
  mutating func finish(_ state: Resolver, into tally: inout Tally)
}

extension Invariant {
  /// Most invariants owe nothing at the end.
  public mutating func finish(_ state: Resolver, into tally: inout Tally) {}
}
