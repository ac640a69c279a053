import TraceFormat

/// One finding as text: its object, the history of that object, and where to look.
struct FindingText {
  private let candidate: Candidate
  private let evidence: Evidence
  private let header: TraceHeader

  init(_ candidate: Candidate, _ evidence: Evidence, _ header: TraceHeader) {
    self.candidate = candidate
    self.evidence = evidence
    self.header = header
  }

  /// The object in words: `table pfn 0x88fb5#1 (pte)`.
  static func object(of candidate: Candidate) -> String {
    if let table = candidate.table {
      let level = table.level == .unknown ? "level unknown" : table.level.name
      return "table pfn \(Figures.hex(table.pfn))#\(table.generation) (\(level))"
    }
    if let lock = candidate.lock {
      return "ptlock \(Figures.hex(lock.address))#\(lock.generation)"
    }
    if candidate.event.kind == .callRCU {
      return "callback \(Figures.hex(candidate.event.object))#\(candidate.event.generation)"
    }
    if let callback = candidate.callback {
      return "callback \(Figures.hex(callback.head))#\(callback.generation)"
    }
    return "\(candidate.event.kind.name) at #\(candidate.ordinal)"
  }

  func lines(file: String) -> [String] {
    var lines = ["  - " + Self.object(of: candidate)]
    for step in History(of: candidate).steps {
      let event = step.ordinal == candidate.ordinal ? candidate.event : evidence[step.ordinal]
      lines.append("      " + line(step, event))
    }
    lines.append("      look: tracetool replay \(file) --at \(candidate.ordinal)")
    if let table = candidate.table {
      lines.append(
        "            tracetool replay \(file) --table \(Figures.hex(table.pfn))#"
          + "\(table.generation)")
    }
    return lines
  }

  private func line(_ step: History.Step, _ event: Event?) -> String {
    let place = Figures.right("#\(step.ordinal)", 10)
    guard let event else { return "\(place)  \(step.role)" }
    let task = (evidence.taskName(event.task) ?? "task") + "-\(event.task)"
    let inferred = event.flags.contains(.inferred) ? " (inferred)" : ""
    return place + "  " + Figures.left(step.role, 17)
      + Figures.left(event.kind.name, 15)
      + " cpu\(event.cpu) \(Figures.left(task, 18)) \(Figures.left(event.context.name, 8)) "
      + Figures.time(event.time, header.clock) + inferred
  }
}
