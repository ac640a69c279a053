public import TraceFormat

/// What was counted in a trace besides its invariants: the regime, and the fate of the locks.
public struct TraceFacts: Sendable, Equatable {
  /// Events by raw value of their kind.
  public internal(set) var counts: [Int] = Array(repeating: 0, count: 256)
  /// Tables queued into a batch (including those that fell back).
  public internal(set) var queuedForBatch = 0
  /// Tables put into the page gather.
  public internal(set) var queuedForPage = 0
  /// Tables that fell back for want of memory.
  public internal(set) var fallbacks = 0
  /// Tables with a callback of their own (`pte_free_defer()`).
  public internal(set) var deferred = 0
  /// Frees of tables inside an RCU callback.
  public internal(set) var freedInCallback = 0
  /// Frees of tables outside any callback.
  public internal(set) var freedOutside = 0
  /// Destructors by place, in the order of ``Placement``; counted when the table is queued or,
  /// after that, when the destructor runs.
  public internal(set) var destructors: [Int] = Array(
    repeating: 0, count: Placement.allCases.count)
  /// Frees of separate locks by place, in the order of ``Placement``; counted like destructors.
  public internal(set) var lockFrees: [Int] = Array(repeating: 0, count: Placement.allCases.count)
  /// Queued tables, freed in the trace, whose separate lock died before a grace period.
  public internal(set) var locksFreedEarly = 0
  /// Queued tables, freed in the trace, whose separate lock died after a grace period.
  public internal(set) var locksFreedInTime = 0
  /// Among the early ones, those of fallback tables.
  public internal(set) var locksFreedEarlyInFallback = 0
  /// Locks allocated in the memory of a lock whose table was still waiting to be freed.
  public internal(set) var locksReusedWhilePending = 0

  /// Tables were queued, and none of them for RCU.
  public var usesPagePathOnly: Bool {
    queuedForBatch == 0 && queuedForPage > 0
  }

  /// Number of events of a kind.
  public func count(of kind: EventKind) -> Int { counts[Int(kind.rawValue)] }

  /// Destructors seen at a place.
  public func destructors(at placement: Placement) -> Int {
    destructors[Int(placement.rawValue)]
  }
}

/// Counts ``TraceFacts`` batch by batch.
struct FactGatherer {
  private static let kinds = EventKind.allCases
  private var facts = TraceFacts()

  mutating func take(_ batch: ResolvedBatch) {
    for kind in Self.kinds {
      facts.counts[Int(kind.rawValue)] += batch.places(of: kind).count
    }
    facts.queuedForBatch += batch.places(of: .tableQueueBatch).count
    facts.queuedForPage += batch.places(of: .tableQueuePage).count
    facts.fallbacks += batch.places(of: .tableFallback).count
    facts.deferred += batch.places(of: .tableDefer).count
    for place in batch.places(of: .tableFree) { take(free: batch[place]) }
    for place in batch.places(of: .lockAlloc)
    where batch.resolutions[Int(place)].reusesPendingLock {
      facts.locksReusedWhilePending += 1
    }
    countDestructors(batch)
  }

  private mutating func countDestructors(_ batch: ResolvedBatch) {
    for place in batch.places(of: .tableDestruct) {
      let event = batch[place]
      guard let table = event.table, table.destructAt == .none else { continue }
      facts.destructors[Int(placement(event, table).rawValue)] += 1
    }
    for place in batch.places(of: .lockFree) {
      let event = batch[place]
      guard let table = event.table, table.lockFreeAt == .none else { continue }
      facts.lockFrees[Int(placement(event, table).rawValue)] += 1
    }
    let direct = Int(Placement.direct.rawValue)
    let early = Int(Placement.beforeQueue.rawValue)
    for kind in [EventKind.tableQueueBatch, .tableQueuePage, .tableDefer] {
      for place in batch.places(of: kind) {
        guard let table = batch.table(at: place) else { continue }
        if table.destructPlacement == .direct {
          facts.destructors[direct] -= 1
          facts.destructors[early] += 1
        }
        if table.lockFreePlacement == .direct {
          facts.lockFrees[direct] -= 1
          facts.lockFrees[early] += 1
        }
      }
    }
  }

  private func placement(_ event: ResolvedEvent, _ table: TableLife) -> Placement {
    if event.resolution.run != 0 { return .inCallback }
    guard table.path != .none else { return .direct }
    return event.gracePeriodPassed(since: table.unreachableSince)
      ? .afterGracePeriod : .withoutGracePeriod
  }

  private mutating func take(free event: ResolvedEvent) {
    if event.resolution.run != 0 {
      facts.freedInCallback += 1
    } else {
      facts.freedOutside += 1
    }
    guard let table = event.table, !table.isFreed, table.path == .batch || table.path == .fallback
    else { return }
    switch table.lockFreePlacement {
    case .beforeQueue, .withoutGracePeriod:
      facts.locksFreedEarly += 1
      if table.path == .fallback { facts.locksFreedEarlyInFallback += 1 }
    case .inCallback, .afterGracePeriod: facts.locksFreedInTime += 1
    case .none, .direct: break
    }
  }

  func finish(_ state: Resolver) -> TraceFacts { facts }
}
