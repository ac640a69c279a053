import Foundation
import TraceFormat

/// `check --format json`: one object, described in docs/CHECK-JSON.md.
public struct CheckJSON: Encodable {
  let file: String
  let source: String
  let stage: String?
  let kernel: String?
  let scope: String?
  let stoppedAt: Int64?
  let events: UInt64
  let lost: UInt64
  let losses: Int
  let exit: Int32
  let regime: RegimeJSON
  let verdicts: [VerdictJSON]
  let causes: [CauseJSON]
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
    let started: Int
    let triggered: Int
    let discharged: Int
    let exercised: Int
    let violations: Int
    let undecided: Int
    let pending: Int
    let exempt: [String: Int]
    let reason: String?
  }

  struct CauseJSON: Encodable {
    let cause: String
    let causeId: String
    let count: Int
    let id: String
    let instances: [InstanceJSON]
    let missing: String
    let note: String?
    let severity: String
  }

  struct InstanceJSON: Encodable {
    let finding: String
    let object: String
    let ordinal: Int64
    let since: Int64?
  }

  struct FindingJSON: Encodable {
    let finding: String
    let causeId: String
    let id: String
    let severity: String
    let cause: String
    let missing: String
    let count: Int
    let object: String
    let pfn: UInt64?
    let generation: UInt32?
    let first: EventJSON?
    let second: EventJSON
    let history: [StepJSON]
    let locator: String
    let locators: [String]
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
    stoppedAt = result.stoppedAt
    events = result.events
    lost = result.lost
    losses = result.losses.count
    exit = result.exitCode
    regime = RegimeJSON(result.header, result.facts)
    verdicts = result.judgements.map(VerdictJSON.init)
    causes = result.judgements.flatMap { judgement in
      judgement.findings.map { CauseJSON(judgement, $0, result) }
    }
    findings = result.judgements.flatMap { judgement in
      judgement.findings.flatMap { group in
        group.named(judgement, limit: result.options.maxFindings).map {
          FindingJSON(judgement, group, $0.candidate, $0.name, evidence, file)
        }
      }
    }
  }

  private enum CodingKeys: String, CodingKey {
    case file, source, stage, kernel, scope, events, lost, losses, exit, regime, verdicts, causes
    case findings
    case stoppedAt = "stopped_at"
  }

  /// Encodes every key; what is not known is null.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(file, forKey: .file)
    try container.encode(source, forKey: .source)
    try container.encode(stage, forKey: .stage)
    try container.encode(kernel, forKey: .kernel)
    try container.encode(scope, forKey: .scope)
    try container.encode(stoppedAt, forKey: .stoppedAt)
    try container.encode(events, forKey: .events)
    try container.encode(lost, forKey: .lost)
    try container.encode(losses, forKey: .losses)
    try container.encode(exit, forKey: .exit)
    try container.encode(regime, forKey: .regime)
    try container.encode(verdicts, forKey: .verdicts)
    try container.encode(causes, forKey: .causes)
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
    started = judgement.started
    triggered = judgement.exercised
    discharged = judgement.discharged
    exercised = judgement.exercised
    violations = judgement.violations
    undecided = judgement.undecided
    pending = judgement.pending
    exempt = Dictionary(
      uniqueKeysWithValues: judgement.exempt.map { ($0.exemption.rawValue, $0.count) })
    reason = judgement.reason
  }
}

extension CandidateGroup {
  /// The first exemplars with their names.
  func named(_ judgement: Judgement, limit: Int) -> [(name: String, candidate: Candidate)] {
    let names = FindingID.findings(
      FindingID.cause(judgement.invariant.id, cause), exemplars.map(Subject.init(of:)))
    return zip(names, exemplars).prefix(max(0, limit)).map { (name: $0, candidate: $1) }
  }
}

extension CheckJSON.CauseJSON {
  init(_ judgement: Judgement, _ group: CandidateGroup, _ result: CheckResult) {
    id = judgement.invariant.id
    severity = judgement.invariant.severity.rawValue
    cause = group.cause
    causeId = FindingID.cause(judgement.invariant.id, group.cause)
    missing = group.missing
    count = group.count
    note = Harm.note(judgement, result)
    let listed =
      group.instances.isEmpty
      ? group.exemplars.prefix(max(0, result.options.maxFindings)).map {
        CandidateGroup.Instance($0)
      } : group.instances
    instances = zip(FindingID.findings(causeId, listed.map(\.subject)), listed).map {
      .init(
        finding: $0, object: $1.subject.phrase, ordinal: $1.ordinal,
        since: $1.since == .none ? nil : $1.since)
    }
  }
}

extension CheckJSON.FindingJSON {
  init(
    _ judgement: Judgement, _ group: CandidateGroup, _ candidate: Candidate, _ name: String,
    _ evidence: Evidence, _ file: String
  ) {
    func event(_ ordinal: Ordinal) -> CheckJSON.EventJSON? {
      let event = ordinal == candidate.ordinal ? candidate.event : evidence[ordinal]
      return event.map { CheckJSON.EventJSON($0, ordinal, evidence.taskName($0.task)) }
    }
    finding = name
    causeId = FindingID.cause(judgement.invariant.id, group.cause)
    id = judgement.invariant.id
    severity = judgement.invariant.severity.rawValue
    cause = group.cause
    missing = group.missing
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
    locator = Locator(file).replay(at: candidate.ordinal)
    locators = Locator(file).commands(for: candidate)
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
