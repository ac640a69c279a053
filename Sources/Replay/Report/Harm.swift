public import TraceFormat

/// What an early destructor means for memory safety: order and harm are findings of their own.
///
/// I13 says in which order a destructor and a grace period came; I18 to I22b say that a reader was
/// harmed. Between the two stands what the ptlock is: with a lock that lies in the page, the order
/// alone harms nobody (kernel-facts §4.4).
public enum Harm {
  /// Where the ptlocks of a trace lie.
  public enum Ptlock: String, Sendable, CaseIterable {
    /// Each is an object of its own (`page->ptl`): lockdep, DEBUG_SPINLOCK, PREEMPT_RT.
    case separate
    /// In the page, and as long-lived as the page.
    case embedded
    /// The trace does not tell.
    case unknown
  }

  /// The invariants whose violation is harm done, not an order.
  public static let harmful: Set<String> = ["I18", "I19", "I20", "I21", "I22a", "I22b"]

  /// Where the ptlocks lie: what was seen counts before what the header says.
  public static func ptlock(_ header: TraceHeader, _ facts: TraceFacts) -> Ptlock {
    if facts.count(of: .lockFree) > 0 || facts.count(of: .lockAlloc) > 0 { return .separate }
    switch header.options["split_ptlock"] {
    case "yes": return .separate
    case "no": return .embedded
    default: return .unknown
    }
  }

  /// What a finding about the order means; nil for every other finding.
  static func note(_ judgement: Judgement, _ result: CheckResult) -> String? {
    guard judgement.invariant.id == "I13" else { return nil }
    switch ptlock(result.header, result.facts) {
    case .embedded:
      return "order only: the ptlock is embedded in the page here and lives as long as the page, "
        + "so this order has no effect on memory safety"
    case .unknown:
      return "order only: no separate ptlock object is seen here, and with the lock embedded in "
        + "the page this order has no effect on memory safety"
    case .separate:
      let object = "the ptlock is an object of its own here"
      let touched = result.judgements.filter {
        harmful.contains($0.invariant.id) && $0.verdict == .violated
      }
      guard touched.isEmpty else {
        let ids = touched.map(\.invariant.id).joined(separator: ", ")
        return "order; \(object), and that dead memory was really touched is reported separately "
          + "(\(ids))"
      }
      // Holds, or nobody took a lock while readers were recorded.
      let isTold = result.judgements.contains {
        $0.invariant.id == "I20" && ($0.verdict == .holds || $0.verdict == .vacuous)
      }
      return isTold
        ? "order only: \(object), and no reader was seen to touch a dead one"
        : "order only: \(object); whether a reader touched a dead one this trace does not tell"
    }
  }
}
