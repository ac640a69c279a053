import TraceFormat

/// I25: no callback before a full grace period after its `call_rcu`.
struct CallbackAfterGracePeriod: Invariant {
  static let description = InvariantDescription(
    "I25", "callback after a full grace period", severity: .critical,
    requires: [.callRCU, .callbackStart, .gracePeriodStart, .gracePeriodEnd], regime: .callbacks,
    stages: "––✓–✓✓–✓✓",
    statement: "A callback starts only after a grace period that began after its "
      + "call_rcu has ended.",
    rationale: "RCU's own promise, on which I12 and I13 stand.",
    example: "callback ran without a grace period")

  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally) {
    for place in batch.places(of: .callbackStart) {
      let event = batch[place]
      guard let callback = event.callback, callback.queuedAt != .none else {
        tally.pending += 1
        continue
      }
      guard callback.startedAt == .none else { continue }
      tally.exercised += 1
      guard !event.gracePeriodPassed(since: callback.queuedAt) else { continue }
      tally.report(
        "callback ran without a grace period", missing: "gp_start, gp_end", at: event,
        since: callback.queuedAt, absent: [.gracePeriodStart, .gracePeriodEnd])
    }
  }

  mutating func finish(_ state: Resolver, into tally: inout Tally) {
    for callback in state.callbacks
    where callback.queuedAt != .none && callback.runs == 0 && !callback.isSuperseded {
      tally.pending += 1
    }
  }
}
