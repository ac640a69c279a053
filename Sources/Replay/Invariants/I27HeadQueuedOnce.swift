import TraceFormat

/// I27: a head is not given to `call_rcu` again before its callback has started.
///
/// From the start on it may: the callback frees the page the head lies in.
struct HeadQueuedOnce: Invariant {
  static let description = InvariantDescription(
    "I27", "no head queued twice", severity: .critical,
    requires: [.callRCU, .callbackStart], regime: .callbacks,
    stages: "––✓–✓✓–✓✓",
    statement: "A head that was given to call_rcu is not given to it again before its callback "
      + "has started.",
    rationale: "The second call links the head into the list it is already part of: callbacks "
      + "behind it are lost, or run twice. That the first callback never ran is I24's.",
    example: "head given to call_rcu while its callback waits")

  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally) {
    for place in batch.places(of: .callRCU) {
      tally.exercised += 1
      let event = batch[place]
      guard let callback = event.callback, callback.queuedAt != .none, callback.runs == 0 else {
        continue
      }
      tally.report(
        "head given to call_rcu while its callback waits", missing: "cb_start", at: event,
        since: callback.queuedAt, absent: [.callbackStart])
    }
  }
}
