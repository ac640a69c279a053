import TraceFormat

/// I26: callbacks that were queued on one CPU start in the order they were queued.
///
/// The exception is a CPU that goes offline: its callbacks are appended to another CPU's. A
/// callback that starts on the CPU it was queued on was not moved.
struct CallbacksInOrder: Invariant {
  static let description = InvariantDescription(
    "I26", "callbacks of a CPU run in order", severity: .medium,
    requires: [.callRCU, .callbackStart], regime: .callbacks,
    stages: "––✓–✓✓–✓✓", exemptions: [.splice],
    statement: "Callbacks that were given to call_rcu on one CPU start in that order, unless the "
      + "CPU went offline in between.",
    rationale: "A batch keeps children before their parents, and so do the batches of one CPU; "
      + "across CPUs nothing is ordered (E14). A probe at the entry of call_rcu() stands before "
      + "the callback is queued: two tasks that meet there may queue the other way round, so "
      + "there only the calls of one task are certain.",
    example: "callback started after one that was queued later on its CPU")

  /// The callback of each CPU that started last in queue order.
  private var latest: [UInt16: Latest] = [:]
  /// Where the callbacks of each CPU were moved to another.
  private var splices: [UInt16: [Ordinal]] = [:]
  private var seesEnqueue = false

  private struct Latest {
    var queuedAt: Ordinal
    var task: UInt32
    var startedHere: Bool
  }

  mutating func begin(_ header: TraceHeader) {
    seesEnqueue = header.machine?.observesEnqueue == true
  }

  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally) {
    for place in batch.places(of: .callbacksSpliced) {
      let cpu = UInt16(truncatingIfNeeded: batch.event(at: place).arg0)
      splices[cpu, default: []].append(batch.firstOrdinal + Ordinal(place))
    }
    for place in batch.places(of: .callbackStart) { judge(batch[place], &tally) }
  }

  private mutating func judge(_ event: ResolvedEvent, _ tally: inout Tally) {
    guard let callback = event.callback, callback.queuedAt != .none, callback.runs == 0 else {
      tally.pending += 1
      return
    }
    if wasMoved(callback, before: event.ordinal) {
      tally.exempt(.splice)
      return
    }
    tally.exercised += 1
    let here = Latest(
      queuedAt: callback.queuedAt, task: callback.task,
      startedHere: event.event.cpu == callback.cpu)
    guard let latest = latest[callback.cpu], latest.queuedAt > callback.queuedAt else {
      self.latest[callback.cpu] = here
      return
    }
    var absent: KindSet = [.callRCU, .callbackStart]
    // Moved callbacks run elsewhere: where both ran at home no move can explain it.
    if !here.startedHere || !latest.startedHere { absent.insert(.callbacksSpliced) }
    tally.report(
      "callback started after one that was queued later on its CPU", missing: "rcu_splice",
      at: event, since: callback.queuedAt, absent: absent,
      concluded: !seesEnqueue && latest.task != here.task)
  }

  private func wasMoved(_ callback: CallbackLife, before start: Ordinal) -> Bool {
    guard let places = splices[callback.cpu] else { return false }
    return places.contains { $0 > callback.queuedAt && $0 < start }
  }

  mutating func finish(_ state: Resolver, into tally: inout Tally) {
    for callback in state.callbacks
    where callback.queuedAt != .none && callback.runs == 0 && !callback.isSuperseded {
      tally.pending += 1
    }
  }
}
