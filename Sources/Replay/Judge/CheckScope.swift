import TraceFormat

/// Which events of a trace are judged: all of them, or a selection.
struct CheckScope {
  private var selection: EventSelection?
  /// Whether the last `quiesce` met is among the events asked about.
  private(set) var includesQuiesce = true

  /// Consecutive events of a batch that are all asked about, or all not.
  struct Part {
    var batch: EventBatch
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

  /// Cuts a batch where what is asked about begins or ends, and into parts of at most `limit`
  /// events.
  mutating func parts(of batch: EventBatch, atMost limit: Int) -> [Part] {
    guard selection != nil else {
      return stride(from: 0, to: batch.events.count, by: limit).map { start in
        var part = EventBatch()
        part.firstOrdinal = batch.firstOrdinal + UInt64(start)
        part.events = Array(batch.events[start..<min(start + limit, batch.events.count)])
        return Part(batch: part, isWanted: true)
      }
    }
    var parts: [Part] = []
    for (index, event) in batch.events.enumerated() {
      let ordinal = batch.firstOrdinal + UInt64(index)
      let isWanted = selection!.contains(event, ordinal: ordinal)
      if event.kind == .quiesce { includesQuiesce = isWanted }
      if parts.last?.isWanted != isWanted || parts[parts.count - 1].batch.events.count == limit {
        var next = EventBatch()
        next.firstOrdinal = ordinal
        parts.append(Part(batch: next, isWanted: isWanted))
      }
      parts[parts.count - 1].batch.events.append(event)
    }
    return parts
  }

  /// Whether nothing behind this batch is asked about.
  func isPast(_ batch: EventBatch) -> Bool {
    selection?.isPast(batch.firstOrdinal + UInt64(batch.events.count)) ?? false
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
