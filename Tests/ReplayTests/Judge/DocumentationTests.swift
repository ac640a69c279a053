import Foundation
import Testing
import TraceFormat

@testable import Replay

/// docs/INVARIANTS.md says of every invariant what the code says.
@Suite struct DocumentationTests {
  private func document(_ name: String) throws -> String {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    return try String(contentsOf: root.appendingPathComponent("docs/\(name)"), encoding: .utf8)
  }

  @Test func everyInvariantHasItsRow() throws {
    let rows = try document("INVARIANTS.md").split(separator: "\n").filter { $0.hasPrefix("| I") }
    #expect(rows.count == InvariantRegistry.all.count)
    for (row, type) in zip(rows, InvariantRegistry.all) {
      let description = type.description
      let cells = row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      try #require(cells.count == 7, "\(row)")
      #expect(cells[0] == description.id)
      #expect(cells[1] == description.statement)
      let kinds = cells[3].split(separator: " ").map { $0.filter { $0 != "`" } }
      #expect(Set(kinds) == Set(description.requires.kinds.map(\.name)), "\(description.id)")
      let regime =
        switch description.regime {
        case .any: "any"
        case .tablePath: "table"
        case .callbacks: "callbacks"
        }
      #expect(cells[4] == regime, "\(description.id)")
      #expect(cells[6] == description.severity.rawValue.prefix(1).uppercased())
    }
  }

  @Test func everyVerdictIsExplained() throws {
    let text = try document("INVARIANTS.md")
    for verdict in Verdict.allCases { #expect(text.contains("| `\(verdict.rawValue)` |")) }
    let json = try document("CHECK-JSON.md")
    for verdict in Verdict.allCases { #expect(json.contains("`\(verdict.rawValue)`")) }
  }

  @Test func everyKeyIsExplained() throws {
    let text = try document("CHECK-JSON.md")
    let trace = Trace {
      $0.born(1)
      $0.s1([1])
    }
    let result = trace.check()
    let evidence = try Evidence(for: result, from: trace.source())
    let bytes = try CheckJSON(result, evidence: evidence, file: "f").bytes()
    var unexplained: Set<String> = []
    func visit(_ value: Any, in parent: String) {
      if let object = value as? [String: Any] {
        for (key, value) in object {
          if parent != "exempt", !text.contains("`\(key)`"), !text.contains("{\(key),"),
            !text.contains(" \(key)}")
          {
            unexplained.insert(key)
          }
          visit(value, in: key)
        }
      } else if let array = value as? [Any] {
        for value in array { visit(value, in: parent) }
      }
    }
    visit(try JSONSerialization.jsonObject(with: Data(bytes)), in: "")
    #expect(unexplained == [])
  }
}
