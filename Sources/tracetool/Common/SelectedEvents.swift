import TraceFormat

/// The events of a trace that were asked for: blocks the index rules out are not read.
struct SelectedEvents {
  private let input: TraceInput
  private var selection: EventSelection

  /// The events of `input` that `selection` wants.
  init(_ selection: EventSelection, of input: TraceInput) {
    self.input = input
    self.selection = selection
    input.readOnly { selection.needs($0) }
  }

  /// Calls `body` with each run of events that were read together: those wanted, with their
  /// ordinals, while names of tasks are as they were there.
  mutating func forEachBatch(_ body: ([(ordinal: UInt64, event: Event)]) throws -> Void) throws {
    var batch = EventBatch()
    var wanted: [(ordinal: UInt64, event: Event)] = []
    while try input.source.next(into: &batch) {
      for (index, event) in batch.events.enumerated() {
        let ordinal = batch.firstOrdinal + UInt64(index)
        if selection.contains(event, ordinal: ordinal) { wanted.append((ordinal, event)) }
      }
      try body(wanted)
      wanted.removeAll(keepingCapacity: true)
      if selection.isPast(batch.firstOrdinal + UInt64(batch.events.count)) { return }
    }
  }
}
