import TraceFormat

/// Says in a few words which teardown paths a trace took, from its events alone.
public struct Regime: Sendable {
  /// The phrases, most important first.
  public let phrases: [String]

  /// The regime of a trace.
  public init(_ facts: TraceFacts) {
    var phrases: [String] = []
    if facts.queuedForBatch > 0 {
      phrases.append(
        "table path (RCU): \(Figures.count(facts.queuedForBatch)) tables queued, "
          + "\(Figures.count(facts.freedInCallback)) tables freed in callbacks")
    }
    if facts.fallbacks > 0 {
      phrases.append("no-memory fallback: \(Figures.count(facts.fallbacks)) tables")
    }
    if facts.queuedForPage > 0 {
      phrases.append(
        "page path (no RCU): \(Figures.count(facts.queuedForPage)) tables gathered")
    }
    if facts.deferred > 0 {
      phrases.append("pte_free_defer: \(Figures.count(facts.deferred)) tables")
    }
    if phrases.isEmpty { phrases.append("no table was queued for freeing") }
    self.phrases = phrases
  }

  /// What became of the separately allocated ptlocks; nil where none was seen.
  public static func locks(_ facts: TraceFacts) -> String? {
    guard facts.count(of: .lockFree) > 0 else { return nil }
    let total = facts.locksFreedEarly + facts.locksFreedInTime
    guard total > 0 else { return "separate ptlock objects; none on the table path" }
    var text =
      "separate ptlock objects: \(Figures.count(facts.locksFreedEarly)) of "
      + "\(Figures.count(total)) freed before their table's grace period"
    if facts.locksFreedEarlyInFallback > 0 {
      text += " (\(Figures.count(facts.locksFreedEarlyInFallback)) on the fallback)"
    }
    text +=
      ", \(Figures.count(facts.locksReusedWhilePending)) reused while their table was pending"
    return text
  }
}
