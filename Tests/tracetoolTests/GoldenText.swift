import Foundation
import Testing

/// Compares a text with the one that was approved, in `Golden/`.
///
/// `make golden` (UPDATE_GOLDEN=1) rewrites the approved texts. A missing one is a failure, so
/// that a new test cannot pass before a person has looked at its text.
func expectGolden(
  _ text: String, _ name: String, sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Golden/\(name)")
  if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
    try Data(text.utf8).write(to: file)
    return
  }
  guard let approved = try? String(contentsOf: file, encoding: .utf8) else {
    Issue.record("Golden/\(name) is missing; make golden writes it", sourceLocation: sourceLocation)
    return
  }
  let old = approved.split(separator: "\n", omittingEmptySubsequences: false)
  let new = text.split(separator: "\n", omittingEmptySubsequences: false)
  for (number, (old, new)) in zip(old, new).enumerated() where old != new {
    Issue.record(
      "Golden/\(name):\(number + 1)\nwas \(old)\nis  \(new)", sourceLocation: sourceLocation)
    return
  }
  #expect(old.count == new.count, "Golden/\(name)", sourceLocation: sourceLocation)
}
