/// What can be said about one invariant on one trace.
public enum Verdict: String, Sendable, CaseIterable {
  /// Exercised, and never violated.
  case holds
  /// Violated at least once, by events that were seen.
  case violated
  /// Cannot be decided: a loss, a kind that may be missed, or a missing kind is to blame.
  case inconclusive
  /// Never exercised.
  case vacuous
  /// This kernel or recording owes it nothing.
  case notApplicable = "not applicable"
}

/// The verdict on one invariant, with its figures.
public struct Judgement: Sendable {
  /// The invariant.
  public let invariant: InvariantDescription
  /// What can be said.
  public let verdict: Verdict
  /// Instances the trace began: those that were decided, cut off, or owe nothing.
  public let started: Int
  /// Instances decided: whatever triggers the demand was seen, and so was its end.
  public let exercised: Int
  /// Violations.
  public let violations: Int
  /// Candidates that are not violations because something may be missing.
  public let undecided: Int
  /// Instances cut by the start or the end of the recording.
  public let pending: Int
  /// Instances that owe nothing, by reason, in the order of ``Exemption``.
  public let exempt: [(exemption: Exemption, count: Int)]
  /// Instances that kept the order.
  public var discharged: Int { max(0, exercised - violations - undecided) }
  /// Why the verdict is not simply "holds"; nil where there is nothing to say.
  public let reason: String?
  /// The groups that are violations.
  public let findings: [CandidateGroup]
}
