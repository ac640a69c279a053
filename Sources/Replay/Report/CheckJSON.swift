import Foundation
import TraceFormat

/// `check --format json`: one object, described in docs/CHECK-JSON.md.
public struct CheckJSON: Encodable {
  let file: String
  let source: String
  let stage: String?
  let kernel: String?
  let scope: String?
  let events: UInt64
  let lost: UInt64
  let losses: Int
  let exit: Int32
  let regime: RegimeJSON
  let verdicts: [VerdictJSON]
  let findings: [FindingJSON]

  struct RegimeJSON: Encodable {
    let queuedTablePath: Int
    let queuedPagePath: Int
    let fallbacks: Int
    let deferred: Int
    let freedInCallback: Int
    let freedOutsideCallback: Int
    let destructorsBeforeQueue: Int
    let destructorsInCallback: Int
    let locksFreedBeforeGracePeriod: Int
    let locksFreedAfterGracePeriod: Int
    let locksFreedBeforeGracePeriodOnFallback: Int
    let locksReusedWhilePending: Int
    let ptlock: String
  }

  struct VerdictJSON: Encodable {
    let id: String
    let title: String
    let severity: String
    let verdict: String
    let exercised: Int
    let violations: Int
    let undecided: Int
    let pending: Int
    let exempt: [String: Int]
    let reason: String?
  }

  struct FindingJSON: Encodable {
    let id: String
    let severity: String
    let cause: String
    let missing: String
    let note: String?
    let count: Int
    let object: String
    let pfn: UInt64?
    let generation: UInt32?
    let first: EventJSON?
    let second: EventJSON
    let history: [StepJSON]
    let locator: String
  }

  struct StepJSON: Encodable {
    let role: String
    let event: EventJSON?
    let ordinal: Int64
  }

  struct EventJSON: Encodable {
    let ordinal: Int64
    let event: String
    let time: UInt64
    let cpu: UInt16
    let task: UInt32
    let comm: String?
    let context: String
    let inferred: Bool
  }

  /// The report on `file`.
  public init(_ result: CheckResult, evidence: Evidence, file: String) {
    self.file = file
    source = result.header.source
    stage = result.header.stage
    kernel = result.header.kernel
    scope = result.options.scope
    events = result.events
    lost = result.lost
    losses = result.losses.count
    exit = result.exitCode
    regime = RegimeJSON(result.header, result.facts)
    verdicts = result.judgements.map(VerdictJSON.init)
    findings = result.judgements.flatMap { judgement in
      judgement.findings.flatMap { group in
        group.exemplars.prefix(max(0, result.options.maxFindings)).map {
          FindingJSON(judgement, group, $0, result, evidence, file)
        }
      }
    }
  }

  private enum CodingKeys: String, CodingKey {
    case file, source, stage, kernel, scope, events, lost, losses, exit, regime, verdicts
    case findings
  }

  /// Encodes every key; what is not known is null.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(file, forKey: .file)
    try container.encode(source, forKey: .source)
    try container.encode(stage, forKey: .stage)
    try container.encode(kernel, forKey: .kernel)
    try container.encode(scope, forKey: .scope)
    try container.encode(events, forKey: .events)
    try container.encode(lost, forKey: .lost)
    try container.encode(losses, forKey: .losses)
    try container.encode(exit, forKey: .exit)
    try container.encode(regime, forKey: .regime)
    try container.encode(verdicts, forKey: .verdicts)
    try container.encode(findings, forKey: .findings)
  }

  /// The object as UTF-8, keys sorted, with a line feed at the end.
  public func bytes() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return [UInt8](try encoder.encode(self)) + [UInt8(ascii: "\n")]
  }
}

extension CheckJSON.RegimeJSON {
  init(_ header: TraceHeader, _ facts: TraceFacts) {
    ptlock = Harm.ptlock(header, facts).rawValue
    queuedTablePath = facts.queuedForBatch
    queuedPagePath = facts.queuedForPage
    fallbacks = facts.fallbacks
    deferred = facts.deferred
    freedInCallback = facts.freedInCallback
    freedOutsideCallback = facts.freedOutside
    destructorsBeforeQueue = facts.destructors(at: .beforeQueue)
    destructorsInCallback = facts.destructors(at: .inCallback)
    locksFreedBeforeGracePeriod = facts.locksFreedEarly
    locksFreedAfterGracePeriod = facts.locksFreedInTime
    locksFreedBeforeGracePeriodOnFallback = facts.locksFreedEarlyInFallback
    locksReusedWhilePending = facts.locksReusedWhilePending
  }
}

extension CheckJSON.VerdictJSON {
  init(_ judgement: Judgement) {
    id = judgement.invariant.id
    title = judgement.invariant.title
    severity = judgement.invariant.severity.rawValue
    verdict = judgement.verdict.rawValue
    exercised = judgement.exercised
    violations = judgement.violations
    undecided = judgement.undecided
    pending = judgement.pending
    exempt = Dictionary(
      uniqueKeysWithValues: judgement.exempt.map { ($0.exemption.rawValue, $0.count) })
    reason = judgement.reason
  }
}

extension CheckJSON.FindingJSON {
  init(
    _ judgement: Judgement, _ group: CandidateGroup, _ candidate: Candidate,
    _ result: CheckResult, _ evidence: Evidence, _ file: String
  ) {
    func event(_ ordinal: Ordinal) -> CheckJSON.EventJSON? {
      let event = ordinal == candidate.ordinal ? candidate.event : evidence[ordinal]
      return event.map { CheckJSON.EventJSON($0, ordinal, evidence.taskName($0.task)) }
    }
    id = judgement.invariant.id
    severity = judgement.invariant.severity.rawValue
    cause = group.cause
    missing = group.missing
    note = Harm.note(judgement, result)
    count = group.count
    object = FindingText.object(of: candidate)
    pfn = candidate.table?.pfn
    generation = candidate.table?.generation
    first = candidate.since == .none ? nil : event(candidate.since)
    second = CheckJSON.EventJSON(
      candidate.event, candidate.ordinal, evidence.taskName(candidate.event.task))
    history = History(of: candidate).steps.map {
      .init(role: $0.role, event: event($0.ordinal), ordinal: $0.ordinal)
    }
    locator = "tracetool replay \(file) --at \(candidate.ordinal)"
  }
}

extension CheckJSON.EventJSON {
  init(_ event: Event, _ ordinal: Ordinal, _ comm: String?) {
    self.ordinal = ordinal
    self.event = event.kind.name
    time = event.time
    cpu = event.cpu
    task = event.task
    self.comm = comm
    context = event.context.name
    inferred = event.flags.contains(.inferred)
  }
}
