import TraceFormat

/// `diff --format text`: what moved and what it costs, in the first lines.
public struct DiffText {
  private let diff: TraceDiff
  private let oldName: String
  private let newName: String

  /// A report on the comparison of two files.
  public init(_ diff: TraceDiff, old: String, new: String) {
    self.diff = diff
    oldName = old
    newName = new
  }

  /// The lines of the report.
  public var lines: [String] {
    var lines = diff.moves.map(sentence)
    lines += diff.paths.map {
      "\($0.what): \(Figures.count($0.old)) tables → \(Figures.count($0.new))"
    }
    if !diff.isDifferent { lines.append("no difference in shape") }
    lines.append(cost)
    lines.append("")
    lines.append("--- \(oldName)  \(about(diff.old))")
    lines.append("+++ \(newName)  \(about(diff.new))")
    lines += notes(oldName, diff.old) + notes(newName, diff.new)
    lines.append("")
    lines += table
    lines += shapes
    return lines
  }

  private func sentence(_ move: TraceDiff.Move) -> String {
    var text =
      "\(move.what) moved: \(move.from.phrase) (\(Figures.count(move.fromCount)) of "
      + "\(Figures.count(move.fromTotal)) tables) → \(phrase(move.to)) "
      + "(\(Figures.count(move.toCount)) of \(Figures.count(move.toTotal)))"
    for (placement, count) in move.besides {
      text += "; \(placement.phrase): \(Figures.count(count))"
    }
    return text
  }

  private func phrase(_ placement: Placement) -> String {
    placement == .inCallback ? "inside the RCU callback, after the grace period" : placement.phrase
  }

  private var cost: String {
    "cost: unlink→destructor p50 "
      + change(diff.old, diff.new) { percentile($0.unlinkToDestructor, 0.5, $0) }
      + ", peak queued tables not yet destructed "
      + change(diff.old, diff.new) { Figures.count($0.peakUndestructed) }
      + ", callbacks " + change(diff.old, diff.new) { Figures.count($0.facts.count(of: .callRCU)) }
  }

  private func change(
    _ old: TraceProfile, _ new: TraceProfile, _ value: (TraceProfile) -> String
  ) -> String { "\(value(old)) → \(value(new))" }

  private func percentile(
    _ histogram: LatencyHistogram, _ fraction: Double, _ profile: TraceProfile
  ) -> String {
    histogram.percentile(fraction).map { Figures.duration($0, profile.header.clock) } ?? "-"
  }

  private func about(_ profile: TraceProfile) -> String {
    var parts = ["\(Figures.count(profile.events)) events"]
    if let stage = profile.header.stage { parts.append("stage \(stage)") }
    if let kernel = profile.header.kernel { parts.append(kernel) }
    parts.append(
      "\(Figures.count(profile.completeLives)) complete lives, "
        + "\(Figures.count(profile.cutLives)) cut by an edge or a hole")
    return parts.joined(separator: ", ")
  }

  /// What may make the two differ although the kernels do not.
  private func notes(_ name: String, _ profile: TraceProfile) -> [String] {
    var notes = profile.header.remarks
    let losses = profile.facts.count(of: .loss)
    if losses > 0 { notes.insert("events are missing: \(Figures.count(losses)) losses", at: 0) }
    return notes.map { "note: \(name): \($0)" }
  }

  private var table: [String] {
    let rows: [(String, (TraceProfile) -> String)] = [
      ("tables constructed", { Figures.count($0.facts.count(of: .tableConstruct)) }),
      ("  queued, table path", { Figures.count($0.facts.queuedForBatch) }),
      ("  queued, page path", { Figures.count($0.facts.queuedForPage) }),
      ("  no-memory fallback", { Figures.count($0.facts.fallbacks) }),
      ("  pte_free_defer", { Figures.count($0.facts.deferred) }),
      ("freed in callbacks", { Figures.count($0.facts.freedInCallback) }),
      ("freed outside callbacks", { Figures.count($0.facts.freedOutside) }),
      ("ptlocks freed", { Figures.count($0.facts.count(of: .lockFree)) }),
      ("  before the grace period", { Figures.count($0.facts.locksFreedEarly) }),
      ("  reused while pending", { Figures.count($0.facts.locksReusedWhilePending) }),
      ("callbacks (call_rcu)", { Figures.count($0.facts.count(of: .callRCU)) }),
      ("grace periods", { Figures.count($0.facts.count(of: .gracePeriodEnd)) }),
      ("TLB flushes", { Figures.count($0.facts.count(of: .flushStart)) }),
      (
        "IPIs (flush + sync)",
        {
          Figures.count(
            $0.facts.count(of: .flushAck) + $0.facts.count(of: .ipiSyncAck))
        }
      ),
      ("unlink→destructor p50", { percentile($0.unlinkToDestructor, 0.5, $0) }),
      ("                  p90", { percentile($0.unlinkToDestructor, 0.9, $0) }),
      ("unlink→free       p50", { percentile($0.unlinkToFree, 0.5, $0) }),
      ("                  p90", { percentile($0.unlinkToFree, 0.9, $0) }),
      ("ptlock free→free  p50", { percentile($0.lockFreeToFree, 0.5, $0) }),
      ("peak retained tables", { Figures.count($0.peakRetainedTables) }),
      ("peak not yet destructed", { Figures.count($0.peakUndestructed) }),
      ("peak retained ptlocks", { Figures.count($0.peakRetainedLocks) }),
    ]
    return [
      Figures.left("", 26) + Figures.right("old", 14) + Figures.right("new", 14)
    ]
      + rows.map { name, value in
        let (old, new) = (value(diff.old), value(diff.new))
        return Figures.left(name, 26) + Figures.right(old, 14) + Figures.right(new, 14)
          + (old == new ? "" : "  *")
      }
  }

  private var shapes: [String] {
    var lines: [String] = []
    func list(_ title: String, _ sign: String, _ shapes: [LifeShape], _ file: String) {
      guard !shapes.isEmpty else { return }
      lines += ["", title]
      for shape in shapes {
        lines.append("\(sign) \(Figures.count(shape.count))× \(shape.level.name): \(shape.text)")
        lines.append(
          "    e.g. tracetool replay \(file) --table \(Figures.hex(shape.pfn))#"
            + "\(shape.generation)")
      }
    }
    list("lives only in \(oldName)", "-", diff.vanished, oldName)
    list("lives only in \(newName)", "+", diff.appeared, newName)
    if diff.rare > 0 {
      lines += [
        "",
        "\(Figures.count(diff.rare)) lives of shapes too rare to count (below 1 %) differ besides",
      ]
    }
    return lines
  }
}
