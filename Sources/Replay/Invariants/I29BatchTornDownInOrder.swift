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
    "A callback tears down exactly the tables of its batch, in queue order, and frees the batch "
      + "page once, last.")

  /// Kinds that decide which table belongs to which callback.
  private static let membership: KindSet = [
    .tableQueueBatch, .tableFallback, .callRCU, .callbackStart, .callbackEnd,
  ]

  /// Callbacks that ended with tables left, by serial: the event and how many are still left.
  private var unfinished: [UInt32: (end: ResolvedEvent, left: Int32)] = [:]
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
    guard let table = event.table, !table.isFreed, !table.queueInferred, table.path == .batch,
      let own = event.callback, own.queuedAt != .none
    else { return }
    let since = min(own.openedAt, event.running?.openedAt ?? own.openedAt)
    guard let running = event.running, running.function == .removeTableBatch,
      running.queuedAt != .none, own.serial == running.serial
    else {
      if own.endedAt != .none, own.endedAt < event.ordinal {
        // Its own callback is over: whoever dropped the last reference freed it now.
        tally.exempt(.e15)
        // Otherwise its destructor or its put counted as torn down inside the callback.
        if table.destructRun == 0, !seesPut { unfinished[own.serial]?.left -= 1 }
      } else if own.runs == 0, let running = event.running,
        running.function == .removeTableBatch, running.queuedAt != .none
      {
        tally.exercised += 1
        tally.report(
          "freed in the callback of another batch", at: event, since: since,
          absent: Self.membership)
      }
      return
    }
    if running.pageFrees > 0 {
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

  private mutating func judge(end event: ResolvedEvent, _ tally: inout Tally) {
    guard let callback = event.callback, callback.function == .removeTableBatch,
      callback.startedAt != .none, callback.endedAt < callback.startedAt
    else { return }
    guard callback.isComplete else {
      tally.pending += 1
      return
    }
    tally.exercised += 1
    guard callback.torn < callback.members, callback.runs == 1 else { return }
    unfinished[callback.serial] = (event, callback.members - callback.torn)
  }

  private func judge(page event: ResolvedEvent, _ tally: inout Tally) {
    guard let callback = event.callback, callback.pageFrees > 0 else { return }
    tally.exercised += 1
    tally.report(
      "batch page freed a second time", missing: "batch_new", at: event,
      since: callback.startedAt, absent: [.batchNew, .callRCU])
  }

  mutating func finish(_ state: Resolver, into tally: inout Tally) {
    for (_, callback) in unfinished.sorted(by: { $0.key < $1.key }) where callback.left > 0 {
      guard let life = callback.end.callback else { continue }
      // A page that is merely held shows its destructor or its put inside the callback.
      if life.destructorsOwed == life.members || seesPut || quiescence.binds(callback.end.ordinal) {
        tally.report(
          "callback ended with tables of its batch left", missing: "pt_free", at: callback.end,
          since: life.openedAt,
          absent: Self.membership.union([.tableFree, .tablePut]))
      } else {
        tally.pending += 1
      }
    }
    for callback in state.callbacks
    where callback.function == .removeTableBatch && callback.queuedAt != .none
      && callback.runs == 0 && !callback.isSuperseded
    {
      tally.pending += 1
    }
  }
}
