import TraceFormat

/// `check --format markdown`: for a patch mail, a merge request or the summary of a CI job.
///
/// One table of verdicts for all traces, with only what is not simply good in detail, then the
/// findings as the text report has them.
public struct CheckMarkdown: CheckFormat {
  private var traces: [CheckedTrace] = []

  public init(traces: Int, toolVersion: String) {}

  public mutating func add(_ trace: CheckedTrace) -> String {
    traces.append(trace)
    return ""
  }

  public mutating func finish() -> String {
    var lines = ["## Page-table lifetime check", ""]
    lines += ["| trace | stage | events | result | violated |", "|---|---|---:|---|---|"]
    lines += traces.map(row)
    for trace in traces {
      guard let report = trace.report else { continue }
      lines += details(report, trace.file)
    }
    return lines.map { $0 + "\n" }.joined()
  }

  private func row(_ trace: CheckedTrace) -> String {
    let name = Self.code(trace.file)
    guard let result = trace.report?.result else {
      return "| \(name) | | | unreadable: \(Self.plain(trace.error ?? "")) | |"
    }
    let violated = result.judgements.filter { $0.verdict == .violated }.map {
      "\($0.invariant.id) (\(Figures.count($0.violations)))"
    }
    let verdict =
      switch result.exitCode {
      case 0: violated.isEmpty ? "holds" : "exactly as expected"
      case 1: violated.isEmpty ? "not as expected" : "**violated**"
      default: "inconclusive"
      }
    let stage = Self.plain(result.header.stage ?? "–")
    return "| \(name) | \(stage) | \(Figures.count(result.events)) | \(verdict) "
      + "| \(violated.isEmpty ? "–" : violated.joined(separator: ", ")) |"
  }

  private func details(_ report: CheckedTrace.Report, _ file: String) -> [String] {
    var lines = ["", "### \(Self.code(file))", ""]
    lines += ["| | verdict | exercised | what it demands |", "|---|---|---:|---|"]
    for judgement in report.result.judgements {
      let verdict =
        judgement.verdict == .violated
        ? "**violated** \(Figures.count(judgement.violations))×" : judgement.verdict.rawValue
      lines.append(
        "| \(judgement.invariant.id) | \(verdict) | \(Figures.count(judgement.exercised)) "
          + "| \(Self.plain(judgement.invariant.title)) |")
    }
    for judgement in report.result.judgements where judgement.verdict == .inconclusive {
      lines += [
        "", "\(judgement.invariant.id) is inconclusive: \(Self.plain(judgement.reason ?? ""))",
      ]
    }
    for judgement in report.result.judgements where judgement.verdict == .violated {
      lines += ["", "```text"]
      lines += judgement.explanation(report, file: file).map(Self.unfenced)
      lines += ["```"]
    }
    return lines
  }

  /// Text in a cell or a paragraph, with what Markdown would take for its own made harmless.
  static func plain(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "|", "*", "_", "`", "<", ">", "[", "]", "\\", "#":
        result += "\\"
        result.unicodeScalars.append(scalar)
      case _ where scalar.properties.generalCategory == .control: result += " "
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// A name as code; a back quote or a bar in it would end it.
  static func code(_ text: String) -> String {
    text.unicodeScalars.contains {
      "`|".unicodeScalars.contains($0) || $0.properties.generalCategory == .control
    } ? plain(text) : "`\(text)`"
  }

  private static func unfenced(_ line: String) -> String {
    line.hasPrefix("```") ? " " + line : line
  }
}
