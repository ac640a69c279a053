import DequeModule
import Dispatch
import Synchronization

/// A block that another thread decodes, handed over piece by piece: what has been decoded is used
/// while it is still in a cache, and its arrays are soon free again.
///
/// One thread puts parts in, ``Part/begin(_:)`` first; one takes them out.
final class DecodedBlock: Sendable {
  /// What is known before the first event.
  struct Beginning: Sendable {
    /// The columns with the block's texts.
    var names: [UInt8] = []
    var strings: [UInt8] = []
    /// What is wrong with the columns; then nothing else is known.
    var columnProblem: (any Error)?
    /// What else is wrong with anything but the events themselves.
    var problem: (any Error)?
  }

  enum Part: Sendable {
    case begin(Beginning)
    /// Events, cut where a name changes and at ``TraceReader/batchEvents``.
    case events([Event])
    /// Nothing is left, or something is wrong with what follows.
    case end((any Error)?)
  }

  private struct State {
    var parts: Deque<Part> = []
    var isComplete = false
  }

  private let state = Mutex(State())
  private let ready = DispatchSemaphore(value: 0)

  /// Whether no other part will be put in.
  var isComplete: Bool { state.withLock { $0.isComplete } }

  /// The next part, waiting for it.
  func next() -> Part {
    ready.wait()
    return state.withLock { $0.parts.removeFirst() }
  }

  fileprivate func put(_ part: Part, isLast: Bool = false) {
    state.withLock {
      $0.parts.append(part)
      $0.isComplete = isLast
    }
    ready.signal()
  }
}

/// What a thread needs to decode blocks.
final class BlockWorkshop {
  private let decoder = BlockDecoder()
  private let zstd = ZstdCodec()

  /// Decodes a block into `result`. `spares` lends arrays for its events.
  func decode(
    _ block: StoredBlock, wanted: ColumnSet, spares: Lender<[Event]>, into result: DecodedBlock
  ) {
    var beginning = DecodedBlock.Beginning()
    defer { decoder.end() }
    do {
      try block.unpack(into: decoder.columns, zstd)
    } catch {
      beginning.columnProblem = error
      return result.put(.begin(beginning), isLast: true)
    }
    beginning.names = decoder.columns[.taskNames]
    beginning.strings = decoder.columns[.strings]
    let count = Int(block.header.entry.eventCount)
    do {
      decoder.wanted = wanted
      try decoder.begin(count: count, timeBase: block.header.timeBase)
    } catch {
      beginning.problem = error
      return result.put(.begin(beginning), isLast: true)
    }
    result.put(.begin(beginning))
    do {
      var changes = TextTable.positions(names: beginning.names, events: count)[...]
      while decoder.position < count {
        let position = decoder.position
        changes = changes.drop { $0 <= position }
        let end = min(count, position + TraceReader.batchEvents, changes.first ?? count)
        var events = spares.take()
        try decoder.decode(upTo: end, into: &events, at: 0)
        if events.count > end - position { events.removeLast(events.count - (end - position)) }
        result.put(.events(events))
      }
      result.put(.end(nil), isLast: true)
    } catch {
      result.put(.end(error), isLast: true)
    }
  }
}
