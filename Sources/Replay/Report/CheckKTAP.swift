/// `check --format ktap`: version 1 of the kernel's test protocol. A trace is a test, an invariant
/// is a subtest of it.
///
/// `ok` holds; `not ok` is violated; `# XFAIL` is violated as `--expect` says; `# SKIP` is
/// inconclusive, vacuous or not applicable, and says why; `# ERROR` is a trace that cannot be read.
public struct CheckKTAP: CheckFormat {
  private var number = 0
  private let traces: Int

  public init(traces: Int, toolVersion: String) { self.traces = traces }

  public mutating func add(_ trace: CheckedTrace) -> String {
    number += 1
    var lines = number == 1 ? head : []
    let name = Self.plain(trace.file)
    if let report = trace.report {
      lines += subtests(report, trace.file)
      let exit = report.result.exitCode
      let verdict = exit == 1 ? "not ok" : "ok"
      let directive =
        switch exit {
        case 3: " # SKIP inconclusive"
        case 0 where !report.result.violated.isEmpty: " # XFAIL exactly as expected"
        default: ""
        }
      lines.append("\(verdict) \(number) \(name)\(directive)")
    } else {
      lines.append("not ok \(number) \(name) # ERROR \(Self.plain(trace.error ?? ""))")
    }
    return lines.map { $0 + "\n" }.joined()
  }

  public mutating func finish() -> String {
    number == 0 ? head.map { $0 + "\n" }.joined() : ""
  }

  private var head: [String] { ["KTAP version 1", "1..\(traces)"] }

  private func subtests(_ report: CheckedTrace.Report, _ file: String) -> [String] {
    let judgements = report.result.judgements
    var lines = ["  KTAP version 1", "  # Subtest: \(Self.plain(file))"]
    lines.append("  1..\(judgements.count)")
    for (index, judgement) in judgements.enumerated() {
      let test = "\(index + 1) \(Self.plain(judgement.name))"
      switch Outcome(judgement, report.result.options) {
      case .passed: lines.append("  ok \(test)")
      case .expectedFailure: lines.append("  ok \(test) # XFAIL \(Self.plain(judgement.failure))")
      case .skipped(let reason): lines.append("  ok \(test) # SKIP \(Self.plain(reason))")
      case .failed:
        lines += judgement.explanation(report, file: file).map { "  # " + Self.line($0) }
        if judgement.findings.isEmpty { lines.append("  # \(judgement.failure)") }
        lines.append("  not ok \(test)")
      }
    }
    return lines
  }

  /// One line without control characters.
  private static func line(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      result.unicodeScalars.append(
        scalar.properties.generalCategory == .control ? " " : scalar)
    }
    return result
  }

  /// The same without what begins a directive.
  static func plain(_ text: String) -> String {
    line(text).split(separator: "#", omittingEmptySubsequences: false).joined(separator: "no.")
  }
}
