import TraceFormat

/// `check --format junit`: the XML that continuous integration servers read. A trace is a
/// `testsuite`, an invariant a `testcase`; a violation is a `failure`, an unreadable trace an
/// `error`, and what cannot be said is `skipped`.
public struct CheckJUnit: CheckFormat {
  private var suites: [String] = []
  private var counts = Counts()
  private let toolVersion: String

  private struct Counts {
    var tests = 0
    var failures = 0
    var errors = 0
    var skipped = 0

    mutating func add(_ other: Counts) {
      tests += other.tests
      failures += other.failures
      errors += other.errors
      skipped += other.skipped
    }

    var attributes: String {
      #"tests="\#(tests)" failures="\#(failures)" errors="\#(errors)" skipped="\#(skipped)""#
    }
  }

  public init(traces: Int, toolVersion: String) { self.toolVersion = toolVersion }

  public mutating func add(_ trace: CheckedTrace) -> String {
    let file = Self.escaped(trace.file)
    var counts = Counts()
    var lines: [String] = []
    if let report = trace.report {
      lines += properties(report.result)
      for judgement in report.result.judgements {
        lines += testCase(judgement, report, file: trace.file, &counts)
      }
    } else {
      counts.tests += 1
      counts.errors += 1
      lines += [
        #"    <testcase classname="\#(file)" name="trace is readable" time="0">"#,
        #"      <error message="\#(Self.escaped(trace.error ?? ""))" type="unreadable"/>"#,
        "    </testcase>",
      ]
    }
    suites += [#"  <testsuite name="\#(file)" \#(counts.attributes) time="0">"#]
    suites += lines + ["  </testsuite>"]
    self.counts.add(counts)
    return ""
  }

  public mutating func finish() -> String {
    ([
      #"<?xml version="1.0" encoding="UTF-8"?>"#,
      #"<testsuites name="tracetool check \#(Self.escaped(toolVersion))" "#
        + #"\#(counts.attributes) time="0">"#,
    ] + suites + ["</testsuites>"]).map { $0 + "\n" }.joined()
  }

  private func properties(_ result: CheckResult) -> [String] {
    var values = [("events", String(result.events)), ("source", result.header.source)]
    if let stage = result.header.stage { values.append(("stage", stage)) }
    if let kernel = result.header.kernel { values.append(("kernel", kernel)) }
    values.append(("exit", String(result.exitCode)))
    return ["    <properties>"]
      + values.map {
        #"      <property name="\#($0.0)" value="\#(Self.escaped($0.1))"/>"#
      } + ["    </properties>"]
  }

  private func testCase(
    _ judgement: Judgement, _ report: CheckedTrace.Report, file: String, _ counts: inout Counts
  ) -> [String] {
    counts.tests += 1
    let open =
      #"    <testcase classname="\#(Self.escaped(file))" "#
      + #"name="\#(Self.escaped(judgement.name))" time="0""#
    switch Outcome(judgement, report.result.options) {
    case .passed: return [open + "/>"]
    case .expectedFailure:
      let text = Self.escaped("violated, as expected: " + judgement.failure)
      return [open + ">", "      <system-out>\(text)</system-out>", "    </testcase>"]
    case .skipped(let reason):
      counts.skipped += 1
      return [
        open + ">", #"      <skipped message="\#(Self.escaped(reason))"/>"#, "    </testcase>",
      ]
    case .failed:
      counts.failures += 1
      let text = judgement.explanation(report, file: file).joined(separator: "\n")
      return [
        open + ">",
        #"      <failure message="\#(Self.escaped(judgement.failure))" "#
          + #"type="\#(judgement.invariant.severity.rawValue)">\#(Self.escaped(text))</failure>"#,
        "    </testcase>",
      ]
    }
  }

  /// Text for an attribute or an element; what XML 1.0 cannot hold becomes U+FFFD.
  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "\n": result += "&#10;"
      case "\t", "\r": result += "&#\(scalar.value);"
      case "\u{0}"..."\u{1F}", "\u{FFFE}", "\u{FFFF}": result += "\u{FFFD}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
