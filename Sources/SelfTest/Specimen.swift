import TraceFormat

/// A trace on the operating table: its events, and where the parts of each life are.
///
/// The index is naive on purpose and shares nothing with the judge: one walk, one rule per kind.
struct Specimen {
  let header: TraceHeader
  let stage: String
  let workload: String
  private(set) var events: [Event]
  private(set) var tables: [TableParts] = []
  private(set) var callbacks: [CallbackParts] = []
  private(set) var sections: [SectionParts] = []
  private(set) var gracePeriods: [(start: Int, end: Int)] = []

  /// One life of a table; indices of events, nil for what did not happen.
  struct TableParts {
    let pfn: UInt64
    let alloc: Int
    var level = TableLevel.unknown
    var lock: UInt64?
    var lockAlloc: Int?
    var lockFree: Int?
    var construct: Int?
    var install: Int?
    var unlink: Int?
    var queue: Int?
    var fallback: Int?
    var destruct: Int?
    var free: Int?
    var deposit: Int?
    /// Index in ``Specimen/callbacks``.
    var callback: Int?
    var loads: [Int] = []
    var path: EventKind?
    /// Allocation of the page's next life.
    var next: Int?
    /// Next allocation in the memory of its lock.
    var lockNext: Int?
  }

  /// One use of an rcu_head.
  struct CallbackParts {
    let head: UInt64
    let call: Int
    let function: CallbackFunction
    var start: Int?
    var end: Int?
    var batchFree: Int?
    var members: [Int] = []
  }

  /// One reader section.
  struct SectionParts {
    let section: UInt64
    let enter: Int
    var exit: Int?
  }

  init(header: TraceHeader, workload: String, events: [Event]) {
    self.header = header
    stage = header.stage ?? "?"
    self.workload = workload
    self.events = events
    index()
  }

  // MARK: - Changes

  /// Takes an event out; indices of what follows are then one less.
  mutating func remove(_ index: Int) { events.remove(at: index) }

  /// Takes events out, whatever their order.
  mutating func remove(_ indices: [Int]) {
    for index in Set(indices).sorted(by: >) { events.remove(at: index) }
  }

  /// Puts an event before the one at `index`.
  mutating func insert(_ event: Event, before index: Int) { events.insert(event, at: index) }

  /// Changes the event at `index`.
  mutating func change(_ index: Int, _ body: (inout Event) -> Void) { body(&events[index]) }

  /// Moves events, in their order, to directly before the one at `target`, with its time.
  mutating func move(_ indices: [Int], before target: Int) {
    let moved = indices.sorted().map { index in
      var event = events[index]
      event.time = events[min(target, events.count - 1)].time
      return event
    }
    let place = target - indices.count { $0 < target }
    remove(indices)
    events.insert(contentsOf: moved, at: place)
  }

  /// An event of a task that is in nobody's way, at the time of the event at `index`.
  func stranger(
    _ kind: EventKind, at index: Int, _ object: UInt64 = 0, _ arg0: UInt64 = 0, _ arg1: UInt64 = 0,
    level: TableLevel = .unknown
  ) -> Event {
    let place = min(max(index, 0), events.count - 1)
    return Event(
      kind, time: events[place].time, cpu: 0, task: Self.strangerTask, context: .task,
      object: object, arg0: arg0, arg1: arg1, level: level)
  }

  /// A task no simulated trace has.
  static let strangerTask: UInt32 = 4_000_001
  /// A section no simulated trace has.
  static let strangerSection: UInt64 = 1 << 40

  // MARK: - Index

  private mutating func index() {
    var tableOf: [UInt64: Int] = [:]
    var ownerOf: [UInt64: Int] = [:]
    var open: [UInt32: [Int]] = [:]
    var callbackOf: [UInt64: Int] = [:]
    var sectionOf: [UInt64: Int] = [:]
    var gpStart: Int?
    for (place, event) in events.enumerated() {
      switch event.kind {
      case .tableAlloc:
        if let old = tableOf[event.object] { tables[old].next = place }
        tableOf[event.object] = tables.count
        var parts = TableParts(pfn: event.object, alloc: place)
        parts.level = event.level
        tables.append(parts)
      case .lockAlloc:
        if let old = ownerOf[event.object] { tables[old].lockNext = place }
        if let table = tableOf[event.arg0] {
          tables[table].lock = event.object
          tables[table].lockAlloc = place
          ownerOf[event.object] = table
        }
      case .lockFree:
        if let table = ownerOf[event.object], tables[table].lockFree == nil {
          tables[table].lockFree = place
        }
      case .callRCU:
        let function = event.callbackFunction
        var parts = CallbackParts(head: event.object, call: place, function: function)
        if function == .removeTableBatch {
          parts.members = open.removeValue(forKey: event.task) ?? []
        } else if function != .other, let table = tableOf[event.arg1] {
          parts.members = [table]
        }
        for table in parts.members { tables[table].callback = callbacks.count }
        callbackOf[event.object] = callbacks.count
        callbacks.append(parts)
      case .callbackStart:
        if let callback = callbackOf[event.object] { callbacks[callback].start = place }
      case .callbackEnd:
        if let callback = callbackOf[event.object] { callbacks[callback].end = place }
      case .batchFree:
        if let callback = callbackOf[event.object] { callbacks[callback].batchFree = place }
      case .gracePeriodStart: gpStart = place
      case .gracePeriodEnd:
        if let start = gpStart { gracePeriods.append((start, place)) }
        gpStart = nil
      case .readerEnter:
        sectionOf[event.object] = sections.count
        sections.append(SectionParts(section: event.object, enter: place))
      case .readerExit:
        if let section = sectionOf[event.object] { sections[section].exit = place }
      default:
        if event.kind.fields.space == .table, let table = tableOf[event.object] {
          note(event, place, table, &open)
        }
      }
    }
  }

  private mutating func note(
    _ event: Event, _ place: Int, _ table: Int, _ open: inout [UInt32: [Int]]
  ) {
    if event.level != .unknown { tables[table].level = event.level }
    switch event.kind {
    case .tableConstruct: tables[table].construct = place
    case .tableInstall: tables[table].install = place
    case .tableUnlink: tables[table].unlink = place
    case .tableQueueBatch:
      tables[table].queue = place
      tables[table].path = .tableQueueBatch
      open[event.task, default: []].append(table)
    case .tableQueuePage, .tableDefer:
      tables[table].queue = place
      tables[table].path = event.kind
    case .tableFallback:
      tables[table].fallback = place
      tables[table].path = .tableFallback
      open[event.task]?.removeAll { $0 == table }
    case .tableDestruct: tables[table].destruct = place
    case .tableFree: tables[table].free = place
    case .tableDeposit: tables[table].deposit = place
    case .readerLoad: tables[table].loads.append(place)
    default: break
    }
  }
}

extension Specimen.TableParts {
  /// Went the table path, and was freed by its batch's callback.
  var isBatched: Bool { path == .tableQueueBatch && callback != nil && free != nil }

  /// Was in use, and its page is that of another table later.
  var isFollowedByAnother: Bool { install != nil && unlink != nil && next != nil }

  /// Something happens between the free of its page and the next allocation there.
  var isPageIdleAfterFree: Bool { Self.isIdle(free, next) }

  /// Something happens between the free of its lock and the next allocation there.
  var isLockIdleAfterFree: Bool { Self.isIdle(lockFree, lockNext) }

  private static func isIdle(_ free: Int?, _ next: Int?) -> Bool {
    guard let free else { return false }
    return (next ?? .max) > free + 1
  }
}
