import TraceFormat

/// Everything a trace showed of the kernel's behaviour.
public struct FingerprintTraits: Sendable {
  /// Where unlinked tables went.
  public internal(set) var path = Trait<QueuePath>()
  /// When their destructor ran, on the table path without fallback.
  public internal(set) var destructor = Trait<DestructorOrder>()
  /// When their separate ptlock was freed, likewise.
  public internal(set) var lockFree = Trait<DestructorOrder>()
  /// How the no-memory fallback waited.
  public internal(set) var fallback = Trait<FallbackWait>()
  /// How TLB invalidations travelled.
  public internal(set) var transport = Trait<FlushTransport>()
  /// Tables freed by madvise.
  public internal(set) var reclaim = Trait<ReclaimSign>()
  /// Separate ptlocks.
  public internal(set) var locks = Trait<LockKind>()
  /// Destructors of levels that had none before v6.14.
  public internal(set) var upperDestructor = Trait<LateDestructor>()
  /// Events read.
  public internal(set) var events = 0
  /// Holes in the recording.
  public internal(set) var losses = 0
}

/// Collects ``FingerprintTraits`` in one pass.
struct TraitCollector {
  private(set) var traits = FingerprintTraits()
  /// The CPU that is flushing each mm, and where it began.
  private var flushes: [UInt64: (cpu: UInt16, at: Ordinal)] = [:]
  /// The fallback each task is in the middle of.
  private var fallbacks: [UInt32: Ordinal] = [:]

  mutating func take(_ batch: ResolvedBatch) {
    traits.events += batch.events.count
    traits.losses += batch.places(of: .loss).count
    for place in batch.places(of: .tableQueuePage) { queued(batch[place], .page) }
    for place in batch.places(of: .tableQueueBatch) { queued(batch[place], .table) }
    for place in batch.places(of: .tableDestruct) { destructed(batch[place]) }
    for place in batch.places(of: .tableFree) { freed(batch[place]) }
    for place in batch.places(of: .lockFree) { lockFreed(batch[place]) }
    takeWaits(batch)
  }

  /// Fallbacks, what ends their wait, and flushes, in the order of the trace.
  private mutating func takeWaits(_ batch: ResolvedBatch) {
    let kinds: [EventKind] = [
      .tableFallback, .ipiSyncEnd, .ipiSyncAck, .callRCU, .synchronizeEnd, .tableFree,
      .flushStart, .flushAck, .flushEnd,
    ]
    guard kinds.contains(where: { $0 != .tableFree && !batch.places(of: $0).isEmpty }) else {
      return
    }
    for place in kinds.flatMap({ batch.places(of: $0) }).sorted() {
      let event = batch.event(at: place)
      let at = batch.firstOrdinal + Ordinal(place)
      switch event.kind {
      case .tableFallback: fallbacks[event.task] = at
      case .ipiSyncEnd: waited(.ipiSync, batch[place])
      case .callRCU:
        if event.arg0 == UInt64(CallbackFunction.removeTableOne.rawValue) {
          ownCallback(batch[place])
        }
      case .synchronizeEnd: waited(.synchronize, batch[place])
      case .tableFree: fallbacks[event.task] = nil
      case .flushStart: flushes[event.object] = (event.cpu, at)
      case .flushEnd: flushes[event.object] = nil
      case .flushAck: acknowledged(event, at)
      default: break
      }
    }
  }

  /// A table entered a queue; where its destructor ran before is an early one.
  private mutating func queued(_ event: ResolvedEvent, _ path: QueuePath) {
    guard !event.event.flags.contains(.inferred) else { return }
    traits.path.show(path, single(event))
    if event.event.flags.contains(.reclaimed) { traits.reclaim.show(.reclaimed, single(event)) }
    guard path == .table, let table = event.table, !table.isFreed else { return }
    if table.destructAt != .none, table.destructPlacement == .direct,
      event.isClean(since: table.destructAt)
    {
      traits.destructor.show(.early, pair(table.destructAt, .tableDestruct, event))
    }
    if table.lockFreeAt != .none, table.lockFreePlacement == .direct,
      event.isClean(since: table.lockFreeAt)
    {
      traits.lockFree.show(.early, pair(table.lockFreeAt, .lockFree, event))
    }
  }

  /// Where no probe shows the page gather, a table that its task destructs and then frees without
  /// any callback shows it all the same.
  private mutating func freed(_ event: ResolvedEvent) {
    guard let table = event.table, !table.isFreed, table.path == .page, table.queueInferred,
      !event.event.flags.contains(.inferred), event.resolution.run == 0,
      table.destructAt != .none, event.isClean(since: table.destructAt)
    else { return }
    traits.path.show(.page, pair(table.destructAt, .tableDestruct, event))
  }

  private mutating func destructed(_ event: ResolvedEvent) {
    guard !event.event.flags.contains(.inferred) else { return }
    if event.event.level == .p4d || event.event.level == .pgd {
      traits.upperDestructor.show(.upper, single(event))
    }
    guard let table = event.table, table.destructAt == .none, waitsInBatch(table, event) else {
      return
    }
    traits.destructor.show(.inCallback, pair(table.queueAt, .tableQueueBatch, event))
  }

  private mutating func lockFreed(_ event: ResolvedEvent) {
    guard !event.event.flags.contains(.inferred) else { return }
    traits.locks.show(.separate, single(event))
    guard let table = event.table, table.lockFreeAt == .none, waitsInBatch(table, event) else {
      return
    }
    traits.lockFree.show(.inCallback, pair(table.queueAt, .tableQueueBatch, event))
  }

  /// The event happens inside the callback of the batch its table was seen to be queued in.
  private func waitsInBatch(_ table: TableLife, _ event: ResolvedEvent) -> Bool {
    event.resolution.run != 0 && table.path == .batch && !table.queueInferred
      && !table.isFreed && event.isClean(since: table.queueAt)
  }

  private mutating func waited(_ how: FallbackWait, _ event: ResolvedEvent) {
    guard !event.event.flags.contains(.inferred), let open = fallbacks[event.event.task],
      event.isCPUClean(since: open)
    else { return }
    traits.fallback.show(how, pair(open, .tableFallback, event))
    fallbacks[event.event.task] = nil
  }

  private mutating func ownCallback(_ event: ResolvedEvent) {
    if let open = fallbacks.removeValue(forKey: event.event.task) {
      traits.fallback.show(.callback, pair(open, .tableFallback, event))
    } else {
      // Only the no-memory fallback queues this function, seen or not.
      traits.fallback.show(.callback, single(event))
    }
  }

  private mutating func acknowledged(_ event: Event, _ at: Ordinal) {
    guard let flush = flushes[event.object], flush.cpu != event.cpu else { return }
    traits.transport.show(
      .ipi, TraitExample(fromKind: .flushStart, fromAt: flush.at, event: event, at: at))
  }

  private func single(_ event: ResolvedEvent) -> TraitExample {
    TraitExample(event: event.event, at: event.ordinal)
  }

  private func pair(
    _ earlier: Ordinal, _ kind: EventKind, _ event: ResolvedEvent
  ) -> TraitExample {
    TraitExample(fromKind: kind, fromAt: earlier, event: event.event, at: event.ordinal)
  }
}
