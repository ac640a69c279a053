import TraceFormat

/// Brings each event to the objects of one kind that it concerns.
///
/// Tables are followed whatever the objects are: locks, readers and address spaces hear of their
/// tables' events through them.
struct EventRouter {
  /// An event for one object, or the end of its life.
  struct Delivery {
    let subject: Int32
    /// nil: the life is over, another one begins.
    let kind: EventKind?
  }

  let binding: ObjectBinding
  private let events: KindSet
  private(set) var subjects = Subjects()
  private var tables = Subjects()
  private var follower: TableFollower
  /// Lock object of a table, by the table's slot.
  private var locks: [Int32: (lock: Int32, generation: UInt32, tableGeneration: UInt32)] = [:]
  /// Open sections that loaded a table, by the table's slot.
  private var holders: [Int32: [(section: Int32, generation: UInt32, table: UInt32)]] = [:]
  private var held: [Int32: [Int32]] = [:]
  private var lastGracePeriodStart: Ordinal = .none
  private var deliveries: [Delivery] = []

  /// - Parameter wanted: kinds that some model asks for, and the source can show.
  init(_ binding: ObjectBinding, wanted: KindSet) {
    self.binding = binding
    events = binding.events
    follower = TableFollower(wanted: wanted)
  }

  /// Grace periods that were over before the event at `place`: what they mean to the objects.
  mutating func gracePeriods(endedBefore start: Ordinal) -> [Delivery] {
    guard start > lastGracePeriodStart else { return [] }
    lastGracePeriodStart = start
    deliveries.removeAll(keepingCapacity: true)
    if binding == .callback {
      for slot in callbackWaiters.ended(lastStart: start, subjects) {
        deliveries.append(Delivery(subject: slot, kind: .gracePeriodEnd))
      }
    } else {
      for table in follower.gracePeriodsEnded(lastStart: start) {
        deliver(.gracePeriodEnd, table: table)
      }
    }
    return deliveries
  }

  /// The objects the event at `place` concerns, in a fixed order.
  mutating func route(_ event: ResolvedEvent) -> [Delivery] {
    deliveries.removeAll(keepingCapacity: true)
    switch event.event.kind.fields.space {
    case .table: routeTable(event)
    case .lock: routeLock(event)
    case .callback: routeCallback(event)
    case .reader: routeReader(event)
    case .mm: routeMM(event)
    default: routeRest(event)
    }
    return deliveries
  }

  // MARK: - Own objects

  /// Brings an event to the object it names.
  private mutating func deliver(
    _ kind: EventKind, own key: UInt64, _ generation: UInt32, at ordinal: Ordinal
  ) -> Int32 {
    let isBirth = kind == binding.birth
    let entry = subjects.enter(key, generation, at: ordinal, isBirth: isBirth)
    if entry.replaced { deliveries.append(Delivery(subject: entry.slot, kind: nil)) }
    if events.contains(kind) { deliveries.append(Delivery(subject: entry.slot, kind: kind)) }
    if kind == binding.death { subjects.markDead(entry.slot) }
    return entry.slot
  }

  /// Brings an event about a table to whatever hears of it.
  private mutating func deliver(_ kind: EventKind, table: Int32) {
    guard table >= 0, events.contains(kind) else { return }
    let life = tables[table]
    switch binding {
    case .table:
      let slot = subjects.find(life.key)
      if slot >= 0, subjects[slot].generation == life.generation { add(slot, kind) }
    case .lock:
      if let link = locks[table], link.tableGeneration == life.generation,
        subjects[link.lock].generation == link.generation
      {
        add(link.lock, kind)
      }
    case .reader:
      for link in holders[table] ?? [] where subjects[link.section].generation == link.generation {
        // The load named one life; the allocation of the next is the last thing to hear of.
        if link.table == life.generation || kind == .tableAlloc { add(link.section, kind) }
      }
    case .mm:
      let mm = follower.mm(of: table)
      guard mm != 0 else { return }
      let slot = subjects.find(mm)
      if slot >= 0 { add(slot, kind) }
    case .callback: break
    }
  }

  private mutating func add(_ subject: Int32, _ kind: EventKind) {
    deliveries.append(Delivery(subject: subject, kind: kind))
  }

  // MARK: - Spaces

  private mutating func routeTable(_ resolved: ResolvedEvent) {
    let event = resolved.event
    let entry = tables.enter(
      event.object, event.generation, at: resolved.ordinal, isBirth: event.kind == .tableAlloc)
    follower.note(event, entry.slot, event.generation, at: resolved.ordinal)
    switch binding {
    case .table:
      _ = deliver(event.kind, own: event.object, event.generation, at: resolved.ordinal)
    case .reader where event.kind == .readerLoad || event.kind == .readerAccess:
      routeWalk(resolved, entry.slot)
    case .callback:
      deliverToRunning(resolved)
    case .mm:
      // The mm may be known by nothing but its tables.
      let mm = follower.mm(of: entry.slot)
      if mm != 0, subjects.find(mm) < 0 {
        _ = subjects.enter(mm, 0, at: resolved.ordinal, isBirth: false)
      }
      deliver(event.kind, table: entry.slot)
    default: deliver(event.kind, table: entry.slot)
    }
  }

  /// A walker's load or access, for the section it belongs to.
  private mutating func routeWalk(_ resolved: ResolvedEvent, _ table: Int32) {
    let event = resolved.event
    let section = subjects.find(event.arg0)
    guard event.arg0 != 0, section >= 0 else { return }
    add(section, event.kind)
    guard event.kind == .readerLoad, !subjects[section].isDead else { return }
    let link = (section, subjects[section].generation, event.generation)
    let isKnown = (holders[table] ?? []).contains { $0 == link }
    if !isKnown {
      holders[table, default: []].append(link)
      held[section, default: []].append(table)
    }
  }

  private mutating func routeLock(_ resolved: ResolvedEvent) {
    let event = resolved.event
    let table = resolved.table.map { tables.find($0.pfn) } ?? -1
    let isCurrent = table >= 0 && resolved.table?.generation == tables[table].generation
    switch binding {
    case .lock:
      let slot = deliver(event.kind, own: event.object, event.generation, at: resolved.ordinal)
      if event.kind == .lockAlloc, isCurrent {
        locks[table] = (slot, event.generation, tables[table].generation)
      }
    case .reader where event.kind != .lockFree:
      let section = subjects.find(event.arg0)
      if event.arg0 != 0, section >= 0, event.kind != .lockAlloc { add(section, event.kind) }
    case .callback: deliverToRunning(resolved)
    default: if isCurrent { deliver(event.kind, table: table) }
    }
  }

  private mutating func routeCallback(_ resolved: ResolvedEvent) {
    let event = resolved.event
    // The end of a callback may not name it.
    let life = resolved.callback
    let head = event.object != 0 || event.kind != .callbackEnd ? event.object : life?.head ?? 0
    if binding == .callback {
      guard event.kind != .batchNew, head != 0 else { return }
      let generation = event.object != 0 ? event.generation : life?.generation ?? 0
      let slot = deliver(event.kind, own: head, generation, at: resolved.ordinal)
      if event.kind == .callRCU {
        callbackWaiters.add(slot, generation, since: resolved.ordinal)
      }
      return
    }
    let known = tables
    for table in follower.tables(of: event, head: head, slot: { known.find($0) }) {
      deliver(event.kind, table: table)
    }
  }

  private mutating func routeReader(_ resolved: ResolvedEvent) {
    let event = resolved.event
    if binding == .mm, event.kind == .readerEnter, event.arg1 != 0 {
      let slot = subjects.find(event.arg1)
      if slot >= 0 { add(slot, event.kind) }
    }
    guard binding == .reader else { return }
    let slot = deliver(event.kind, own: event.object, event.generation, at: resolved.ordinal)
    // A new section, or the end of one: it holds nothing.
    for table in held.removeValue(forKey: slot) ?? [] {
      holders[table]?.removeAll { $0.section == slot }
      if holders[table]?.isEmpty == true { holders[table] = nil }
    }
  }

  private mutating func routeMM(_ resolved: ResolvedEvent) {
    let event = resolved.event
    if binding == .mm {
      _ = deliver(event.kind, own: event.object, event.generation, at: resolved.ordinal)
    } else if event.kind == .flushStart || event.kind == .flushEnd {
      for table in follower.flushed(event, at: resolved.ordinal) {
        deliver(event.kind, table: table)
      }
    }
  }

  /// Events that name no object of a model's kind.
  private mutating func routeRest(_ resolved: ResolvedEvent) {
    let event = resolved.event
    switch event.kind {
    case .gatherStart, .gatherFinish, .batchFail:
      if event.kind != .batchFail { follower.abandonBatch(of: event.task) }
      if binding == .mm, event.arg0 != 0 {
        let slot = subjects.find(event.arg0)
        if slot >= 0 { add(slot, event.kind) }
      }
    case .gracePeriodStart:
      if binding == .callback {
        for slot in callbackWaiters.started(event, subjects) { add(slot, event.kind) }
      } else {
        for table in follower.gracePeriodStarted(event) { deliver(event.kind, table: table) }
      }
    case .ipiSyncStart, .ipiSyncEnd, .synchronizeStart, .synchronizeEnd:
      if let table = follower.fallback(of: event.task) { deliver(event.kind, table: table) }
    default: break
    }
  }

  // MARK: - Callbacks

  private var callbackWaiters = CallbackWaiters()

  /// What happens inside a callback concerns it.
  private mutating func deliverToRunning(_ resolved: ResolvedEvent) {
    guard let running = resolved.running, running.head != 0, events.contains(resolved.event.kind)
    else { return }
    let slot = subjects.find(running.head)
    if slot >= 0, subjects[slot].generation == running.generation {
      deliveries.append(Delivery(subject: slot, kind: resolved.event.kind))
    }
  }
}

/// Callbacks that wait for a grace period which begins after their `call_rcu`.
private struct CallbackWaiters {
  private struct Waiting {
    let slot: Int32
    let generation: UInt32
    let since: Ordinal
    var sawStart = false
  }

  private var waiting: [Waiting] = []
  private var first = 0
  private var lastSeq: UInt64?

  mutating func add(_ slot: Int32, _ generation: UInt32, since: Ordinal) {
    waiting.append(Waiting(slot: slot, generation: generation, since: since))
  }

  mutating func started(_ event: Event, _ subjects: Subjects) -> [Int32] {
    if let lastSeq, lastSeq >> 2 == event.object >> 2 { return [] }
    lastSeq = event.object
    var slots: [Int32] = []
    for index in first..<waiting.count where !waiting[index].sawStart {
      waiting[index].sawStart = true
      if subjects[waiting[index].slot].generation == waiting[index].generation {
        slots.append(waiting[index].slot)
      }
    }
    return slots
  }

  mutating func ended(lastStart start: Ordinal, _ subjects: Subjects) -> [Int32] {
    var slots: [Int32] = []
    while first < waiting.count, waiting[first].since < start {
      let entry = waiting[first]
      if subjects[entry.slot].generation == entry.generation { slots.append(entry.slot) }
      first += 1
    }
    if first > 1024, first * 2 > waiting.count {
      waiting.removeFirst(first)
      first = 0
    }
    return slots
  }
}
