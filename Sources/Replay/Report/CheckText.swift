import TraceFormat

/// `check --format text`: verdicts first, then what was found, with its evidence.
public struct CheckText {
  private let result: CheckResult
  private let evidence: Evidence
  private let file: String

  /// A report on `file`.
  public init(_ result: CheckResult, evidence: Evidence, file: String) {
    self.result = result
    self.evidence = evidence
    self.file = file
  }

  /// The lines of the report.
  public var lines: [String] {
    var lines = head
    lines.append("")
    lines += result.judgements.map(line)
    lines.append("")
    lines.append(summary)
    for judgement in result.judgements {
      for group in judgement.findings { lines += explain(judgement, group) }
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
    return lines
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
    return "  " + Figures.left(judgement.invariant.id, 5) + Figures.left(verdict, 15)
      + Figures.right(figures, 18) + "  " + judgement.invariant.title
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

  private func explain(_ judgement: Judgement, _ group: CandidateGroup) -> [String] {
    var lines = [
      "",
      "\(judgement.invariant.id) \(judgement.invariant.severity.rawValue): "
        + "\(group.cause), \(Figures.count(group.count))×",
      "  \(judgement.invariant.statement)",
    ]
    if !group.missing.isEmpty { lines.append("  not seen in between: \(group.missing)") }
    let shown = max(0, result.options.maxFindings)
    if let note = Harm.note(judgement, result) { lines.append("  \(note)") }
    for candidate in group.exemplars.prefix(shown) {
      lines += FindingText(candidate, evidence, result.header).lines(file: file)
    }
    let left = group.count - min(group.exemplars.count, shown)
    if left > 0 { lines.append("  … and \(Figures.count(left)) more of the same cause") }
    return lines
  }
}
