import Replay
import TraceFormat

/// Every finding of a check, one by one: what is found, and where.
struct FoundEvents {
  struct Finding: Hashable, Comparable {
    let id: String
    let cause: String
    let ordinal: Ordinal

    static func < (left: Self, right: Self) -> Bool {
      (left.ordinal, left.id, left.cause) < (right.ordinal, right.id, right.cause)
    }
  }

  /// In the order of the trace.
  let all: [Finding]

  init(_ result: CheckResult) {
    all = result.judgements.flatMap { judgement in
      judgement.findings.flatMap { group in
        group.exemplars.map {
          Finding(id: judgement.invariant.id, cause: group.cause, ordinal: $0.ordinal)
        }
      }
    }.sorted()
  }

  /// Options that keep every finding.
  static var options: CheckOptions {
    var options = CheckOptions()
    options.maxFindings = 1_000_000
    return options
  }
}
