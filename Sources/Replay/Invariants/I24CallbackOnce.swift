import TraceFormat

/// I24: every head given to `call_rcu` runs exactly once, by the next `rcu_barrier()` at latest.
struct CallbackOnce: Invariant {
  static let description = InvariantDescription(
    "I24", "every callback runs exactly once", severity: .critical,
    requires: [.callRCU, .callbackStart], regime: .callbacks,
    "Every head given to call_rcu runs exactly once, before rcu_barrier() returns.")

  private var quiesced: Event?

  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally) {
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
      }
    }
    if let place = batch.places(of: .quiesce).last { quiesced = batch.events[Int(place)] }
  }

  mutating func finish(_ state: Resolver, into tally: inout Tally) {
    for callback in state.callbacks where callback.queuedAt != .none && callback.runs == 0 {
      if let quiesced {
        tally.exercised += 1
        tally.reportLeft(
          "callback never ran", missing: "cb_start", state: state, event: quiesced,
          since: callback.queuedAt, absent: [.callbackStart], callback: callback)
      } else {
        tally.pending += 1
      }
    }
  }
}
