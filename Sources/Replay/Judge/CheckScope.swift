import TraceFormat

/// Which events of a trace are judged: all of them, or a selection.
struct CheckScope {
  private var selection: EventSelection?
  /// Whether the last `quiesce` met is among the events asked about.
  private(set) var includesQuiesce = true

  /// Consecutive events of a batch that are all asked about, or all not.
  struct Part {
    /// Their places in the batch.
    var places: Range<Int>
    var isWanted: Bool
  }

  init(_ selection: EventSelection?) {
    self.selection = selection.flatMap { $0.isEverything ? nil : $0 }
  }

  /// Takes events before those that are judged.
  mutating func follow(_ batch: EventBatch) {
    for (index, event) in batch.events.enumerated() {
      _ = selection?.contains(event, ordinal: batch.firstOrdinal + UInt64(index))
      if event.kind == .quiesce { includesQuiesce = false }
    }
  }

  /// The part of a batch that begins at `start`, which ends where what is asked about begins or
  /// ends, and has at most `limit` events.
  mutating func part(of batch: EventBatch, from start: Int, atMost limit: Int) -> Part {
    let end = min(start + limit, batch.events.count)
    guard selection != nil else { return Part(places: start..<end, isWanted: true) }
    let isWanted = selects(batch, start)
    var next = start + 1
    while next < end, selects(batch, next) == isWanted { next += 1 }
    return Part(places: start..<next, isWanted: isWanted)
  }

  /// Whether the event at a place of a batch is asked about.
  private mutating func selects(_ batch: EventBatch, _ place: Int) -> Bool {
    let event = batch.events[place]
    let isWanted = selection!.contains(event, ordinal: batch.firstOrdinal + UInt64(place))
    if event.kind == .quiesce { includesQuiesce = isWanted }
    return isWanted
  }

  /// Whether nothing from a place of this batch on is asked about.
  func isPast(_ batch: EventBatch, _ place: Int) -> Bool {
    selection?.isPast(batch.firstOrdinal + UInt64(place)) ?? false
  }

  /// Whether a candidate that shows only at the end is about what was asked for; nil where
  /// everything is. It belongs to the event it rests on, and to the table it is about.
  var wants: (@Sendable (Candidate) -> Bool)? {
    guard let selection else { return nil }
    return { candidate in
      var rest = selection
      rest.table = nil
      guard rest.contains(candidate.event, ordinal: UInt64(max(candidate.ordinal, 0))) else {
        return false
      }
      guard let table = selection.table else { return true }
      func isWanted(_ frame: UInt64, _ generation: UInt32) -> Bool {
        frame == table.frame && (table.generation ?? generation) == generation
      }
      if let life = candidate.table { return isWanted(life.pfn, life.generation) }
      if let lock = candidate.lock { return isWanted(lock.pfn, lock.tableGeneration) }
      return false
    }
  }
}
