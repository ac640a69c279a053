import TraceFormat

/// I29: a callback tears down exactly the tables of its batch, in queue order, then frees the
/// batch page once.
struct BatchTornDownInOrder: Invariant {
  static let description = InvariantDescription(
    "I29", "a callback tears down its batch, in order", severity: .high,
    requires: [.tableQueueBatch, .callRCU, .callbackStart, .callbackEnd, .tableFree],
    regime: .tablePath,
    "A callback tears down exactly the tables of its batch, in queue order, and frees the batch "
      + "page once, last.")

  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally) {
    for place in batch.places(of: .tableFree) { judge(free: batch[place], &tally) }
    for place in batch.places(of: .callbackEnd) { judge(end: batch[place], &tally) }
    for place in batch.places(of: .batchFree) { judge(page: batch[place], &tally) }
  }

  private func judge(free event: ResolvedEvent, _ tally: inout Tally) {
    guard let table = event.table, !table.isFreed, table.path == .batch,
      let running = event.running, running.function == .removeTableBatch,
      running.queuedAt != .none
    else { return }
    guard let own = event.callback, own.queuedAt != .none else { return }
    if own.serial != running.serial {
      guard own.runs == 0 else {
        tally.exempt(.e15)
        return
      }
      tally.report(
        "freed in the callback of another batch", at: event, since: table.queueAt,
        absent: own.isComplete && running.isComplete ? [] : [.tableQueueBatch, .callRCU])
    } else if table.batchIndex < running.lastIndex {
      tally.report(
        "torn down out of queue order", at: event, since: running.startedAt,
        absent: running.isComplete ? [] : [.tableQueueBatch])
    }
  }

  private func judge(end event: ResolvedEvent, _ tally: inout Tally) {
    guard let callback = event.callback, callback.function == .removeTableBatch,
      callback.startedAt != .none
    else { return }
    guard callback.isComplete else {
      tally.pending += 1
      return
    }
    tally.exercised += 1
    guard callback.torn != callback.members else { return }
    tally.report(
      callback.torn < callback.members
        ? "callback ended with tables of its batch left"
        : "callback tore down more tables than its batch had",
      missing: "pt_free", at: event, since: callback.startedAt, absent: [.tableFree, .tablePut])
  }

  private func judge(page event: ResolvedEvent, _ tally: inout Tally) {
    guard let callback = event.callback, callback.queuedAt != .none else { return }
    if callback.pageFrees > 0 {
      tally.report(
        "batch page freed a second time", missing: "batch_new", at: event,
        since: callback.startedAt, absent: [.batchNew, .callRCU])
    } else if callback.isComplete, callback.torn < callback.members {
      tally.report(
        "batch page freed before all its tables", missing: "pt_free", at: event,
        since: callback.startedAt, absent: [.tableFree, .tablePut])
    }
  }
}
