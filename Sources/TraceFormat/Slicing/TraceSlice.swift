/// Cuts a run of events out of a trace file.
///
/// Every event keeps its ordinal, its generation, names and texts, so that it is called what it is
/// called in the whole. A snapshot at the start says what has to be known of the events before, so
/// that a slice is judged like that part of the whole. A hole of its time that the whole tells of
/// only later (docs/EVENTS.md, Losses) is told of by one more `loss` at its end.
public enum TraceSlice {
  /// Which events are wanted.
  public enum Range: Sendable {
    /// Ordinals, both included.
    case ordinals(ClosedRange<UInt64>)
    /// From the first event that is not before to the last one that is not after these times.
    case times(ClosedRange<UInt64>)
  }

  /// What was cut out.
  public struct Report: Sendable, Equatable {
    /// Ordinals, in the whole, of the first and last event of the slice.
    public var ordinals: ClosedRange<UInt64>
    /// Events of the snapshot at the start of the slice.
    public var historyEvents: Int
    /// Lives of objects that had ended before and are not in it, for want of room.
    public var livesLeftOut: Int
    /// Blocks of the whole that were read.
    public var blocksRead: Int
    /// Blocks of the whole.
    public var blockCount: Int
  }

  /// Cuts `range` out of `input`.
  ///
  /// Reads the blocks of the range and those between it and the last snapshot before. Throws ``TraceError`` for
  /// a pipe and where no event is in the range.
  public static func cut(
    _ range: Range, of input: String, to output: String, options: TraceWriter.Options = .init(),
    progress: Progress? = nil
  ) throws -> Report {
    let reader = try TraceReader(path: input)
    guard reader.fileSize != nil else {
      throw TraceError(
        file: input, what: "a pipe cannot be cut", hint: "write it to a file first")
    }
    guard let ordinals = try ordinals(range, reader) else {
      throw TraceError(
        file: input, what: "no event is in that range",
        hint: "'tracetool info' tells how many there are, and from when to when")
    }
    let history = try history(before: ordinals.lowerBound, reader)
    var header = reader.header
    header.remarks.append(
      "cut out of a longer trace: its events \(ordinals.lowerBound) to \(ordinals.upperBound)")
    try TracePart.write(
      from: ordinals.lowerBound, header: header, after: history, to: output, options: options
    ) { writer in
      let latest = try copy(ordinals, reader, to: writer, progress)
      for loss in try lateLosses(after: ordinals.upperBound, since: latest, reader) {
        try writer.append(loss)
      }
    }
    return Report(
      ordinals: ordinals, historyEvents: history.items.count,
      livesLeftOut: history.livesLeftOut, blocksRead: reader.blocksDecoded,
      blockCount: reader.index.count)
  }

  /// The ordinals of a range; nil if no event is in it.
  private static func ordinals(_ range: Range, _ reader: TraceReader) throws -> ClosedRange<UInt64>?
  {
    switch range {
    case .ordinals(let wanted):
      let first = max(wanted.lowerBound, reader.firstOrdinal)
      guard first < reader.endOrdinal, first <= wanted.upperBound else { return nil }
      return first...min(wanted.upperBound, reader.endOrdinal - 1)
    case .times(let times):
      guard
        let first = reader.index.first(where: {
          $0.eventCount > 0 && $0.timeMax >= times.lowerBound
        }),
        let last = reader.index.last(where: { $0.eventCount > 0 && $0.timeMin <= times.upperBound }
        ),
        let start = try events(of: first, reader).first(where: { $0.time >= times.lowerBound }),
        let end = try events(of: last, reader).last(where: { $0.time <= times.upperBound }),
        start.ordinal <= end.ordinal
      else { return nil }
      return start.ordinal...end.ordinal
    }
  }

  /// Ordinals and times of the events of one block.
  private static func events(
    of entry: IndexEntry, _ reader: TraceReader
  ) throws -> [(ordinal: UInt64, time: UInt64)] {
    var times: [(UInt64, UInt64)] = []
    try read(reader, where: { $0.firstOrdinal == entry.firstOrdinal && $0.eventCount > 0 }) {
      times.append(($0, $1.time))
    }
    return times
  }

  /// What has to be known of the events before one.
  private static func history(before end: UInt64, _ reader: TraceReader) throws -> TraceHistory {
    let snapshot = reader.history(before: end)
    var keeper = snapshot.map { HistoryKeeper($0) } ?? HistoryKeeper()
    let start = snapshot?.ordinal ?? reader.firstOrdinal
    try reader.seek(toOrdinal: start)
    var batch = EventBatch()
    var place = start
    while place < end, try reader.next(into: &batch) {
      for event in batch.events.prefix(Int(clamping: end - place)) {
        keeper.take(event, at: place)
        place += 1
      }
    }
    // A name holds for a whole batch: those of the last one are those at `end`.
    return keeper.history(at: end) { reader.taskName($0) ?? snapshot?.taskNames[$0] }
  }

  private static func read(
    _ reader: TraceReader, where wanted: @escaping (IndexEntry) -> Bool,
    _ body: (UInt64, Event) -> Void
  ) throws {
    try reader.seek(toOrdinal: reader.firstOrdinal)
    reader.wantsBlock = wanted
    defer { reader.wantsBlock = nil }
    var batch = EventBatch()
    while try reader.next(into: &batch) {
      for (index, event) in batch.events.enumerated() {
        body(batch.firstOrdinal + UInt64(index), event)
      }
    }
  }

  /// Holes that began by `time` and are told of behind `last`, as a `loss` at that time each.
  private static func lateLosses(
    after last: UInt64, since time: UInt64, _ reader: TraceReader
  ) throws -> [Event] {
    var losses: [Event] = []
    try read(reader, where: { $0.endOrdinal > last && $0.contains(.loss) }) { ordinal, event in
      guard ordinal > last, let since = event.holeSince, since <= time else { return }
      var loss = event
      loss.time = time
      losses.append(loss)
    }
    return losses
  }

  /// Copies the events and returns the latest of their times.
  private static func copy(
    _ ordinals: ClosedRange<UInt64>, _ reader: TraceReader, to writer: TraceWriter,
    _ progress: Progress?
  ) throws -> UInt64 {
    var copier = TraceCopier(writer)
    var latest: UInt64 = 0
    try reader.seek(toOrdinal: ordinals.lowerBound)
    var batch = EventBatch()
    var place = ordinals.lowerBound
    while place <= ordinals.upperBound, try reader.next(into: &batch) {
      copier.beginBatch()
      let left = ordinals.upperBound - place
      for event in batch.events.prefix(Int(clamping: left.addingReportingOverflow(1).partialValue))
      {
        try copier.append(event, from: reader)
        latest = max(latest, event.time)
      }
      place += UInt64(batch.events.count)
      progress?(place - ordinals.lowerBound, ordinals.upperBound - ordinals.lowerBound + 1)
    }
    return latest
  }
}
