import Foundation
import TraceFormat

/// `check --format sarif`: SARIF 2.1.0 (OASIS), one run for all traces, one result per exemplar.
///
/// Only violations are results. What is inconclusive, and a trace that cannot be read, are
/// notifications of the invocation. `partialFingerprints` are the stable names of ``FindingID``;
/// the place in a trace is a logical location and a property, since a trace has no lines.
public struct CheckSARIF: CheckFormat {
  private var log: Log
  private var known: [String: Int] = [:]

  public init(traces: Int, toolVersion: String) {
    let driver = Driver(name: "tracetool", rules: [], semanticVersion: toolVersion)
    log = Log(
      schema: "https://json.schemastore.org/sarif-2.1.0.json",
      runs: [
        Run(
          tool: Tool(driver: driver),
          invocations: [
            Invocation(
              executionSuccessful: true, exitCode: 0, toolExecutionNotifications: [])
          ],
          artifacts: [], results: [], columnKind: "unicodeCodePoints")
      ])
  }

  public mutating func add(_ trace: CheckedTrace) -> String {
    let artifact = log.runs[0].artifacts.count
    log.runs[0].artifacts.append(
      Artifact(location: ArtifactLocation(uri: Self.uri(trace.file), index: nil)))
    guard let report = trace.report else {
      log.runs[0].invocations[0].executionSuccessful = false
      note(2, trace.error ?? "unreadable", "error", artifact, trace.file)
      return ""
    }
    for judgement in report.result.judgements {
      let rule = rule(judgement.invariant)
      if judgement.verdict == .inconclusive {
        let reason = judgement.reason.map { ": \($0)" } ?? ""
        note(
          3, "\(judgement.invariant.id) is inconclusive\(reason)", "warning", artifact, trace.file)
      }
      for group in judgement.findings {
        for (name, candidate) in group.named(judgement, limit: report.result.options.maxFindings) {
          log.runs[0].results.append(
            Self.result(
              judgement, group, name, candidate, rule,
              ArtifactLocation(uri: Self.uri(trace.file), index: artifact), trace.file, report))
        }
      }
    }
    exit(report.result.exitCode)
    return ""
  }

  public mutating func finish() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(log), as: UTF8.self) + "\n"
  }

  /// The exit code so far: the first of 2, 1, 3, 0.
  private mutating func exit(_ code: Int32) {
    let order: [Int32] = [2, 1, 3, 0]
    let before = log.runs[0].invocations[0].exitCode
    log.runs[0].invocations[0].exitCode = order.first { $0 == before || $0 == code } ?? code
  }

  private mutating func note(
    _ code: Int32, _ text: String, _ level: String, _ artifact: Int, _ file: String
  ) {
    exit(code)
    let location = ArtifactLocation(uri: Self.uri(file), index: artifact)
    log.runs[0].invocations[0].toolExecutionNotifications.append(
      Notification(
        level: level, message: Message(text: text),
        locations: [
          Location(
            physicalLocation: PhysicalLocation(artifactLocation: location), logicalLocations: nil)
        ]))
  }

  /// The place of an invariant in the list of rules.
  private mutating func rule(_ invariant: InvariantDescription) -> Int {
    if let index = known[invariant.id] { return index }
    let index = log.runs[0].tool.driver.rules.count
    known[invariant.id] = index
    log.runs[0].tool.driver.rules.append(
      Rule(
        id: invariant.id, shortDescription: Message(text: invariant.title),
        fullDescription: Message(text: invariant.statement),
        defaultConfiguration: .init(level: Self.level(invariant.severity)),
        properties: ["security-severity": Self.score(invariant.severity)]))
    return index
  }

  private static func result(
    _ judgement: Judgement, _ group: CandidateGroup, _ name: String, _ candidate: Candidate,
    _ rule: Int, _ artifact: ArtifactLocation, _ file: String, _ report: CheckedTrace.Report
  ) -> Result {
    let place = PhysicalLocation(artifactLocation: artifact)
    let subject = Subject(of: candidate)
    let steps = History(of: candidate).steps.map { step in
      let isHere = step.ordinal == candidate.ordinal
      let event = isHere ? candidate.event : report.evidence[step.ordinal]
      let what = event.map { "\($0.kind.name), CPU \($0.cpu), task \($0.task)" } ?? ""
      return ThreadFlowLocation(
        location: Location(
          physicalLocation: place,
          logicalLocations: [LogicalLocation(fullyQualifiedName: "event #\(step.ordinal)")],
          message: Message(
            text: "#\(step.ordinal) \(step.role)" + (what.isEmpty ? "" : ": \(what)"))))
    }
    return Result(
      ruleId: judgement.invariant.id, ruleIndex: rule, kind: "fail",
      level: level(judgement.invariant.severity),
      message: Message(
        text: "\(FindingText.object(of: candidate)): \(group.cause)"
          + (group.missing.isEmpty ? "" : "; not seen in between: \(group.missing)")
          + ". Look: \(Locator(file).replay(at: candidate.ordinal))"),
      locations: [
        Location(
          physicalLocation: place,
          logicalLocations: [LogicalLocation(fullyQualifiedName: subject.phrase)])
      ],
      codeFlows: [CodeFlow(threadFlows: [ThreadFlow(locations: steps)])],
      partialFingerprints: [
        "cause/v1": FindingID.cause(judgement.invariant.id, group.cause), "finding/v1": name,
      ],
      occurrenceCount: group.count, properties: ["ordinal": candidate.ordinal])
  }

  private static func level(_ severity: InvariantDescription.Severity) -> String {
    switch severity {
    case .critical, .high: "error"
    case .medium: "warning"
    case .low: "note"
    }
  }

  /// What code-scanning services sort by, 0 to 10.
  private static func score(_ severity: InvariantDescription.Severity) -> String {
    switch severity {
    case .critical: "9.5"
    case .high: "8.0"
    case .medium: "5.0"
    case .low: "2.0"
    }
  }

  /// A path as a URI reference: everything that is not unreserved is percent-encoded.
  static func uri(_ path: String) -> String {
    var result = ""
    for byte in path.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
        UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "/"):
        result.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        let digits = String(byte, radix: 16, uppercase: true)
        result += "%" + (digits.count < 2 ? "0" : "") + digits
      }
    }
    return result.hasPrefix("/") ? "file://" + result : result
  }
}

// MARK: - The parts of SARIF that are used, by their own names

extension CheckSARIF {
  struct Log: Encodable {
    let schema: String
    let version = "2.1.0"
    var runs: [Run]

    enum CodingKeys: String, CodingKey {
      case schema = "$schema"
      case version, runs
    }
  }

  struct Run: Encodable {
    var tool: Tool
    var invocations: [Invocation]
    var artifacts: [Artifact]
    var results: [Result]
    let columnKind: String
  }

  struct Tool: Encodable { var driver: Driver }

  struct Driver: Encodable {
    let name: String
    var rules: [Rule]
    let semanticVersion: String
  }

  struct Rule: Encodable {
    let id: String
    let shortDescription: Message
    let fullDescription: Message
    let defaultConfiguration: Configuration
    let properties: [String: String]

    struct Configuration: Encodable { let level: String }
  }

  struct Invocation: Encodable {
    var executionSuccessful: Bool
    var exitCode: Int32
    var toolExecutionNotifications: [Notification]
  }

  struct Notification: Encodable {
    let level: String
    let message: Message
    let locations: [Location]
  }

  struct Artifact: Encodable { let location: ArtifactLocation }

  struct ArtifactLocation: Encodable {
    let uri: String
    let index: Int?
  }

  struct PhysicalLocation: Encodable { let artifactLocation: ArtifactLocation }

  struct LogicalLocation: Encodable { let fullyQualifiedName: String }

  struct Location: Encodable {
    let physicalLocation: PhysicalLocation
    let logicalLocations: [LogicalLocation]?
    var message: Message?
  }

  struct Message: Encodable { let text: String }

  struct CodeFlow: Encodable { let threadFlows: [ThreadFlow] }
  struct ThreadFlow: Encodable { let locations: [ThreadFlowLocation] }
  struct ThreadFlowLocation: Encodable { let location: Location }

  struct Result: Encodable {
    let ruleId: String
    let ruleIndex: Int
    let kind: String
    let level: String
    let message: Message
    let locations: [Location]
    let codeFlows: [CodeFlow]
    let partialFingerprints: [String: String]
    let occurrenceCount: Int
    let properties: [String: Int64]
  }
}
