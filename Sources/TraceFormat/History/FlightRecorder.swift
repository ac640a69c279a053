import DequeModule

/// Passes a trace on and remembers its last part, which can be written as a trace of its own.
///
/// What it writes is a slice (docs/FORMAT.md, "Slices and merges"): the events keep their ordinals,
/// and a snapshot says what has to be known of those before. Memory is the part that is kept, at most
/// ``limit`` events, and the objects in use.
public final class FlightRecorder: EventSource {
  /// How much is kept.
  public enum Span: Sendable, Equatable {
    /// That many events, the last ones.
    case events(Int)
    /// The events of that many units of the clock before the latest one.
    case time(UInt64)
  }

  /// Most events that are kept, whatever the span says: 40 bytes each.
  public static let limit = 1 << 24

  /// Events one after the other, with the names of tasks that were new with them.
  private struct Chunk {
    let firstOrdinal: UInt64
    var events: ArraySlice<Event>
    var names: [UInt32: String] = [:]
  }

  private static let chunkEvents = 4096

  private let source: any EventSource
  private let span: Span
  private var chunks: Deque<Chunk> = []
  private var count = 0
  private var latest: UInt64 = 0
  private var keeper: HistoryKeeper
  /// Names as they were before the part that is kept, and as they are now.
  private var oldNames: [UInt32: String]
  private var names: [UInt32: String]
  /// Ordinal behind the last event that went by.
  private var end: UInt64

  /// Makes a recorder of what `source` will bring.
  ///
  /// - Parameter history: what is known of the events before the first one of `source`.
  public init(_ source: any EventSource, keeping span: Span, after history: TraceHistory? = nil) {
    self.source = source
    self.span = span
    keeper = history.map { HistoryKeeper($0) } ?? HistoryKeeper()
    oldNames = history?.taskNames ?? [:]
    names = oldNames
    end = history?.ordinal ?? 0
  }

  public var header: TraceHeader { source.header }
  public func taskName(_ task: UInt32) -> String? { source.taskName(task) }
  public func string(_ index: UInt64) -> String? { source.string(index) }

  public func next(into batch: inout EventBatch) throws -> Bool {
    guard try source.next(into: &batch) else { return false }
    for start in stride(from: 0, to: batch.events.count, by: Self.chunkEvents) {
      let part = batch.events[start..<min(start + Self.chunkEvents, batch.events.count)]
      take(part, at: batch.firstOrdinal + UInt64(start))
    }
    forget()
    return true
  }

  /// Writes the part that is kept; returns its ordinals, nil (and no file) where there is no event.
  public func write(
    to path: String, options: TraceWriter.Options = .init()
  ) throws -> ClosedRange<UInt64>? {
    trim()
    guard let first = chunks.first?.firstOrdinal else { return nil }
    var header = source.header
    if first > 0 {
      header.remarks.append("flight recording: events \(first) to \(end - 1) of a longer trace")
    }
    try TracePart.write(
      from: first, header: header, after: keeper.history(at: first) { self.oldNames[$0] },
      to: path, options: options, copy(to:))
    return first...(end - 1)
  }

  private func take(_ events: ArraySlice<Event>, at ordinal: UInt64) {
    var chunk = Chunk(firstOrdinal: ordinal, events: ArraySlice(Array(events)))
    var task: UInt32?
    for event in events {
      latest = max(latest, event.time)
      guard event.task != task else { continue }
      task = event.task
      guard let name = source.taskName(event.task), names[event.task] != name else { continue }
      names[event.task] = name
      chunk.names[event.task] = name
    }
    count += events.count
    end = ordinal + UInt64(events.count)
    chunks.append(chunk)
  }

  /// Forgets chunks of which no event is kept.
  private func forget() {
    while let first = chunks.first, isOver(first.events.count, lastTime: first.events.last?.time) {
      drop(first.events.count)
    }
  }

  /// Forgets the events before the part that is kept.
  private func trim() {
    while let event = chunks.first?.events.first, isOver(1, lastTime: event.time) { drop(1) }
  }

  /// Whether the oldest `number` events, which end at `lastTime`, need not be kept.
  private func isOver(_ number: Int, lastTime: UInt64?) -> Bool {
    if count - number >= Self.limit { return true }
    switch span {
    case .events(let wanted): return count - number >= wanted
    case .time(let wanted): return latest - (lastTime ?? latest) > wanted
    }
  }

  /// Lets go of the oldest `number` events, all of the first chunk.
  private func drop(_ number: Int) {
    guard var first = chunks.popFirst() else { return }
    for (name, value) in first.names { oldNames[name] = value }
    first.names = [:]
    for (index, event) in first.events.prefix(number).enumerated() {
      keeper.take(event, at: first.firstOrdinal + UInt64(index))
    }
    count -= number
    guard number < first.events.count else { return }
    chunks.prepend(
      Chunk(
        firstOrdinal: first.firstOrdinal + UInt64(number), events: first.events.dropFirst(number)))
  }

  private func copy(to writer: TraceWriter) throws {
    let kept = KeptTexts(source, names: oldNames)
    var copier = TraceCopier(writer)
    for chunk in chunks {
      copier.beginBatch()
      kept.names.merge(chunk.names) { $1 }
      for event in chunk.events { try copier.append(event, from: kept) }
    }
  }
}

/// Names and texts of the events that are being written.
private final class KeptTexts: EventSource {
  private let source: any EventSource
  var names: [UInt32: String]

  init(_ source: any EventSource, names: [UInt32: String]) {
    self.source = source
    self.names = names
  }

  var header: TraceHeader { source.header }
  func taskName(_ task: UInt32) -> String? { names[task] }
  func string(_ index: UInt64) -> String? { source.string(index) }
  func next(into batch: inout EventBatch) -> Bool { false }
}
