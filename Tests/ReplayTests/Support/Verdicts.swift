import Testing
import TraceFormat

@testable import Replay

extension Capabilities {
  /// Sees every kind, and surely.
  static var sure: Capabilities {
    var all = Capabilities()
    for kind in EventKind.allCases { all[kind] = .sure }
    return all
  }
}

extension Trace {
  /// The trace as a source.
  func source(batchSize: Int = 4096) -> EventArray {
    let array = EventArray(header: header, batchSize: batchSize)
    for event in events { array.append(event) }
    return array
  }

  /// Judges the trace.
  func check(_ options: CheckOptions = CheckOptions(), batchSize: Int = 4096) -> CheckResult {
    do {
      let checker = try Checker(options: options)
      return try checker.check(source(batchSize: batchSize))
    } catch { preconditionFailure("\(error)") }
  }

  /// What is said about one invariant; with `asked`, as if it had been asked for by name.
  func judge(_ id: String, asked: Bool = false) -> Judgement {
    var options = CheckOptions()
    if asked { options.only = [id] }
    return check(options).judgements.first { $0.invariant.id == id }!
  }

  /// Ids of the violated invariants.
  var violated: [String] { check().violated }
}

extension Judgement {
  /// Causes of the findings, in order.
  var causes: [String] { findings.map(\.cause) }

  /// How many instances owe nothing for this reason.
  func exempted(_ exemption: Exemption) -> Int {
    exempt.first { $0.exemption == exemption }?.count ?? 0
  }
}

/// Expects a verdict, and that the reason names `reason`.
func expect(
  _ judgement: Judgement, _ verdict: Verdict, reason: String? = nil,
  location: SourceLocation = #_sourceLocation
) {
  #expect(
    judgement.verdict == verdict, "\(judgement.causes) \(judgement.reason ?? "")",
    sourceLocation: location)
  guard let reason else { return }
  #expect(
    judgement.reason?.contains(reason) == true, "reason is: \(judgement.reason ?? "none")",
    sourceLocation: location)
}
