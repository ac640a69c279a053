import TraceFormat

/// Tells which tables an event concerns that names none, or more than one: callbacks, grace periods,
/// invalidations, fallbacks (docs/MODELS.md, "What concerns a table").
///
/// It keeps just enough to answer: the batch each task fills, the tables of each head, the tables
/// that wait for a grace period or an invalidation.
struct TableFollower {
  /// What it remembers of a table, by slot.
  private struct Memory {
    var generation: UInt32
    /// Since when no walk can reach it: the unlink where it was seen, else the queueing.
    var unreachableSince: Ordinal = .none
    var mm: UInt64 = 0
    /// A complete invalidation has passed since the unlink.
    var isFlushed = false
    var isFreed = false
  }

  /// A table in one of its lives, as remembered by something else.
  private struct Reference {
    let slot: Int32
    let generation: UInt32
  }

  private struct Waiting {
    let table: Reference
    let since: Ordinal
    var sawStart = false
  }

  private struct Batch {
    let gather: UInt64
    var members: [Reference] = []
  }

  private var memories: [Memory] = []
  private var openBatches: [UInt32: Batch] = [:]
  private var members: [UInt64: [Reference]] = [:]
  private var graceWaiters: [Waiting] = []
  private var firstWaiter = 0
  private var lastSeq: UInt64?
  private var flushWaiters: [UInt64: [Reference]] = [:]
  private var flushStarts: [UInt32: (mm: UInt64, at: Ordinal)] = [:]
  private var fallbacks: [UInt32: Reference] = [:]

  private let followsGracePeriods: Bool
  private let followsFlushes: Bool

  /// - Parameter wanted: what will be asked for; nothing else is kept.
  init(wanted: KindSet) {
    followsGracePeriods = wanted.contains(.gracePeriodStart) || wanted.contains(.gracePeriodEnd)
    followsFlushes = wanted.contains(.flushStart) || wanted.contains(.flushEnd)
  }

  /// mm a table belongs to, 0 if unknown.
  func mm(of slot: Int32) -> UInt64 { memories[Int(slot)].mm }

  // MARK: - Tables

  /// Notes what an event says about the table in `slot`.
  mutating func note(_ event: Event, _ slot: Int32, _ generation: UInt32, at ordinal: Ordinal) {
    while memories.count <= Int(slot) { memories.append(Memory(generation: .max)) }
    let index = Int(slot)
    if memories[index].generation != generation {
      memories[index] = Memory(generation: generation)
    }
    let table = Reference(slot: slot, generation: generation)
    switch event.kind {
    case .tableAlloc, .tableConstruct:
      if event.arg0 != 0 { memories[index].mm = event.arg0 }
    case .tableInstall:
      if event.arg0 != 0 { memories[index].mm = event.arg0 }
      memories[index].unreachableSince = .none
    case .tableUnlink:
      if event.arg0 != 0 { memories[index].mm = event.arg0 }
      if !event.flags.contains(.inferred) { becomeUnreachable(table, at: ordinal) }
    case .tableQueueBatch, .tableQueuePage, .tableDefer:
      if memories[index].mm == 0 {
        memories[index].mm = event.kind == .tableDefer ? event.arg0 : event.arg1
      }
      if memories[index].unreachableSince == .none { becomeUnreachable(table, at: ordinal) }
      if event.kind == .tableQueueBatch { queue(table, event) }
    case .tableFallback:
      leaveBatch(table, event.task)
      fallbacks[event.task] = table
    case .tableFree:
      memories[index].isFreed = true
      memories[index].unreachableSince = .none
    default: break
    }
  }

  private mutating func becomeUnreachable(_ table: Reference, at ordinal: Ordinal) {
    let index = Int(table.slot)
    memories[index].unreachableSince = ordinal
    memories[index].isFlushed = false
    if followsGracePeriods { graceWaiters.append(Waiting(table: table, since: ordinal)) }
    if followsFlushes, memories[index].mm != 0 {
      flushWaiters[memories[index].mm, default: []].append(table)
    }
  }

  private func isCurrent(_ table: Reference) -> Bool {
    memories[Int(table.slot)].generation == table.generation
  }

  // MARK: - Batches and callbacks

  private mutating func queue(_ table: Reference, _ event: Event) {
    if openBatches[event.task]?.gather != event.arg0 {
      openBatches[event.task] = Batch(gather: event.arg0)
    }
    openBatches[event.task]?.members.append(table)
  }

  private mutating func leaveBatch(_ table: Reference, _ task: UInt32) {
    openBatches[task]?.members.removeAll { $0.slot == table.slot }
  }

  /// Tables a callback event concerns; `slot` finds the table of a pfn.
  mutating func tables(of event: Event, head: UInt64, slot: (UInt64) -> Int32) -> [Int32] {
    switch event.kind {
    case .callRCU:
      let function = event.callbackFunction
      switch function {
      case .removeTableBatch:
        members[head] = openBatches.removeValue(forKey: event.task)?.members ?? []
      case .freeDeferred, .removeTableOne:
        let table = slot(event.arg1)
        members[head] = table < 0 ? [] : [reference(table)]
        if table >= 0 { leaveBatch(reference(table), event.task) }
      case .other: members[head] = []
      }
      return current(members[head] ?? [])
    case .callbackStart, .batchFree: return current(members[head] ?? [])
    case .callbackEnd: return current(members.removeValue(forKey: head) ?? [])
    default: return []
    }
  }

  private func reference(_ slot: Int32) -> Reference {
    Reference(slot: slot, generation: memories[Int(slot)].generation)
  }

  private func current(_ tables: [Reference]) -> [Int32] {
    tables.filter(isCurrent).map(\.slot)
  }

  // MARK: - Grace periods

  /// Tables for which a grace period began that began after they became unreachable.
  mutating func gracePeriodStarted(_ event: Event) -> [Int32] {
    // Said twice: the earlier one counts.
    if let lastSeq, lastSeq >> 2 == event.object >> 2 { return [] }
    lastSeq = event.object
    var tables: [Int32] = []
    for index in firstWaiter..<graceWaiters.count where !graceWaiters[index].sawStart {
      graceWaiters[index].sawStart = true
      if isWaiting(graceWaiters[index]) { tables.append(graceWaiters[index].table.slot) }
    }
    return tables
  }

  /// Tables for which a grace period is over that began at `start`.
  mutating func gracePeriodsEnded(lastStart start: Ordinal) -> [Int32] {
    var tables: [Int32] = []
    while firstWaiter < graceWaiters.count, graceWaiters[firstWaiter].since < start {
      if isWaiting(graceWaiters[firstWaiter]) {
        tables.append(graceWaiters[firstWaiter].table.slot)
      }
      firstWaiter += 1
    }
    if firstWaiter > 1024, firstWaiter * 2 > graceWaiters.count {
      graceWaiters.removeFirst(firstWaiter)
      firstWaiter = 0
    }
    return tables
  }

  private func isWaiting(_ waiting: Waiting) -> Bool {
    isCurrent(waiting.table)
      && memories[Int(waiting.table.slot)].unreachableSince == waiting.since
  }

  // MARK: - Invalidations, fallbacks

  /// Unreachable tables of the mm that this flush, begun after their unlink, invalidates.
  mutating func flushed(_ event: Event, at ordinal: Ordinal) -> [Int32] {
    let waiters = flushWaiters[event.object] ?? []
    if event.kind == .flushStart {
      flushStarts[event.task] = (event.object, ordinal)
      return waiters.filter(isUnflushed).map(\.slot)
    }
    var begin = ordinal
    if let start = flushStarts.removeValue(forKey: event.task), start.mm == event.object {
      begin = start.at
    }
    var tables: [Int32] = []
    var left: [Reference] = []
    for table in waiters where isUnflushed(table) {
      if memories[Int(table.slot)].unreachableSince < begin {
        memories[Int(table.slot)].isFlushed = true
        tables.append(table.slot)
      } else {
        left.append(table)
      }
    }
    flushWaiters[event.object] = left.isEmpty ? nil : left
    return tables
  }

  private func isUnflushed(_ table: Reference) -> Bool {
    let memory = memories[Int(table.slot)]
    return isCurrent(table) && memory.unreachableSince != .none && !memory.isFlushed
      && !memory.isFreed
  }

  /// The table this task frees on its own, for want of memory.
  func fallback(of task: UInt32) -> Int32? {
    guard let table = fallbacks[task], isCurrent(table), !memories[Int(table.slot)].isFreed else {
      return nil
    }
    return table.slot
  }

  /// A gather begins or ends: a batch left over was never flushed, as far as the trace shows.
  mutating func abandonBatch(of task: UInt32) { openBatches[task] = nil }
}
