import TraceFormat

/// `fingerprint --format text`: the answer, what proves it, and why it is no narrower.
public struct FingerprintText {
  private let print: Fingerprint
  private let file: String

  /// A report on `file`.
  public init(_ fingerprint: Fingerprint, file: String) {
    print = fingerprint
    self.file = file
  }

  /// The lines of the report.
  public var lines: [String] {
    let traits = print.traits
    var lines = ["\(file): \(answer)"]
    if print.isCertain {
      lines += print.candidates.map { "  \(Figures.left($0.label, 8)) \($0.kernels)" }
      if !print.onRISCV { lines.append("  (kernels as on RISC-V: the names say how, not which)") }
    }
    lines.append("")
    lines += rows("tables go", traits.path) {
      $0 == .table
        ? "to a table batch that waits for RCU" : "to the page gather, freed at the flush"
    }
    lines += rows("destructor", traits.destructor) { phrase($0) }
    lines += rows("ptlock free", traits.lockFree) { phrase($0) }
    lines += rows("no-memory fallback", traits.fallback) { "waits for \($0.rawValue)" }
    lines += rows("TLB flush", traits.transport) { "reaches other CPUs by \($0.rawValue)" }
    lines += rows("PT_RECLAIM", traits.reclaim) { _ in "madvise frees PTE tables" }
    lines += rows("ptlock", traits.locks) { _ in "an object of its own (page->ptl)" }
    lines += rows("p4d or pgd", traits.upperDestructor) { _ in "has a destructor" }
    lines += unseen
    if traits.losses > 0 {
      lines.append("  events are missing: \(Figures.count(traits.losses)) losses")
    }
    if !print.reasons.isEmpty { lines.append("") }
    lines += print.reasons.map { "\(print.isCertain ? "not narrower" : "cannot tell"): \($0)" }
    return lines
  }

  private var answer: String {
    let labels = print.candidates.map(\.label)
    guard print.isCertain else { return "cannot tell" }
    guard labels.count > 1 else { return "behaves like \(labels[0])" }
    return
      "behaves like \(labels.dropLast().joined(separator: ", ")) or \(labels[labels.count - 1])"
  }

  private func phrase(_ order: DestructorOrder) -> String {
    order == .early
      ? "before the table is queued" : "in the RCU callback, after the grace period"
  }

  private func rows<Answer>(
    _ title: String, _ trait: Trait<Answer>, _ phrase: (Answer) -> String
  ) -> [String] {
    trait.answers.map { answer in
      let count = "\(Figures.count(trait.count(answer))) of \(Figures.count(trait.total))"
      return "  " + Figures.left(title, 19) + Figures.left(phrase(answer), 44)
        + Figures.right(count, 18) + trait.example(answer).map { "  \(place($0))" }!
    }
  }

  private func place(_ example: TraitExample) -> String {
    let last = "#\(example.at) \(example.event.kind.name)"
    guard let kind = example.fromKind else { return last }
    return "#\(example.fromAt) \(kind.name) → \(last)"
  }

  /// What a reader will look for and not find.
  private var unseen: [String] {
    var lines: [String] = []
    func note(_ title: String, _ text: String) {
      lines.append("  " + Figures.left(title, 19) + text)
    }
    if print.traits.locks.total == 0 {
      note(
        "ptlock",
        print.header.capabilities[.lockFree] == .sure
          ? "no object of its own: embedded in the page descriptor, or not split"
          : "separate or embedded: not recorded")
    }
    if print.traits.fallback.total == 0 { note("no-memory fallback", "not seen") }
    return lines
  }
}
