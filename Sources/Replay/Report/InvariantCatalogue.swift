import Foundation
import TraceFormat

/// What is checked, from the invariants' own descriptions: `check --list`, docs/INVARIANTS.md.
public enum InvariantCatalogue {
  private static var all: [InvariantDescription] { InvariantRegistry.all.map { $0.description } }

  /// One line per invariant: id, severity, path, the outcome by stage, title.
  public static var lines: [String] {
    var lines = [
      "id   severity  path        " + StageRow.stages.map { Figures.left($0, 7) }.joined()
        + "title"
    ]
    for item in all {
      let outcomes = item.stages.outcomes.map { Figures.left(String($0.rawValue), 7) }.joined()
      lines.append(
        Figures.left(item.id, 5) + Figures.left(item.severity.rawValue, 10)
          + Figures.left(item.regime.rawValue, 12) + outcomes + item.title)
    }
    lines.append("")
    lines += legend.map { "\($0.sign)  \($0.text)" }
    return lines
  }

  /// An array of objects, one per invariant, as UTF-8.
  public static func json() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return [UInt8](try encoder.encode(all.map(Item.init))) + [UInt8(ascii: "\n")]
  }

  /// docs/INVARIANTS.md.
  public static var markdown: String {
    var lines = [
      "# What is checked", "",
      "<!-- Printed by `tracetool check --list --format markdown` from the descriptions in",
      "     Sources/Replay/Invariants. Change those, then run `make docs`. -->", "",
      "One section per invariant that `tracetool check` judges, \(all.count) in all. Ids are those",
      "of the project's catalogue of forty; numbers that are missing are not judged yet. How a",
      "verdict comes about is in [VERDICTS.md](VERDICTS.md); event names are those of",
      "[EVENTS.md](EVENTS.md). One invariant is one file, `Sources/Replay/Invariants/<id>….swift`,",
      "and one suite, `Tests/ReplayTests/Invariants/<id>Tests.swift`.", "",
      "## By stage", "",
      "What each stage of the patch makes of an invariant by design. The simulator produces this",
      "table, stage by stage and workload by workload (`StageVerdictTests`).", "",
      "| sign | meaning |", "|---|---|",
    ]
    lines += legend.map { "| \($0.sign) | \($0.text) |" }
    lines += ["", "| id | title | severity | " + StageRow.stages.joined(separator: " | ") + " |"]
    lines.append("|---|---|---" + String(repeating: "|:-:", count: StageRow.stages.count) + "|")
    for item in all {
      let outcomes = item.stages.outcomes.map { String($0.rawValue) }.joined(separator: " | ")
      lines.append(
        "| [\(item.id)](#\(anchor(item))) | \(item.title) | "
          + "\(item.severity.rawValue) | \(outcomes) |")
    }
    lines += ["", "## Exempt", "", "Instances that owe nothing are counted by reason.", ""]
    lines += ["| key | what | where |", "|---|---|---|"]
    for exemption in Exemption.allCases {
      let users = all.filter { $0.exemptions.contains(exemption) }.map(\.id)
      guard !users.isEmpty else { continue }
      lines.append(
        "| \(exemption.rawValue) | \(exemption.summary) | \(users.joined(separator: ", ")) |")
    }
    lines += ["", "## The invariants"]
    for item in all { lines += section(item) }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func section(_ item: InvariantDescription) -> [String] {
    var lines = ["", "### \(item.id): \(item.title)", "", "> \(item.statement)", ""]
    lines += ["\(item.rationale)", ""]
    let path = item.regime == .any ? "any path" : item.regime.rawValue
    lines.append("- Severity: \(item.severity.rawValue). Owed by: \(path).")
    let kinds = item.requires.kinds.map { kind in
      "`\(kind.name)`" + (item.observed.contains(kind) ? " (observed, not inferred)" : "")
    }
    lines.append("- Needs: \(kinds.joined(separator: ", ")).")
    let stages = zip(StageRow.stages, item.stages.outcomes).map { "\($0) \($1.rawValue)" }
    lines.append("- Stages: \(stages.joined(separator: ", ")).")
    let exempt = item.exemptions.map(\.rawValue).joined(separator: ", ")
    lines.append("- Exempt: \(exempt.isEmpty ? "none" : exempt).")
    lines.append("- A finding: \"\(item.example)\".")
    return lines
  }

  /// What a page makes of a heading: lower case, hyphens, no other signs.
  private static func anchor(_ item: InvariantDescription) -> String {
    let heading = "\(item.id): \(item.title)".lowercased()
    return String(
      heading.compactMap { sign -> Character? in
        if sign == " " { return "-" }
        return sign.isLetter || sign.isNumber || sign == "-" || sign == "_" ? sign : nil
      })
  }

  private static let legend: [(sign: Character, text: String)] = StageRow.Outcome.allCases.map {
    switch $0 {
    case .holds: ($0.rawValue, "holds")
    case .violated: ($0.rawValue, "violated by design of the stage")
    case .unlessReclaimed:
      ($0.rawValue, "violated once tables are reclaimed while readers may be inside")
    case .unlessFallback:
      (
        $0.rawValue,
        "violated on the no-memory fallback (accesses: only if readers may be inside)"
      )
    case .notApplicable: ($0.rawValue, "nothing to hold: not applicable")
    }
  }

  /// One invariant as JSON.
  private struct Item: Encodable {
    let id: String
    let title: String
    let severity: String
    let path: String
    let statement: String
    let rationale: String
    let requires: [String]
    let observed: [String]
    let stages: [String: String]
    let exempt: [String]
    let example: String

    init(_ item: InvariantDescription) {
      id = item.id
      title = item.title
      severity = item.severity.rawValue
      path = item.regime.rawValue
      statement = item.statement
      rationale = item.rationale
      requires = item.requires.kinds.map(\.name)
      observed = item.observed.kinds.map(\.name)
      stages = Dictionary(
        uniqueKeysWithValues: zip(
          StageRow.stages, item.stages.outcomes.map { String($0.rawValue) }))
      exempt = item.exemptions.map(\.rawValue)
      example = item.example
    }
  }
}
