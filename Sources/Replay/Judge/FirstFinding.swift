import TraceFormat

/// Tells when a check that is to end with its first finding may end.
///
/// A finding stands as soon as the judge has it, except where the source tells of holes only when
/// they are over: there every CPU that took part has to be heard of again first, as the next thing
/// it says may be that it was blind. A CPU that falls silent is waited for through
/// ``patience`` events.
struct FirstFinding {
  /// Events after a finding through which a silent CPU is waited for.
  static let patience: UInt64 = 1 << 20

  /// CPUs that have spoken.
  private var cpus: Set<UInt16> = []
  /// CPUs that have not spoken since the finding; nil without one.
  private var awaited: Set<UInt16>?
  private var passed: UInt64 = 0
  /// Number of candidates the last time something was decided.
  private var known = 0

  /// Whether the check ends behind `batch`, which has been judged.
  ///
  /// - Parameters:
  ///   - candidates: how many candidates there are by now that no hole touches.
  ///   - stands: decides, which takes a moment, whether one of them is a finding.
  mutating func ends(
    behind batch: EventBatch, tellsLate: Bool, candidates: Int, stands: () -> Bool
  ) -> Bool {
    let heard = Set(batch.events.lazy.filter { $0.kind != .loss }.map(\.cpu))
    cpus.formUnion(heard)
    if awaited != nil {
      awaited?.subtract(heard)
      passed += UInt64(batch.events.count)
      guard awaited?.isEmpty == true || passed >= Self.patience else { return false }
      if stands() { return true }
      awaited = nil
      known = candidates
      return false
    }
    guard candidates != known else { return false }
    known = candidates
    guard stands() else { return false }
    if !tellsLate { return true }
    awaited = cpus
    passed = 0
    return false
  }
}
