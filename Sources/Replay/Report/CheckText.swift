import TraceFormat

/// `check --format text`: verdicts first, then what was found, with its evidence.
public struct CheckText {
  private let result: CheckResult
  private let evidence: Evidence
  private let file: String
  private let detail: Detail

  /// How much is said.
  public enum Detail: Sendable {
    /// One line.
    case brief
    /// Verdicts and findings.
    case normal
    /// Verdicts with what became of every instance, and findings.
    case full
  }

  /// A report on `file`.
  public init(
    _ result: CheckResult, evidence: Evidence, file: String, detail: Detail = .normal
  ) {
    self.result = result
    self.evidence = evidence
    self.file = file
    self.detail = detail
  }

  /// The lines of the report.
  public var lines: [String] {
    if detail == .brief { return ["\(file): \(summary)\(violations)"] }
    var lines = head
    lines.append("")
    for judgement in result.judgements {
      lines.append(line(judgement))
      if detail == .full { lines.append("       " + Self.instances(judgement)) }
    }
    lines.append("")
    lines.append(summary)
    for judgement in result.judgements {
      for group in judgement.findings {
        lines.append("")
        lines += FindingText(judgement, group, result, evidence, file: file).lines
      }
    }
    let reasons = result.judgements.filter { $0.verdict == .inconclusive }
    if !reasons.isEmpty { lines.append("") }
    for judgement in reasons {
      lines.append("\(judgement.invariant.id) is inconclusive: \(judgement.reason ?? "")")
    }
    for judgement in result.judgements where judgement.verdict == .violated {
      if let reason = judgement.reason {
        lines.append("\(judgement.invariant.id), besides: \(reason)")
      }
    }
    return lines + modelRemarks
  }

  /// What a model could not see, or why it never ran.
  private var modelRemarks: [String] {
    let names = Set(result.options.models.map(\.name))
    return result.judgements.compactMap { judgement in
      guard names.contains(judgement.invariant.id), let reason = judgement.reason else {
        return nil
      }
      switch judgement.verdict {
      case .holds: return "\(judgement.invariant.id) holds as far as can be seen: \(reason)"
      case .vacuous: return "\(judgement.invariant.id) is vacuous: \(reason)"
      case .violated, .inconclusive, .notApplicable: return nil
      }
    }
  }

  private var head: [String] {
    let header = result.header
    var about = ["\(Figures.count(result.events)) events"]
    if let span = result.span {
      about.append(Figures.duration(span.upperBound - span.lowerBound, header.clock))
    }
    about.append("\(header.cpus) CPUs")
    about.append(header.stage.map { "stage \($0)" } ?? "stage not declared")
    if let kernel = header.kernel { about.append(kernel) }
    about.append(header.source)
    var lines = ["\(file): " + about.joined(separator: ", ")]
    if let scope = result.options.scope {
      lines.append("  judged: only \(scope); events before them are followed, not judged")
    }
    if let last = result.stoppedAt {
      lines.append("  stopped at the first finding: nothing behind event #\(last) was read")
    }
    lines += Regime(result.facts).phrases.map { "  " + $0 }
    if let locks = Regime.locks(result.facts) { lines.append("  " + locks) }
    if !result.losses.isEmpty {
      lines.append(
        "  events are missing: \(Figures.count(result.losses.count)) losses, "
          + "\(Figures.count(result.lost)) events counted as lost")
    }
    lines += header.remarks.map { "  note: " + $0 }
    return lines
  }

  /// Names of models are longer than ids of invariants.
  private var idWidth: Int {
    max(5, (result.judgements.map(\.invariant.id.count).max() ?? 0) + 1)
  }

  private func line(_ judgement: Judgement) -> String {
    let verdict =
      judgement.verdict == .violated ? "VIOLATED" : judgement.verdict.rawValue
    let figures =
      switch judgement.verdict {
      case .violated:
        "\(Figures.count(judgement.violations)) of \(Figures.count(judgement.exercised))"
      case .holds: Figures.count(judgement.exercised)
      case .inconclusive:
        "\(Figures.count(judgement.undecided)) of \(Figures.count(judgement.exercised)) unknown"
      case .vacuous, .notApplicable: "-"
      }
    return "  " + Figures.left(judgement.invariant.id, idWidth) + Figures.left(verdict, 15)
      + Figures.right(figures, 18) + "  " + judgement.invariant.title
  }

  /// What became of the instances of an invariant: `started 210: triggered 208 (kept 0, broken
  /// 208), pending 2`.
  static func instances(_ judgement: Judgement) -> String {
    var outcomes = ["kept \(Figures.count(judgement.discharged))"]
    if judgement.violations > 0 {
      outcomes.append("broken \(Figures.count(judgement.violations))")
    }
    if judgement.undecided > 0 {
      outcomes.append("unknown \(Figures.count(judgement.undecided))")
    }
    let exempt = judgement.exempt.map { "\($0.exemption.rawValue) \(Figures.count($0.count))" }
    return "started \(Figures.count(judgement.started)): "
      + "triggered \(Figures.count(judgement.exercised)) (\(outcomes.joined(separator: ", "))), "
      + "pending \(Figures.count(judgement.pending))"
      + (exempt.isEmpty ? "" : ", exempt by " + exempt.joined(separator: ", "))
      + (judgement.verdict == .vacuous || judgement.verdict == .notApplicable
        ? judgement.reason.map { "; \($0)" } ?? "" : "")
  }

  /// ` (I13 208×, I14 201×)`, or nothing.
  private var violations: String {
    let broken = result.judgements.filter { $0.verdict == .violated }
    guard !broken.isEmpty else { return "" }
    return " ("
      + broken.map { "\($0.invariant.id) \(Figures.count($0.violations))×" }.joined(separator: ", ")
      + ")"
  }

  private var summary: String {
    let counts = Verdict.allCases.compactMap { verdict -> String? in
      let count = result.judgements.count { $0.verdict == verdict }
      return count == 0 ? nil : "\(count) \(verdict.rawValue)"
    }
    var text = counts.joined(separator: ", ")
    if let expected = result.options.expect {
      text +=
        Set(expected) == Set(result.violated)
        ? "; exactly as expected"
        : "; expected violations: \(expected.isEmpty ? "none" : expected.joined(separator: ","))"
    }
    return text
  }
}
