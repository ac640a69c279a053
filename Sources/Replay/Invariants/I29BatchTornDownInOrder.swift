import TraceFormat

/// I29: a callback tears down exactly the tables of its batch, in queue order, then frees the
/// batch page once.
///
/// Which tables a batch has is known from their queue events, so every finding rests on none of
/// those missing. A table whose page somebody else holds (E15) leaves the callback without being
/// freed: whether a callback left tables behind is decided at the end of the trace.
struct BatchTornDownInOrder: Invariant {
  static let description = InvariantDescription(
    "I29", "a callback tears down its batch, in order", severity: .high,
    requires: [.tableQueueBatch, .callRCU, .callbackStart, .callbackEnd, .tableFree],
    regime: .tablePath,
    stages: "––✓–✓✓–✓✓", exemptions: [.e15],
    statement: "A callback tears down exactly the tables of its batch, in queue order, "
      + "and frees the batch page once, last.",
    rationale: "A table left behind leaks, a stranger's is freed too early. Decided only "
      + "for batches of which every queue event was seen.",
    example: "torn down out of queue order")

  /// Kinds that decide which table belongs to which callback.
  private static let membership: KindSet = [
    .tableQueueBatch, .tableFallback, .callRCU, .callbackStart, .callbackEnd,
  ]

  /// Callbacks that ended with tables left, by serial, until the last of those is freed.
  private var unfinished: [UInt32: KeptEvent] = [:]
  /// Tables of a callback that were freed elsewhere once it had started, by its serial.
  private var late: [UInt32: Int32] = [:]
  private var quiescence = Quiescence()
  private var seesPut = false

  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally) {
    quiescence.take(batch)
    if !batch.places(of: .tablePut).isEmpty { seesPut = true }
    for place in batch.places(of: .callbackEnd) { judge(end: batch[place], &tally) }
    for place in batch.places(of: .tableFree) { judge(free: batch[place], &tally) }
    for place in batch.places(of: .batchFree) { judge(page: batch[place], &tally) }
  }

  private mutating func judge(free event: ResolvedEvent, _ tally: inout Tally) {
    guard let table = event.table, !table.queueInferred, table.path == .batch,
      let own = event.callback, own.queuedAt != .none
    else { return }
    let since = min(own.openedAt, event.running?.openedAt ?? own.openedAt)
    guard let running = event.running, running.function == .removeTableBatch,
      running.queuedAt != .none, own.serial == running.serial
    else {
      if own.runs > 0 {
        // Its own callback has dropped it: whoever held the last reference frees it now.
        tally.exempt(.e15)
        // If it was destructed or put there, it counts as torn down already.
        if !table.isTorn { takeLate(own) }
      } else if !table.isFreed, let running = event.running,
        running.function == .removeTableBatch, running.queuedAt != .none
      {
        tally.exercised += 1
        tally.report(
          "freed in the callback of another batch", at: event, since: since,
          absent: Self.membership)
      }
      return
    }
    if table.isFreed {
      // A second free is I08's.
    } else if running.pageFrees > 0 {
      tally.exercised += 1
      tally.report(
        "batch page freed before all its tables", at: event, since: running.startedAt,
        absent: [.callbackStart, .callbackEnd])
    } else if table.batchIndex < running.lastIndex {
      tally.exercised += 1
      tally.report(
        "torn down out of queue order", at: event, since: since, absent: Self.membership)
    }
  }

  /// A table of `callback` was freed elsewhere; how many are left only ever becomes less.
  private mutating func takeLate(_ callback: CallbackLife) {
    late[callback.serial, default: 0] &+= 1
    guard unfinished[callback.serial] != nil, left(of: callback) <= 0 else { return }
    unfinished[callback.serial] = nil
    late[callback.serial] = nil
  }

  /// Tables of an ended callback that were freed neither in it nor elsewhere.
  private func left(of callback: CallbackLife) -> Int32 {
    callback.members - callback.torn - (late[callback.serial] ?? 0)
  }

  private mutating func judge(end event: ResolvedEvent, _ tally: inout Tally) {
    guard let callback = event.callback, callback.function == .removeTableBatch,
      callback.startedAt != .none, callback.endedAt < callback.startedAt,
      // The end of another run, on another CPU, says nothing about it.
      event.running?.serial == callback.serial
    else { return }
    guard callback.isComplete else {
      tally.pending += 1
      return
    }
    tally.exercised += 1
    guard callback.runs == 1, left(of: callback) > 0 else { return }
    unfinished[callback.serial] = event.alone
  }

  private func judge(page event: ResolvedEvent, _ tally: inout Tally) {
    guard let callback = event.callback, callback.pageFrees > 0 else { return }
    tally.exercised += 1
    tally.report(
      "batch page freed a second time", missing: "batch_new", at: event,
      since: callback.pageFreedAt, absent: [.batchNew, .callRCU])
  }

  mutating func finish(_ state: Resolver, into tally: inout Tally) {
    for (_, end) in unfinished.sorted(by: { $0.key < $1.key }) {
      end.with { judge(unfinished: $0, state, &tally) }
    }
    for callback in state.callbacks
    where callback.function == .removeTableBatch && callback.queuedAt != .none
      && callback.runs == 0 && !callback.isSuperseded
    {
      tally.pending += 1
    }
  }

  private func judge(unfinished end: ResolvedEvent, _ state: Resolver, _ tally: inout Tally) {
    guard let life = end.callback, left(of: life) > 0 else { return }
    let cause = "callback ended with tables of its batch left"
    if life.destructorsOwed == life.members || seesPut {
      // A page that is merely held shows its destructor or its put inside the callback.
      tally.report(
        cause, missing: "pt_dtor, pt_free", at: end, since: life.openedAt,
        absent: Self.membership.union([.tableFree, .tablePut, .tableDestruct]))
    } else if quiescence.binds(end.ordinal) {
      tally.reportLeft(
        cause, missing: "pt_free", state: state, at: quiescence, since: life.openedAt,
        absent: Self.membership.union([.tableFree, .tableAlloc]), callback: life)
    } else {
      tally.pending += 1
    }
  }
}
