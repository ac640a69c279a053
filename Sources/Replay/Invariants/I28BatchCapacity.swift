import TraceFormat

/// I28: a batch holds at most MAX_TABLE_BATCH tables, and a full one is flushed at once.
///
/// "At once" is: before its task unlinks or queues another table, or ends its gather. A TLB
/// invalidation lies in between by right.
struct BatchCapacity: Invariant {
  static let description = InvariantDescription(
    "I28", "full batches are flushed at once", severity: .medium,
    requires: [.tableQueueBatch, .batchAdd, .callRCU], facts: [.batchCapacity],
    regime: .tablePath, stages: "––✓–✓✓–✓✓",
    statement: "A batch holds at most MAX_TABLE_BATCH tables (509 with 4 KiB pages and 64 bits); "
      + "the table that fills it sends it to call_rcu before its task goes on.",
    rationale: "One more pointer is written behind the end of the batch page.",
    example: "table put into a full batch")

  private var capacity: UInt64 = .max
  /// Tasks whose batch is full, and where it became so.
  private var full: [(batch: UInt64, task: UInt32, at: Ordinal)] = []

  /// What a task with a full batch may not do.
  private static let later: KindSet = [.tableUnlink, .tableQueueBatch, .gatherFinish]

  mutating func begin(_ header: TraceHeader) {
    capacity = header.machine?.batchCapacity ?? .max
  }

  mutating func judge(_ batch: ResolvedBatch, into tally: inout Tally) {
    for place in batch.places(of: .callRCU) {
      let event = batch.event(at: place)
      guard event.arg0 == UInt64(CallbackFunction.removeTableBatch.rawValue) else { continue }
      tally.exercised += 1
      if event.arg1 > capacity {
        tally.report(
          "batch of more than MAX_TABLE_BATCH tables", at: batch[place],
          since: batch.firstOrdinal + Ordinal(place))
      }
    }
    for index in full.indices.reversed() {
      if follow(full[index], from: 0, in: batch, &tally) { full.remove(at: index) }
    }
    for place in batch.places(of: .batchAdd) {
      let event = batch.event(at: place)
      guard event.arg1 &+ 1 >= capacity else { continue }
      judge(filled: batch[place], place, batch, &tally)
    }
  }

  private mutating func judge(
    filled event: ResolvedEvent, _ place: Int32, _ batch: ResolvedBatch, _ tally: inout Tally
  ) {
    if event.event.arg1 >= capacity {
      tally.report("table put into a full batch", at: event, since: event.ordinal)
      return
    }
    tally.exercised += 1
    let entry = (batch: event.event.arg0, task: event.event.task, at: event.ordinal)
    if !follow(entry, from: Int(place) + 1, in: batch, &tally), full.count < 4096 {
      full.append(entry)
    }
  }

  /// Looks for what the task of a full batch does next; false if that is not in this batch of
  /// events. Full batches are rare: one in 509 tables.
  private func follow(
    _ entry: (batch: UInt64, task: UInt32, at: Ordinal), from start: Int,
    in batch: ResolvedBatch, _ tally: inout Tally
  ) -> Bool {
    for index in start..<batch.events.count {
      let event = batch.events[index]
      if event.kind == .callRCU, event.object == entry.batch { return true }
      // Its batch page may be in use again by the time the task is seen next.
      if event.kind == .batchNew, event.object == entry.batch { return true }
      guard event.task == entry.task, Self.later.contains(event.kind),
        event.context == .task || event.context == .unknown
      else { continue }
      tally.report(
        "task went on with a full batch", missing: "call_rcu",
        at: batch[Int32(truncatingIfNeeded: index)], since: entry.at, absent: [.callRCU])
      return true
    }
    return false
  }

  mutating func finish(_ state: Resolver, into tally: inout Tally) { tally.pending += full.count }
}
