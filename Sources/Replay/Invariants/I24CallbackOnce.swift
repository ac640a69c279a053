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
  private var barriers = Barriers()
  private var seesEnqueue = false

  mutating func begin(_ header: TraceHeader) {
    seesEnqueue = header.machine?.observesEnqueue == true
  }

  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally) {
    quiescence.take(batch)
    barriers.take(batch)
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
        let isQuiet = quiescence.passed(after: callback.queuedAt, before: event.ordinal)
        guard isQuiet || barriers.passed(after: callback.queuedAt, before: event.ordinal) else {
          continue
        }
        // A probe at the entry of call_rcu() stands before the callback is queued: a barrier that
        // began in between need not wait for it.
        tally.report(
          "callback ran after rcu_barrier() had returned", at: event, since: callback.queuedAt,
          absent: [.callRCU], concluded: !isQuiet && !seesEnqueue)
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

/// The barriers of a trace: where each returned, and the latest start of those that have.
private struct Barriers: Sendable {
  private var startOf: [UInt32: Ordinal] = [:]
  /// Ends in the batch taken last, with the latest start of the barriers that had ended by then;
  /// before them the last one of earlier batches.
  private var ends: [(at: Ordinal, start: Ordinal)] = []

  /// Notes the events of a batch; call it before judging them.
  mutating func take(_ batch: ResolvedBatch) {
    if let last = ends.last { ends = [last] }
    let places =
      batch.places(of: .barrierStart).map { $0 } + batch.places(of: .barrierEnd).map { $0 }
    for place in places.sorted() {
      let event = batch.event(at: place)
      let here = batch.firstOrdinal + Ordinal(place)
      if event.kind == .barrierStart {
        startOf[event.task] = here
      } else if let start = startOf.removeValue(forKey: event.task) {
        ends.append((here, max(start, ends.last?.start ?? .none)))
      }
    }
  }

  /// Whether a barrier began and returned between two places, the second of which is in the batch
  /// taken last.
  func passed(after start: Ordinal, before end: Ordinal) -> Bool {
    guard let last = ends.last(where: { $0.at < end }) else { return false }
    return last.start > start
  }
}
