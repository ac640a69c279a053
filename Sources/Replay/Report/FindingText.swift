import TraceFormat

/// One cause as text: a headline, what it means, the life of the first objects it happened to, and
/// where to look.
struct FindingText {
  private let judgement: Judgement
  private let group: CandidateGroup
  private let result: CheckResult
  private let evidence: Evidence
  private let file: String

  init(
    _ judgement: Judgement, _ group: CandidateGroup, _ result: CheckResult, _ evidence: Evidence,
    file: String
  ) {
    self.judgement = judgement
    self.group = group
    self.result = result
    self.evidence = evidence
    self.file = file
  }

  /// `I13 critical: ptlock freed before the table was queued, 201×`.
  static func headline(_ judgement: Judgement, _ group: CandidateGroup) -> String {
    "\(judgement.invariant.id) \(judgement.invariant.severity.rawValue): \(group.cause), "
      + "\(Figures.count(group.count))×"
  }

  /// The object in words: `table pfn 0x88fb5#1 (pte)`.
  static func object(of candidate: Candidate) -> String {
    if let subject = candidate.subject {
      let isOwnTable =
        subject.binding == .table && candidate.table?.pfn == subject.key
        && candidate.table?.generation == subject.generation
      if !isOwnTable { return subject.text }
    }
    if let table = candidate.table {
      let level = table.level == .unknown ? "level unknown" : table.level.name
      return "\(Subject(of: candidate).phrase) (\(level))"
    }
    let subject = Subject(of: candidate)
    return subject.kind == .place
      ? "\(candidate.event.kind.name) at #\(candidate.ordinal)" : subject.phrase
  }

  /// The block: no indent for the headline, two spaces for everything under it.
  var lines: [String] {
    let cause = FindingID.cause(judgement.invariant.id, group.cause)
    var lines = [
      "BUG: " + Self.headline(judgement, group) + "  [\(cause)]",
      "  \(judgement.invariant.statement)",
    ]
    if !group.missing.isEmpty { lines.append("  not seen in between: \(group.missing)") }
    if let note = Harm.note(judgement, result) { lines.append("  \(note)") }
    let shown = group.exemplars.prefix(max(0, result.options.maxFindings))
    for candidate in shown { lines += block(candidate) }
    let left = group.count - shown.count
    guard left > 0 else { return lines }
    if group.instances.isEmpty {
      lines.append("  … and \(Figures.count(left)) more of the same cause (--all lists them)")
    } else {
      lines.append("  … and \(Figures.count(left)) more of the same cause:")
      lines += group.instances.dropFirst(shown.count).map { "    " + Self.brief($0) }
    }
    return lines
  }

  private static func brief(_ instance: CandidateGroup.Instance) -> String {
    let since = instance.since == .none ? "" : "#\(instance.since) → "
    return Figures.left(instance.subject.phrase, 30) + " " + since + "#\(instance.ordinal)"
  }

  private func block(_ candidate: Candidate) -> [String] {
    var lines = ["  " + Self.object(of: candidate)]
    for step in History(of: candidate).steps {
      let isHere = step.ordinal == candidate.ordinal
      let event = isHere ? candidate.event : evidence[step.ordinal]
      lines.append("    " + line(step, event) + (isHere ? "   <== here" : ""))
    }
    let locator = Locator(file)
    for (index, command) in locator.commands(for: candidate).enumerated() {
      lines.append((index == 0 ? "  look: " : "        ") + command)
    }
    if locator.isPipe { lines.append("        (FILE: save what came through the pipe first)") }
    return lines
  }

  private func line(_ step: History.Step, _ event: Event?) -> String {
    let place = Figures.right("#\(step.ordinal)", 10)
    guard let event else { return "\(place)  \(step.role)" }
    let task = (evidence.taskName(event.task) ?? "task") + "-\(event.task)"
    let inferred = event.flags.contains(.inferred) ? " (inferred)" : ""
    return place + "  " + Figures.left(Self.deed(event.kind), 20)
      + " cpu\(Figures.left(String(event.cpu), 2)) \(Figures.left(task, 18)) "
      + "\(Figures.left(event.context.name, 8)) "
      + Figures.time(event.time, result.header.clock) + "  " + event.kind.name + inferred
  }

  /// What was done, as a heading for who did it.
  private static func deed(_ kind: EventKind) -> String {
    switch kind {
    case .tableAlloc: "allocated by"
    case .tableConstruct: "constructed by"
    case .tableInstall: "installed by"
    case .tableUnlink: "unlinked by"
    case .tableQueueBatch, .tableQueuePage: "queued by"
    case .tableDefer: "deferred by"
    case .tableFallback: "fell back in"
    case .tableDestruct: "destroyed by"
    case .tableFree: "freed by"
    case .tableDeposit: "deposited by"
    case .tableWithdraw: "withdrawn by"
    case .tablePut: "put by"
    case .pageReuse: "page reused by"
    case .lockAlloc: "ptlock allocated by"
    case .lockFree: "ptlock freed by"
    case .lockWait: "ptlock awaited by"
    case .lockAcquire: "ptlock taken by"
    case .lockRelease: "ptlock released by"
    case .callRCU: "call_rcu() by"
    case .callbackStart: "callback begun by"
    case .callbackEnd: "callback ended by"
    case .batchFree: "batch page freed by"
    case .readerLoad: "loaded by"
    case .readerAccess: "touched by"
    default: "done by"
    }
  }
}
