import TraceFormat

/// I37: callbacks run where RCU runs them, and nobody waits where waiting is forbidden.
///
/// Judged only where the context of each event was observed: live probes on some architectures
/// run as NMI and show their own context, not that of what they interrupted.
struct RightContext: Invariant {
  static let description = InvariantDescription(
    "I37", "everything in its context", severity: .high,
    requires: [.callRCU, .callbackStart], facts: [.context], regime: .callbacks,
    stages: "––✓–✓✓–✓✓",
    statement: "Callbacks run in a softirq or a kernel thread; the sync IPI is not sent with IRQs "
      + "off; synchronize_rcu() is not called inside a read-side section, a callback or an "
      + "interrupt, nor with a ptlock held.",
    rationale: "A callback in task context runs inside somebody's critical section. A sync IPI "
      + "sent with IRQs off deadlocks with its mirror image; a reader that waits for all "
      + "readers waits for itself.",
    example: "synchronize_rcu() called inside a read-side section")

  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally) {
    for place in batch.places(of: .callbackStart) {
      let context = batch.event(at: place).context
      guard context != .unknown else { continue }
      tally.exercised += 1
      if context == .task || context == .hardirq {
        report("callback started in \(phrase(context))", place, batch, &tally)
      }
    }
    for place in batch.places(of: .ipiSyncStart) {
      tally.exercised += 1
      judge(sync: place, batch, &tally)
    }
    for place in batch.places(of: .synchronizeStart) {
      tally.exercised += 1
      judge(synchronize: place, batch, &tally)
    }
  }

  private func judge(sync place: Int32, _ batch: ResolvedBatch, _ tally: inout Tally) {
    let context = batch.event(at: place).context
    if context == .hardirq || context == .softirq {
      report("sync IPI sent from \(phrase(context))", place, batch, &tally)
    } else if let section = batch.section(at: place), section.readerClass == .gupFast {
      tally.report(
        "sync IPI sent with IRQs off", missing: "rd_exit", at: batch[place],
        since: section.openedAt, absent: [.readerExit])
    }
  }

  private func judge(synchronize place: Int32, _ batch: ResolvedBatch, _ tally: inout Tally) {
    let event = batch[place]
    let context = event.event.context
    if context == .hardirq || context == .softirq {
      report("synchronize_rcu() called from \(phrase(context))", place, batch, &tally)
    } else if event.resolution.run != 0 {
      tally.report(
        "synchronize_rcu() called inside a callback", missing: "cb_end", at: event,
        since: event.running?.startedAt ?? .none, absent: [.callbackEnd])
    } else if let section = batch.section(at: place) {
      tally.report(
        "synchronize_rcu() called inside a read-side section", missing: "rd_exit", at: event,
        since: section.openedAt, absent: [.readerExit])
    } else if let lock = event.lock, lock.heldSince != .none {
      tally.report(
        "synchronize_rcu() called with a ptlock held", missing: "ptl_unlock", at: event,
        since: lock.heldSince, absent: [.lockRelease])
    }
  }

  private func report(
    _ cause: String, _ place: Int32, _ batch: ResolvedBatch, _ tally: inout Tally
  ) {
    tally.report(cause, at: batch[place], since: batch.firstOrdinal + Ordinal(place))
  }

  private func phrase(_ context: ExecutionContext) -> String {
    switch context {
    case .task: "task context"
    case .hardirq: "a hard interrupt"
    case .softirq: "a softirq"
    case .kthread: "a kernel thread"
    case .unknown: "an unknown context"
    }
  }
}
