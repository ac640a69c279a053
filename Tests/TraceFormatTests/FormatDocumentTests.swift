import Foundation
import Testing

@testable import TraceFormat

/// docs/FORMAT.md says what the code does.
@Suite struct FormatDocumentTests {
  private static func text() throws -> String {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    return try String(
      contentsOf: root.appendingPathComponent("docs/FORMAT.md"), encoding: .utf8)
  }

  @Test func everyKindIsInTheTable() throws {
    let rows = try #require(Self.text().components(separatedBy: "## Event kinds").last)
      .split(separator: "\n").map { $0.components(separatedBy: "|") }
      .filter { $0.count == 8 && Int($0[1].trimmingCharacters(in: .whitespaces)) != nil }
      .map { $0[1...6].map { $0.trimmingCharacters(in: .whitespaces) } }
    #expect(rows.count == EventKind.allCases.count)
    for (row, kind) in zip(rows, EventKind.allCases.sorted { $0.rawValue < $1.rawValue }) {
      let fields = kind.fields
      let space = fields.space == .gracePeriod ? "grace period" : "\(fields.space)"
      let told =
        (fields.space == .none ? "" : space) + (fields.startsGeneration ? " +" : "")
      let expected = [
        "\(kind.rawValue)", fields.name, told, fields.objectName, Self.text(fields.arg0),
        Self.text(fields.arg1),
      ]
      #expect(row == expected)
    }
  }

  private static func text(_ argument: EventArgument) -> String {
    switch argument.type {
    case .none: ""
    case .freeFunction: "\(argument.name): free function"
    case .callbackFunction: "\(argument.name): callback function"
    case .readerClass: "\(argument.name): reader class"
    case .flushRoute: "\(argument.name): flush route"
    case .count, .signed, .time, .address, .pfn: "\(argument.name): \(argument.type)"
    }
  }

  @Test func theVersionIsTheOneWritten() throws {
    let version = "**Version \(FormatConstants.major).\(FormatConstants.minor), "
    #expect(try Self.text().contains(version))
  }
}
