import TraceFormat

/// I24: every head given to `call_rcu` runs exactly once, by the next `rcu_barrier()` at latest.
struct CallbackOnce: Invariant {
  static let description = InvariantDescription(
    "I24", "every callback runs exactly once", severity: .critical,
    requires: [.callRCU, .callbackStart], regime: .callbacks,
    stages: "––✓–✓✓–✓✓",
    statement: "Every head given to call_rcu runs exactly once, before rcu_barrier() "
      + "returns.",
    rationale: "A callback that never runs leaks its batch; one that runs twice frees it "
      + "twice; a head queued while it waits loses a callback.",
    example: "callback ran a second time")

  private var quiescence = Quiescence()

  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally) {
    quiescence.take(batch)
    for place in batch.places(of: .callbackStart) {
      let event = batch[place]
      guard let callback = event.callback else {
        tally.pending += 1
        continue
      }
      if callback.startedAt != .none {
        tally.exercised += 1
        tally.report(
          "callback ran a second time", missing: "call_rcu", at: event,
          since: callback.startedAt, absent: [.callRCU])
      } else if callback.queuedAt != .none {
        tally.exercised += 1
        guard quiescence.passed(after: callback.queuedAt, before: event.ordinal) else { continue }
        tally.report(
          "callback ran after rcu_barrier() had returned", at: event, since: callback.queuedAt,
          absent: [.callRCU])
      }
    }
    for place in batch.places(of: .callRCU) {
      let event = batch[place]
      guard let callback = event.callback, callback.queuedAt != .none, callback.runs == 0 else {
        continue
      }
      tally.exercised += 1
      tally.report(
        "head given to call_rcu again, its callback never ran", missing: "cb_start", at: event,
        since: callback.queuedAt, absent: [.callbackStart])
    }
  }

  mutating func finish(_ state: Resolver, into tally: inout Tally) {
    for callback in state.callbacks
    where callback.queuedAt != .none && callback.runs == 0 && !callback.isSuperseded {
      if quiescence.binds(callback.queuedAt) {
        tally.exercised += 1
        tally.reportLeft(
          "callback never ran", missing: "cb_start", state: state, at: quiescence,
          since: callback.queuedAt, absent: [.callbackStart], callback: callback)
      } else {
        tally.pending += 1
      }
    }
  }
}
