import ArgumentParser
import Replay

/// `--format` of `check`.
enum CheckFormatName: String, ExpressibleByArgument, CaseIterable {
  case text
  case json
  case ktap
  case junit
  case sarif
  case markdown

  /// Whether a trace that cannot be read has its place in this form.
  var reportsErrors: Bool { self != .text && self != .json }

  /// An empty report.
  func form(traces: Int, detail: CheckText.Detail) -> any CheckFormat {
    switch self {
    case .text: CheckTextFormat(detail: detail)
    case .json: CheckJSONFormat(traces: traces, toolVersion: toolVersion)
    case .ktap: CheckKTAP(traces: traces, toolVersion: toolVersion)
    case .junit: CheckJUnit(traces: traces, toolVersion: toolVersion)
    case .sarif: CheckSARIF(traces: traces, toolVersion: toolVersion)
    case .markdown: CheckMarkdown(traces: traces, toolVersion: toolVersion)
    }
  }
}
