import TraceFormat

extension Court {
  /// What a model's run amounts to.
  ///
  /// A finding stands unless a hole lies before it: what the source can miss is already part of the
  /// states an instance may be in.
  func decide(_ runner: ModelRunner) -> Judgement {
    let groups = runner.tally.orderedGroups
    let findings =
      runner.doubt == nil ? groups.filter { !$0.overLoss && !$0.isConcluded } : []
    let violations = findings.reduce(0) { $0 + $1.count }
    let undecided = groups.reduce(0) { $0 + $1.count } - violations
    let (verdict, reason) = verdict(runner, violations, groups.filter(\.overLoss))
    let pending = runner.tally.pending + runner.counts.joinedLate
    return Judgement(
      invariant: Self.description(of: runner.model),
      verdict: verdict, started: runner.tally.exercised + pending,
      exercised: runner.tally.exercised, violations: violations, undecided: undecided,
      pending: pending, exempt: [], reason: reason, findings: byCause(findings))
  }

  /// A model as an invariant that somebody else wrote.
  private static func description(of model: Model) -> InvariantDescription {
    InvariantDescription(
      model.name, "\(model.file), one instance per \(model.binding.rawValue)", severity: .high,
      requires: [], stages: "–––––––––",
      statement: "Every \(model.binding.rawValue) behaves as \(model.file) says.",
      rationale: "A property of the user (docs/MODELS.md).", example: "")
  }

  private func verdict(
    _ runner: ModelRunner, _ violations: Int, _ overLoss: [CandidateGroup]
  ) -> (Verdict, String?) {
    var remarks: [String] = []
    for group in overLoss {
      remarks.append("\(group.count) × \(group.cause), across \(lossPhrase(group))")
    }
    if runner.counts.cut > 0, let loss = losses.first {
      let more = losses.count > 1 ? " and \(losses.count - 1) more" : ""
      remarks.append("\(runner.counts.cut) instances cut by \(describe(loss))\(more)")
    }
    if runner.counts.tooMany > 0 {
      remarks.append("\(runner.counts.tooMany) instances given up: too many states were possible")
    }
    if let unseen = runner.sight.phrase { remarks.append(unseen) }
    if runner.counts.notFinal > 0 {
      remarks.append("\(runner.counts.notFinal) lives ended outside the final states")
    }
    let text = remarks.isEmpty ? nil : remarks.joined(separator: "; ")
    if violations > 0 { return (.violated, text) }
    if let doubt = runner.doubt, !runner.tally.groups.isEmpty {
      let first = runner.tally.orderedGroups.first.map { "\($0.count) × \($0.cause), but " } ?? ""
      return (.inconclusive, first + doubt)
    }
    if !overLoss.isEmpty || runner.counts.tooMany > 0 { return (.inconclusive, text) }
    if !runner.decidesSomething {
      if let unseen = runner.sight.phrase {
        return (.inconclusive, "nothing it forbids can be told from an event not seen; \(unseen)")
      }
      return (.vacuous, "it forbids nothing")
    }
    if runner.tally.exercised > 0 { return (.holds, text) }
    let late = runner.counts.joinedLate
    let why = late > 0 ? "; \(late) were alive before, or never met a start event" : ""
    return (
      .vacuous,
      "no \(runner.model.binding.rawValue) started it\(why)" + (text.map { "; " + $0 } ?? "")
    )
  }
}
