/// One trace of a check: judged, or unreadable.
public struct CheckedTrace: Sendable {
  /// The trace, as it was named.
  public let file: String
  /// What was found, with its evidence; nil if the trace could not be read.
  public let report: Report?
  /// Why it could not be read, in one line; nil if it could.
  public let error: String?

  /// Verdicts with the events they rest on.
  public struct Report: Sendable {
    /// The verdicts.
    public let result: CheckResult
    /// The events.
    public let evidence: Evidence
  }

  /// A trace that was judged.
  public init(_ file: String, _ result: CheckResult, _ evidence: Evidence) {
    self.file = file
    report = Report(result: result, evidence: evidence)
    error = nil
  }

  /// A trace that could not be read.
  public init(_ file: String, error: String) {
    self.file = file
    report = nil
    self.error = error
  }
}

/// A form in which the verdicts on one or more traces are printed. One form is one file.
///
/// The text is complete once every trace was added and ``finish()`` was called; same traces and
/// options, same text.
public protocol CheckFormat {
  /// A report on `traces` traces by the tool of this version.
  init(traces: Int, toolVersion: String)
  /// Takes the next trace, and returns what can be printed so far.
  mutating func add(_ trace: CheckedTrace) throws -> String
  /// The rest of the text.
  mutating func finish() throws -> String
}

/// What a report makes of one verdict.
enum Outcome {
  /// As it should be.
  case passed
  /// Violated, as was expected.
  case expectedFailure
  /// Violated, or not violated although it should be.
  case failed
  /// Nothing can be said; why.
  case skipped(String)

  init(_ judgement: Judgement, _ options: CheckOptions) {
    let isExpected = options.expect?.contains(judgement.invariant.id) ?? false
    switch judgement.verdict {
    case .violated: self = isExpected ? .expectedFailure : .failed
    case .holds: self = isExpected ? .failed : .passed
    case .inconclusive, .vacuous, .notApplicable:
      self = .skipped(
        judgement.verdict.rawValue + (judgement.reason.map { ": \($0)" } ?? ""))
    }
  }
}

extension Judgement {
  /// `I13 no destructor before the grace period`.
  var name: String { "\(invariant.id) \(invariant.title)" }

  /// What a failed test says about itself in one line.
  var failure: String {
    findings.isEmpty
      ? "expected to be violated, and is not"
      : findings.map { "\($0.cause), \(Figures.count($0.count))×" }.joined(separator: "; ")
  }

  /// The findings as the text report has them.
  func explanation(_ trace: CheckedTrace.Report, file: String) -> [String] {
    findings.flatMap {
      FindingText(self, $0, trace.result, trace.evidence, file: file).lines
    }
  }
}
