public import TraceFormat

/// Builds a ``TraceProfile`` in one pass.
public struct ProfileBuilder {
  private var words = LifeWords()
  private var slots = SlotMap(capacity: 1024)
  private var tracks: [Track] = []
  private var gatherer = FactGatherer()
  private var counts: [ShapeKey: (count: Int, order: Int, exemplar: Exemplar)] = [:]
  private var profile: TraceProfile
  private var retainedTables = 0
  private var undestructed = 0
  private var retainedLocks = 0

  private struct Track {
    var node = LifeWords.root
    var bornInTrace = false
    var gracePeriodSeen = false
    var unlinkTime: UInt64?
    var lockFreeTime: UInt64?
    var isQueued = false
    var isDestructed = false
    var isLockFreed = false
  }

  private struct ShapeKey: Hashable {
    let level: TableLevel
    let node: Int32
  }

  private struct Exemplar {
    let pfn: UInt64
    let generation: UInt32
    let freeAt: Ordinal
  }

  /// A builder for a trace with this header.
  public init(header: TraceHeader) { profile = TraceProfile(header: header) }

  /// Reads `source` to its end.
  public static func profile(of source: any EventSource) throws -> TraceProfile {
    var builder = ProfileBuilder(header: source.header)
    var resolver = Resolver()
    var batch = EventBatch()
    var resolved = ResolvedBatch()
    while try source.next(into: &batch) {
      resolver.resolve(inParts: batch, &resolved) { builder.take($0) }
    }
    return builder.finish(header: source.header, resolver)
  }

  private mutating func take(_ batch: ResolvedBatch) {
    profile.events += batch.events.count
    gatherer.take(batch)
    for place in batch.events.indices {
      let event = batch.events[place]
      switch event.kind {
      case .tableAlloc: begin(event)
      case .tableConstruct, .tableInstall, .tableUnlink, .tableQueueBatch, .tableQueuePage,
        .tableFallback, .tableDestruct, .tableFree, .tableDeposit, .tableWithdraw, .tableDefer,
        .lockFree, .lockAlloc:
        step(batch[Int32(truncatingIfNeeded: place)])
      default: break
      }
    }
  }

  private mutating func begin(_ event: Event) {
    var track = Track()
    track.bornInTrace = true
    let slot = slots.find(event.object)
    if slot >= 0 {
      release(Int(slot))
      tracks[Int(slot)] = track
    } else {
      slots.set(event.object, Int32(truncatingIfNeeded: tracks.count))
      tracks.append(track)
    }
    extend(Int(slots.find(event.object)), .tableAlloc, false, false)
  }

  private mutating func step(_ event: ResolvedEvent) {
    guard let table = event.table, !table.isFreed else { return }
    var slot = slots.find(table.pfn)
    if slot < 0 {
      slot = Int32(truncatingIfNeeded: tracks.count)
      slots.set(table.pfn, slot)
      tracks.append(Track())
    }
    let index = Int(slot)
    var afterGracePeriod = false
    if !tracks[index].gracePeriodSeen, table.path != .none,
      event.gracePeriodPassed(since: table.unreachableSince)
    {
      tracks[index].gracePeriodSeen = true
      afterGracePeriod = true
    }
    extend(index, event.event.kind, event.resolution.run != 0, afterGracePeriod)
    note(event, index)
    if event.event.kind == .tableFree { end(event, table, index) }
  }

  private mutating func extend(
    _ index: Int, _ kind: EventKind, _ inCallback: Bool, _ afterGracePeriod: Bool
  ) {
    tracks[index].node = words.extend(
      tracks[index].node,
      by: LifeToken(kind: kind, inCallback: inCallback, afterGracePeriod: afterGracePeriod))
  }

  /// Distances and what is retained.
  private mutating func note(_ event: ResolvedEvent, _ index: Int) {
    let time = event.event.time
    switch event.event.kind {
    case .tableUnlink: tracks[index].unlinkTime = time
    case .tableInstall: tracks[index].unlinkTime = nil
    case .tableQueueBatch, .tableQueuePage, .tableDefer: queue(event, index)
    case .lockFree:
      tracks[index].lockFreeTime = time
      if tracks[index].isQueued, !tracks[index].isLockFreed { retainedLocks -= 1 }
      tracks[index].isLockFreed = true
    case .tableDestruct:
      if tracks[index].isQueued, !tracks[index].isDestructed { undestructed -= 1 }
      tracks[index].isDestructed = true
      if let start = tracks[index].unlinkTime { profile.unlinkToDestructor.add(time &- start) }
    default: break
    }
  }

  private mutating func queue(_ event: ResolvedEvent, _ index: Int) {
    guard !tracks[index].isQueued else { return }
    tracks[index].isQueued = true
    if tracks[index].unlinkTime == nil { tracks[index].unlinkTime = event.event.time }
    retainedTables += 1
    if !tracks[index].isDestructed { undestructed += 1 }
    if event.table?.hasLockObject == true, !tracks[index].isLockFreed { retainedLocks += 1 }
    profile.peakRetainedTables = max(profile.peakRetainedTables, retainedTables)
    profile.peakUndestructed = max(profile.peakUndestructed, undestructed)
    profile.peakRetainedLocks = max(profile.peakRetainedLocks, retainedLocks)
  }

  private mutating func release(_ index: Int) {
    if tracks[index].isQueued {
      retainedTables -= 1
      if !tracks[index].isDestructed { undestructed -= 1 }
    }
    tracks[index].isQueued = false
  }

  private mutating func end(_ event: ResolvedEvent, _ table: TableLife, _ index: Int) {
    let time = event.event.time
    if tracks[index].isQueued, let start = tracks[index].unlinkTime {
      profile.unlinkToFree.add(time &- start)
    }
    if tracks[index].isQueued, let start = tracks[index].lockFreeTime {
      profile.lockFreeToFree.add(time &- start)
    }
    release(index)
    // Across a hole, what looks like one life may be parts of two.
    guard tracks[index].bornInTrace, event.isClean(since: table.allocAt) else {
      profile.cutLives += 1
      return
    }
    let key = ShapeKey(level: table.level, node: tracks[index].node)
    if counts[key] == nil {
      let exemplar = Exemplar(
        pfn: table.pfn, generation: table.generation, freeAt: event.ordinal)
      counts[key] = (0, counts.count, exemplar)
    }
    counts[key]!.count += 1
  }

  private mutating func finish(header: TraceHeader, _ state: Resolver) -> TraceProfile {
    profile.header = header
    profile.facts = gatherer.finish(state)
    profile.cutLives += state.tables.count { $0.bornInTrace && !$0.isFreed }
    let ordered = counts.sorted {
      ($1.value.count, $0.value.order) < ($0.value.count, $1.value.order)
    }
    profile.shapes = ordered.map {
      LifeShape(
        level: $0.key.level, word: words.word($0.key.node), count: $0.value.count,
        pfn: $0.value.exemplar.pfn, generation: $0.value.exemplar.generation,
        freeAt: $0.value.exemplar.freeAt)
    }
    return profile
  }
}
