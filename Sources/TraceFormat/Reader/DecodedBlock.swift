/// A block that another thread has decoded, or as much of it as is intact.
struct DecodedBlock: Sendable {
  /// The columns with the block's texts.
  var names: [UInt8] = []
  var strings: [UInt8] = []
  /// The events, cut where a name changes and at ``TraceReader/batchEvents``.
  var batches: [[Event]] = []
  /// What is wrong with the columns; then nothing else is known.
  var columnProblem: (any Error)?
  /// Whether everything but the events themselves is as it should be.
  var hasBegun = false
  /// What is wrong with the block, or with the events behind the last batch.
  var problem: (any Error)?
}

/// What a thread needs to decode blocks.
final class BlockWorkshop {
  private let decoder = BlockDecoder()
  private let zstd = ZstdCodec()

  /// Decodes a block. `spares` lends arrays for its events.
  func decode(
    _ block: StoredBlock, wanted: ColumnSet, spares: Lender<[Event]>
  ) -> DecodedBlock {
    var result = DecodedBlock()
    do {
      try block.unpack(into: decoder.columns, zstd)
    } catch {
      result.columnProblem = error
      return result
    }
    result.names = decoder.columns[.taskNames]
    result.strings = decoder.columns[.strings]
    let count = Int(block.header.entry.eventCount)
    do {
      decoder.wanted = wanted
      try decoder.begin(count: count, timeBase: block.header.timeBase)
      result.hasBegun = true
      var changes = TextTable.positions(names: result.names, events: count)[...]
      while decoder.position < count {
        let position = decoder.position
        changes = changes.drop { $0 <= position }
        let end = min(count, position + TraceReader.batchEvents, changes.first ?? count)
        var events = spares.take()
        try decoder.decode(upTo: end, into: &events, at: 0)
        if events.count > end - position { events.removeLast(events.count - (end - position)) }
        result.batches.append(events)
      }
    } catch {
      result.problem = error
    }
    decoder.end()
    return result
  }
}
