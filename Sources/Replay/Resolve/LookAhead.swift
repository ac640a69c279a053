import TraceFormat

/// The slots of the lives that a run of events is about, found before the first of them is
/// resolved.
///
/// The lives of a hundred thousand pages lie in memory, not in the cache. One event after the other
/// would wait for its own; here the processor waits for those of many events at a time, in loops
/// short enough for it to see several rounds ahead. A slot stays that of its key, so what is found
/// cannot become wrong, at most superfluous; whoever uses it compares the key.
struct LookAhead {
  /// Slot of the table that each event names, -1 if it is not known.
  private(set) var tables: [Int32] = []
  /// Slot of the lock that each event names, or of the lock of the table it names.
  private(set) var locks: [Int32] = []
  /// Depends on all that was looked at, so that nothing of it is left out.
  private var touched: Int32 = 0

  /// Which of its fields name a table in an event: all bits of that field, none of the others.
  private struct Mask {
    var object: UInt64 = 0
    var arg0: UInt64 = 0
    var arg1: UInt64 = 0
  }

  private static let masks: [Mask] = (0...UInt8.max).map { raw in
    guard let kind = EventKind(rawValue: raw) else { return Mask() }
    switch kind.fields.space {
    case .table: return Mask(object: .max)
    case .lock: return kind == .lockAlloc || kind == .lockFree ? Mask(arg0: .max) : Mask(arg1: .max)
    default: return Mask()
    }
  }

  /// Finds the slots that `events` name.
  mutating func find(
    _ events: [Event], _ pages: PageMap, _ tables: [TableLife], _ locks: [LockLife]
  ) {
    if self.tables.count < events.count {
      self.tables = Array(repeating: -1, count: events.count)
      self.locks = self.tables
    }
    touched = Self.find(events, pages, tables, locks, &self.tables, &self.locks)
  }

  private static func find(
    _ events: [Event], _ pages: PageMap, _ tables: [TableLife], _ locks: [LockLife],
    _ foundTables: inout [Int32], _ foundLocks: inout [Int32]
  ) -> Int32 {
    let masks = Self.masks.span
    let events = events.span
    var tableSlots = foundTables.mutableSpan
    for place in events.indices {
      let event = events[place]
      let mask = masks[Int(event.kind.rawValue)]
      // An event that names none asks for page 0, which harms nobody.
      let pfn = event.object & mask.object | event.arg0 & mask.arg0 | event.arg1 & mask.arg1
      tableSlots[place] = pages.find(pfn)
    }
    var touched: Int32 = 0
    var lockSlots = foundLocks.mutableSpan
    let tables = tables.span
    for place in events.indices {
      let slot = tableSlots[place]
      lockSlots[place] = -1
      guard slot >= 0 else { continue }
      touched &+= tables[Int(slot)].farEnds
      lockSlots[place] = tables[Int(slot)].lock
    }
    let lives = locks.span
    for place in events.indices where lockSlots[place] >= 0 {
      touched &+= lives[Int(lockSlots[place])].farEnds
    }
    return touched
  }
}
