import Foundation
import Replay

extension SelfTestResult {
  /// The report as lines.
  public var lines: [String] {
    var lines = ["self-test, seed \(seed)", "", "mutation operators: killed, survived"]
    for row in mutations {
      lines.append(
        "  " + Figures.left(row.name, 28) + Figures.left("\(row.passed)", 6)
          + Figures.left("\(row.failed)", 6)
          + "by " + row.catches.joined(separator: ","))
      lines += row.failures.map { "      SURVIVED  " + $0 }
    }
    lines += ["", "neutral transformations: silent, not silent"]
    for row in neutral {
      lines.append(
        "  " + Figures.left(row.name, 28) + Figures.left("\(row.passed)", 6)
          + Figures.left("\(row.failed)", 6) + row.summary)
      lines += row.failures.map { "      NOT SILENT  " + $0 }
    }
    lines += ["", "invariants: mutants killed, survived, reported without reason"]
    for row in invariants {
      lines.append(
        "  " + Figures.left(row.id, 6) + Figures.left("\(row.killed)", 6)
          + Figures.left("\(row.survived)", 6)
          + "\(row.unrelated)")
    }
    if !unused.isEmpty {
      lines += ["", "found no place in any trace: " + unused.joined(separator: ", ")]
    }
    let (killed, all) = kills
    let silent = neutral.reduce(0) { $0 + $1.passed }
    let changed = silent + neutral.reduce(0) { $0 + $1.failed }
    lines += [
      "",
      "\(killed) of \(all) mutants killed by \(mutations.count) operators; "
        + "\(silent) of \(changed) neutral changes silent",
    ]
    return lines
  }

  /// The report as one JSON object, keys sorted, with a line feed at the end.
  public func json() throws -> [UInt8] {
    struct Entry: Encodable {
      let name: String
      let summary: String
      let catches: [String]?
      let killed: Int?
      let survived: Int?
      let silent: Int?
      let notSilent: Int?
      let failures: [String]
    }
    struct InvariantEntry: Encodable {
      let id: String
      let killed: Int
      let survived: Int
      let unrelated: Int
    }
    struct Report: Encodable {
      let seed: UInt64
      let clean: Bool
      let mutations: [Entry]
      let neutral: [Entry]
      let invariants: [InvariantEntry]
      let unused: [String]
    }
    let report = Report(
      seed: seed, clean: isClean,
      mutations: mutations.map {
        Entry(
          name: $0.name, summary: $0.summary, catches: $0.catches, killed: $0.passed,
          survived: $0.failed, silent: nil, notSilent: nil, failures: $0.failures)
      },
      neutral: neutral.map {
        Entry(
          name: $0.name, summary: $0.summary, catches: nil, killed: nil, survived: nil,
          silent: $0.passed, notSilent: $0.failed, failures: $0.failures)
      },
      invariants: invariants.map {
        InvariantEntry(
          id: $0.id, killed: $0.killed, survived: $0.survived, unrelated: $0.unrelated)
      }, unused: unused)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return [UInt8](try encoder.encode(report)) + [UInt8(ascii: "\n")]
  }
}
