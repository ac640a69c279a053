import TraceFormat

/// Decides, once the whole trace and its header are known, what each tally amounts to.
///
/// A candidate that rests on two seen events stands on any source, unless a hole lies between
/// them. One that rests on an event not seen stands only where the source cannot lose that kind
/// silently. Everything else is inconclusive, and says what is to blame.
struct Court {
  let header: TraceHeader
  let facts: TraceFacts
  let losses: [CheckResult.Loss]
  let options: CheckOptions

  func decide(_ invariant: InvariantDescription, _ tally: Tally) -> Judgement {
    let groups = tally.orderedGroups
    let isBlind = ignorance(invariant) != nil || blindness(invariant) != nil
    let findings = byCause(
      groups.filter {
        !isBlind && !$0.overLoss && !$0.isConcluded && blame(for: $0.absent) == nil
      })
    let violations = findings.reduce(0) { $0 + $1.count }
    let undecided = groups.reduce(0) { $0 + $1.count } - violations
    let (verdict, reason) = verdict(invariant, tally, violations)
    let excused = tally.exempt.values.reduce(0, +) - tally.exemptButJudged
    return Judgement(
      invariant: invariant, verdict: verdict,
      started: tally.exercised + tally.pending + excused,
      exercised: tally.exercised, violations: violations,
      undecided: undecided, pending: tally.pending,
      exempt: Exemption.allCases.compactMap { key in
        tally.exempt[key].map { (exemption: key, count: $0) }
      },
      reason: reason, findings: findings)
  }

  /// What stands is told once per cause, whatever each of its findings rests on.
  func byCause(_ groups: [CandidateGroup]) -> [CandidateGroup] {
    var result: [CandidateGroup] = []
    for group in groups {
      if let index = result.firstIndex(where: { $0.cause == group.cause }) {
        result[index] = result[index].joined(with: group, keeping: max(1, options.maxFindings))
      } else {
        result.append(group)
      }
    }
    return result
  }

  private func verdict(
    _ invariant: InvariantDescription, _ tally: Tally, _ violations: Int
  ) -> (Verdict, String?) {
    if let ignorance = ignorance(invariant) { return ignorance }
    if let blind = blindness(invariant) { return blind }
    if violations > 0 { return (.violated, doubts(tally)) }
    let missing = invariant.requires.kinds.filter { header.capabilities[$0] == nil }
    if !missing.isEmpty {
      let names = missing.map(\.name).joined(separator: ", ")
      // Asked for by name, "cannot tell" is an answer; otherwise it was never in question.
      return (
        options.only.contains(invariant.id) ? .inconclusive : .notApplicable,
        "this source does not record \(names)"
      )
    }
    if let doubts = doubts(tally) { return (.inconclusive, doubts) }
    if tally.exercised > 0 { return (.holds, nil) }
    switch invariant.regime {
    case .tablePath, .callbacks:
      if facts.usesPagePathOnly {
        return (.notApplicable, "every table took the page path: no RCU callback is owed")
      }
    case .pagePath:
      if facts.queuedForPage == 0, facts.queuedForBatch > 0 {
        return (.notApplicable, "no table took the page path")
      }
    case .any: break
    }
    if let silent = silence(invariant) { return (.inconclusive, silent) }
    return (.vacuous, vacuity(tally))
  }

  /// Set where the source does not observe what it must: whatever was counted then, two events
  /// were not seen in the wrong order, one of them was put there.
  private func blindness(_ invariant: InvariantDescription) -> (Verdict, String)? {
    let concluded = invariant.observed.kinds.filter { header.capabilities[$0] == .inferred }
    let missing = invariant.observed.kinds.filter { header.capabilities[$0] == nil }
    guard !concluded.isEmpty || !missing.isEmpty else { return nil }
    let names = (missing.isEmpty ? concluded : missing).map(\.name).joined(separator: ", ")
    return (
      options.only.contains(invariant.id) ? .inconclusive : .notApplicable,
      missing.isEmpty
        ? "this source infers \(names) and never observes it"
        : "this source does not record \(names)"
    )
  }

  private func vacuity(_ tally: Tally) -> String {
    if let first = losses.first, tally.pending > 0 {
      return "never exercised; \(tally.pending) cut by an edge or by \(describe(first))"
    }
    return tally.pending > 0
      ? "never exercised: \(tally.pending) cut by the start or end of the recording"
      : "never exercised"
  }

  /// Why the undecided candidates are undecided; nil if there are none.
  private func doubts(_ tally: Tally) -> String? {
    var phrases: [String] = []
    for group in tally.orderedGroups {
      if group.overLoss {
        phrases.append("\(group.count) × \(group.cause), across \(lossPhrase(group))")
      } else if group.isConcluded {
        phrases.append("\(group.count) × \(group.cause), but that was concluded, never observed")
      } else if let blame = blame(for: group.absent) {
        phrases.append("\(group.count) × \(group.cause), but \(blame)")
      }
    }
    return phrases.isEmpty ? nil : phrases.joined(separator: "; ")
  }

  func lossPhrase(_ group: CandidateGroup) -> String {
    guard let at = group.exemplars.first?.ordinal,
      let loss = losses.last(where: { $0.ordinal <= at }) ?? losses.first
    else { return "a hole in the recording" }
    return describe(loss)
  }

  func describe(_ loss: CheckResult.Loss) -> String {
    let cause = LossCause(rawValue: UInt8(truncatingIfNeeded: loss.event.object)) ?? .unknown
    let cpu = loss.event.cpu == Event.allCPUs ? "" : " on CPU \(loss.event.cpu)"
    let count = loss.event.arg0 == Event.unknownCount ? "" : " (\(loss.event.arg0) events)"
    return "the \(cause.name)\(cpu) at #\(loss.ordinal)\(count)"
  }

  /// Kinds that a producer gives only where its source happens to show them: where they are not
  /// recorded, the other kinds of the same set decide (docs/EVENTS.md).
  private static let extras: KindSet = [
    .tablePut, .pageReuse, .batchNew, .synchronizeEnd,
  ]

  /// Why the absence of these kinds proves nothing; nil if it does prove something.
  private func blame(for absent: KindSet) -> String? {
    guard !absent.isEmpty else {
      // Two events were seen in the wrong order; but were they of one life?
      let tellsLives =
        header.capabilities[.tableAlloc] != nil || header.capabilities[.tableFree] != nil
      return tellsLives ? nil : "this source records neither pt_alloc nor pt_free"
    }
    var seen = false
    // What the source itself admits to miss explains more than what it never records.
    for kind in absent.kinds where header.capabilities[kind] == .mayMiss {
      return "\(kind.name) may be missed silently\(detail(of: kind))"
    }
    for kind in absent.kinds {
      switch header.capabilities[kind] {
      case nil where Self.extras.contains(kind): continue
      case nil: return "this source does not record \(kind.name)"
      case .inferred: return "\(kind.name) is inferred here, never observed"
      case .sure, .mayMiss: seen = true
      }
    }
    return seen ? nil : "this source does not record \(absent.kinds[0].name)"
  }

  private func detail(of kind: EventKind) -> String {
    if let count = header.capabilities.misses[kind.name], count > 0 {
      let bound = header.capabilities.missesAreCumulative ? "up to " : ""
      return " (\(bound)\(count) misses counted)"
    }
    return header.capabilities.reasons[kind.name].map { " (\($0))" } ?? ""
  }

  /// Set when a needed kind never appeared although its source says that it happened.
  private func silence(_ invariant: InvariantDescription) -> String? {
    for kind in invariant.requires.kinds
    where facts.counts[Int(kind.rawValue)] == 0
      && (header.capabilities.misses[kind.name] ?? 0) > 0
    {
      return "not one \(kind.name) was recorded, and it may be missed silently"
        + detail(of: kind)
    }
    return nil
  }
}
