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
  private(set) var tables = PlainStore<Int32>()
  /// Slot of the lock that each event names, or of the lock of the table it names.
  private(set) var locks = PlainStore<Int32>()
  /// Depends on all that was looked at, so that nothing of it is left out.
  private var touched: Int32 = 0

  /// Which of its fields name a table in an event: all bits of that field, none of the others.
  private struct Mask {
    var object: UInt64 = 0
    var arg0: UInt64 = 0
    var arg1: UInt64 = 0
  }

  private static let masks: PlainStore<Mask> = {
    var masks = PlainStore(repeating: Mask(), count: 256)
    for raw in UInt8.min...UInt8.max {
      guard let kind = EventKind(rawValue: raw) else { continue }
      switch kind.fields.space {
      case .table: masks[Int(raw)] = Mask(object: .max)
      case .lock:
        masks[Int(raw)] =
          kind == .lockAlloc || kind == .lockFree ? Mask(arg0: .max) : Mask(arg1: .max)
      default: break
      }
    }
    return masks
  }()

  /// Finds the slots that `events` name.
  mutating func find(
    _ events: PlainStore<Event>, _ pages: PageMap, _ lives: PlainStore<TableLife>,
    _ lockLives: PlainStore<LockLife>
  ) {
    if tables.count < events.count {
      tables = PlainStore(repeating: -1, count: events.count)
      locks = PlainStore(repeating: -1, count: events.count)
    }
    tables.own()
    locks.own()
    let masks = Self.masks
    for place in events.indices {
      let event = events[place]
      let mask = masks[Int(event.kind.rawValue)]
      // An event that names none asks for page 0, which harms nobody.
      let pfn = event.object & mask.object | event.arg0 & mask.arg0 | event.arg1 & mask.arg1
      tables[place] = pages.find(pfn)
    }
    var touched: Int32 = 0
    for place in events.indices {
      let slot = tables[place]
      locks[place] = -1
      guard slot >= 0 else { continue }
      touched &+= lives[Int(slot)].farEnds
      locks[place] = lives[Int(slot)].lock
    }
    for place in events.indices where locks[place] >= 0 {
      touched &+= lockLives[Int(locks[place])].farEnds
    }
    self.touched = touched
  }
}
