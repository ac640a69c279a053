public import TraceFormat

/// What an invariant is, apart from its code: one row of docs/INVARIANTS.md.
public struct InvariantDescription: Sendable {
  /// `I01` … `I40`, as in kernel-facts §6.
  public let id: String
  /// A few words, for tables.
  public let title: String
  /// The statement.
  public let statement: String
  /// How bad a violation is.
  public let severity: Severity
  /// Event kinds without which it cannot be decided.
  public let requires: KindSet
  /// Whether only the table (RCU) path owes it.
  public let regime: Regime

  /// How bad a violation is.
  public enum Severity: String, Sendable {
    case critical
    case high
    case medium
    case low
  }

  /// Which teardown path owes an invariant.
  public enum Regime: Sendable {
    /// Every path.
    case any
    /// The table path and its fallback; not applicable to a kernel that uses the page path alone.
    case tablePath
    /// Whatever ends in an RCU callback.
    case callbacks
  }

  init(
    _ id: String, _ title: String, severity: Severity, requires: KindSet,
    regime: Regime = .any, _ statement: String
  ) {
    self.id = id
    self.title = title
    self.severity = severity
    self.requires = requires
    self.regime = regime
    self.statement = statement
  }
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
  /// Takes what the trace says of itself, before its first event.
  mutating func begin(_ header: TraceHeader)
  /// Judges the events of a batch.
  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally)
  /// Judges what is left when the trace says that nothing may be left (`quiesce`), or ends.
  mutating func finish(_ state: Resolver, into tally: inout Tally)
}

extension Invariant {
  /// Most invariants look at nothing but events.
  public mutating func begin(_ header: TraceHeader) {}
  /// Most invariants owe nothing at the end.
  public mutating func finish(_ state: Resolver, into tally: inout Tally) {}
}

/// The legal endings and orders of kernel-facts §5 that an invariant can meet.
public enum Exemption: String, Sendable, CaseIterable {
  /// Lost allocation race: never installed.
  case e1 = "E1"
  /// Constructor failed: alloc and free alone.
  case e2 = "E2"
  /// `pte_free_defer()`: a callback of its own.
  case e3 = "E3"
  /// Deposited table.
  case e4 = "E4"
  /// PGD, freed by `__mmdrop()`.
  case e8 = "E8"
  /// Kernel page tables.
  case e10 = "E10"
  /// Early destructor by design of the stage or path: a stage property, not a crash.
  case e13 = "E13"
  /// Parent freed before child.
  case e14 = "E14"
  /// Page kept by an extra reference and freed later.
  case e15 = "E15"
  /// Level without constructor and destructor in this version (kernel-facts §1.4).
  case level = "level"
}
