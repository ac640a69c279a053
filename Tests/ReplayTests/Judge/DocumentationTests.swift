import Foundation
import Testing
import TraceFormat

@testable import Replay

/// The documents say what the code says.
@Suite struct DocumentationTests {
  private func url(_ name: String) -> URL {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("docs/\(name)")
  }

  private func document(_ name: String) throws -> String {
    try String(contentsOf: url(name), encoding: .utf8)
  }

  /// docs/INVARIANTS.md is printed from the code; UPDATE_GOLDEN=1 (`make docs`) prints it anew.
  @Test func theListIsTheCodes() throws {
    if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
      try Data(InvariantCatalogue.markdown.utf8).write(to: url("INVARIANTS.md"))
    }
    let old = try document("INVARIANTS.md").split(separator: "\n", omittingEmptySubsequences: false)
    let new = InvariantCatalogue.markdown.split(separator: "\n", omittingEmptySubsequences: false)
    for (number, (old, new)) in zip(old, new).enumerated() where old != new {
      Issue.record(
        "docs/INVARIANTS.md:\(number + 1) is stale, run make docs\nwas \(old)\nis  \(new)")
      return
    }
    #expect(old.count == new.count, "docs/INVARIANTS.md is stale, run make docs")
  }

  @Test func everyFieldIsFilled() {
    let all = InvariantRegistry.all.map { $0.description }
    #expect(all.map(\.id) == all.map(\.id).sorted())
    #expect(Set(all.map(\.id)).count == all.count)
    for item in all {
      #expect(item.statement.hasSuffix("."), "\(item.id)")
      #expect(item.rationale.hasSuffix(".") && item.rationale != item.statement, "\(item.id)")
      #expect(!item.title.hasSuffix("."), "\(item.id)")
      #expect(item.observed.kinds.allSatisfy(item.requires.contains), "\(item.id)")
      #expect(!item.requires.isEmpty, "\(item.id)")
      // What no path but the table path owes, no stage without that path can hold or break.
      let pagePathStages = [0, 1, 3, 6]
      let asks = pagePathStages.contains { item.stages.outcomes[$0] != .notApplicable }
      if item.regime == .tablePath || item.regime == .callbacks { #expect(!asks, "\(item.id)") }
    }
  }

  @Test func everyVerdictIsExplained() throws {
    let text = try document("VERDICTS.md")
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
