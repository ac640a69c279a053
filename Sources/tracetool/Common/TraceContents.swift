import TraceFormat

/// What one pass over a trace counts.
struct TraceContents {
  /// A hole in the trace.
  struct Loss {
    let ordinal: UInt64
    let cause: LossCause
    /// The CPU that is blind; nil for all.
    let cpu: UInt16?
    /// Events lost; nil if nobody counted.
    let count: UInt64?
  }

  /// Bytes of a column, or of all that lies around them.
  struct Column {
    let name: String
    /// In the file.
    let stored: UInt64
    /// Before compression.
    let raw: UInt64
  }

  /// The file as the user named it.
  let name: String
  /// Size and blocks of the file.
  let size: TraceInput.Size
  /// The header, complete.
  private(set) var header: TraceHeader
  /// Number of events.
  private(set) var events: UInt64 = 0
  /// Events that were concluded, not seen.
  private(set) var inferred: UInt64 = 0
  /// Events by raw kind.
  private var countByKind = [UInt64](repeating: 0, count: 256)
  /// Every loss.
  private(set) var losses: [Loss] = []
  /// Bytes of the columns, if somebody asked.
  var columns: [TraceReader.ColumnSize]?
  /// Earliest and latest time.
  private(set) var times: ClosedRange<UInt64>?

  /// Reads all of `input`.
  init(reading input: TraceInput) throws {
    name = input.name
    header = input.source.header
    var counter = Counter()
    var batch = EventBatch()
    while try input.source.next(into: &batch) { counter.count(batch) }
    // A header is complete only once the end has been read.
    header = input.source.header
    size = input.size
    events = counter.events
    inferred = counter.inferred
    countByKind = counter.countByKind
    losses = counter.losses
    if counter.events > 0 { times = counter.earliest...counter.latest }
  }

  /// Number of events of a kind.
  func count(of kind: EventKind) -> UInt64 { countByKind[Int(kind.rawValue)] }

  /// Bytes of the file for each event; nil where there is no file or no event.
  var bytesPerEvent: Double? { size.bytes.flatMap(perEvent) }

  /// `bytes` shared out among the events; nil where there are none.
  func perEvent(_ bytes: UInt64) -> Double? {
    events > 0 ? Double(bytes) / Double(events) : nil
  }

  /// Columns that hold anything, and what is no column: headers, the index and snapshots.
  var filledColumns: [Column] {
    let all = columns ?? []
    let stored = all.reduce(0) { $0 + $1.stored }
    let around = size.bytes.map { $0 > stored ? $0 - stored : 0 } ?? 0
    return all.map { Column(name: $0.name, stored: $0.stored, raw: $0.raw) }.filter { $0.raw > 0 }
      + (around > 0 ? [Column(name: "around", stored: around, raw: around)] : [])
  }

  private struct Counter {
    var events: UInt64 = 0
    var inferred: UInt64 = 0
    var countByKind = [UInt64](repeating: 0, count: 256)
    var losses: [Loss] = []
    var earliest = UInt64.max
    var latest: UInt64 = 0

    mutating func count(_ batch: EventBatch) {
      for (index, event) in batch.events.enumerated() {
        countByKind[Int(event.kind.rawValue)] += 1
        if event.flags.contains(.inferred) { inferred += 1 }
        earliest = min(earliest, event.time)
        latest = max(latest, event.time)
        if event.kind == .loss {
          losses.append(Loss(event, ordinal: batch.firstOrdinal + UInt64(index)))
        }
      }
      events += UInt64(batch.events.count)
    }
  }
}

extension TraceContents.Loss {
  init(_ event: Event, ordinal: UInt64) {
    self.ordinal = ordinal
    cause = UInt8(exactly: event.object).flatMap(LossCause.init(rawValue:)) ?? .unknown
    cpu = event.cpu == Event.allCPUs ? nil : event.cpu
    count = event.arg0 == Event.unknownCount ? nil : event.arg0
  }
}

/// `value` with two digits behind the point.
func twoDecimals(_ value: Double) -> String { decimals(value, 2) }

/// `value` with three digits behind the point.
func threeDecimals(_ value: Double) -> String { decimals(value, 3) }

private func decimals(_ value: Double, _ digits: Int) -> String {
  let scale = (0..<digits).reduce(UInt64(1)) { scale, _ in scale * 10 }
  let parts = UInt64((value * Double(scale)).rounded())
  return "\(parts / scale)." + padded(String(parts % scale), digits, with: "0")
}
