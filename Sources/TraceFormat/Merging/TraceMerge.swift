/// Makes one trace of several that were recorded on one machine with one clock: one file for each
/// CPU, or one after the other.
///
/// Events of one input keep their order, losses stay as they are, generations are numbered anew
/// over the whole. What one of the inputs cannot see, the merged trace cannot see.
public enum TraceMerge {
  /// How inputs are put together.
  public enum Order: String, Sendable, CaseIterable {
    /// By time; at the same time, and for events that are late in their own input, in the order of
    /// the inputs.
    case time
    /// One after the other, as they are given, with a loss on all CPUs between them.
    case given
  }

  /// Merges `inputs` into `output` and returns the number of events.
  ///
  /// Memory is one block of each input. Throws ``TraceError`` for inputs that do not belong
  /// together: other clocks, kernels or architectures.
  public static func merge(
    _ inputs: [String], order: Order, producer: String, to output: String,
    options: TraceWriter.Options = .init(), progress: Progress? = nil
  ) throws -> UInt64 {
    let parts = try inputs.map { try Part($0, TraceReader(path: $0)) }
    let counts = parts.compactMap(\.reader.eventCount)
    let total = counts.count == parts.count ? counts.reduce(0, +) : nil
    var merging = HeaderMerge(producer: producer, order: order)
    for part in parts { try merging.add(part.reader.header, of: part.file) }
    let writer = try TraceWriter(path: output, header: merging.header, options: options)
    do {
      switch order {
      case .time: try byTime(parts, to: writer) { progress?(writer.eventCount, total) }
      case .given: try oneByOne(parts, to: writer) { progress?(writer.eventCount, total) }
      }
      // Of a pipe, the header is complete only now.
      merging = HeaderMerge(producer: producer, order: order)
      for part in parts {
        try merging.add(part.reader.header, of: part.file)
        if let warning = part.reader.warning {
          merging.header.remarks.append("\(part.file): \(warning)")
        }
      }
      try writer.finish(header: merging.header)
    } catch {
      writer.abandon()
      throw error
    }
    return writer.eventCount
  }

  /// One input and how far it has been read.
  private final class Part {
    let file: String
    let reader: TraceReader
    private var batch = EventBatch()
    private var position = 0
    /// Latest time so far: an event that is late in its own input does not overtake others.
    private var latest: UInt64 = 0

    init(_ file: String, _ reader: TraceReader) {
      self.file = file
      self.reader = reader
    }

    /// The next event and the time it is sorted by; nil at the end. `renew` is called when names
    /// may have changed.
    func peek(_ renew: () -> Void) throws -> (event: Event, time: UInt64)? {
      if position == batch.events.count {
        position = 0
        guard try reader.next(into: &batch) else { return nil }
        renew()
      }
      let event = batch.events[position]
      return (event, max(latest, event.time))
    }

    func advance() {
      latest = max(latest, batch.events[position].time)
      position += 1
    }
  }

  private static func oneByOne(
    _ parts: [Part], to writer: TraceWriter, _ progress: () -> Void
  ) throws {
    var copier = TraceCopier(writer)
    var last: UInt64 = 0
    for (number, part) in parts.enumerated() {
      var isFirst = true
      while let (event, _) = try part.peek({
        copier.beginBatch()
        progress()
      }) {
        if isFirst, number > 0 {
          try writer.append(gap(.loss, time: last))
          try writer.append(gap(.lossEnd, time: event.time))
        }
        isFirst = false
        last = event.time
        try copier.append(event, from: part.reader, number)
        part.advance()
      }
    }
  }

  /// Between two recordings that follow each other nothing was recorded on any CPU.
  private static func gap(_ kind: EventKind, time: UInt64) -> Event {
    Event(
      kind, time: time, cpu: Event.allCPUs, context: .unknown,
      object: UInt64(LossCause.unknown.rawValue),
      arg0: kind == .loss ? Event.unknownCount : 0)
  }

  private static func byTime(
    _ parts: [Part], to writer: TraceWriter, _ progress: () -> Void
  ) throws {
    var copier = TraceCopier(writer)
    while true {
      var next: (number: Int, event: Event, time: UInt64)?
      for (number, part) in parts.enumerated() {
        guard
          let (event, time) = try part.peek({
            copier.beginBatch()
            progress()
          })
        else { continue }
        if let best = next, best.time <= time { continue }
        next = (number, event, time)
      }
      guard let (number, event, _) = next else { return }
      try copier.append(event, from: parts[number].reader, number)
      parts[number].advance()
    }
  }
}
