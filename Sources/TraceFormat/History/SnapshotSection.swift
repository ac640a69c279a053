/// A ``TraceHistory`` as a section of a file: places, and a trace of its own that holds the events.
enum SnapshotSection {
  /// What the trace in a snapshot names as its source: who comes upon it in a damaged file must not
  /// take it for the file's own.
  static let source = "snapshot"

  /// The numbers in a snapshot's header.
  struct Header {
    let entry: SnapshotEntry
    /// Bytes of the places, which lie before the trace.
    let placesLength: Int
    let livesLeftOut: Int
    /// CRC of the payload.
    let checksum: UInt32

    /// Reads a whole section header that lies at `offset` in its file.
    init(_ bytes: [UInt8], prefix: SectionPrefix, at offset: UInt64) throws(FormatProblem) {
      try SectionPrefix.verify(bytes)
      entry = SnapshotEntry(
        offset: offset, length: UInt32(clamping: prefix.headerLength + prefix.payloadLength),
        eventCount: bytes.littleEndian(UInt32.self, at: 24),
        ordinal: bytes.littleEndian(UInt64.self, at: 16))
      placesLength = Int(bytes.littleEndian(UInt32.self, at: 28))
      livesLeftOut = Int(bytes.littleEndian(UInt32.self, at: 32))
      checksum = bytes.littleEndian(UInt32.self, at: 36)
      guard entry.ordinal <= UInt64(Int64.max), entry.eventCount <= FormatLimits.snapshotEvents,
        prefix.payloadLength <= FormatLimits.snapshotBytes, placesLength <= prefix.payloadLength
      else { throw FormatProblem("the snapshot's lengths are out of bounds") }
    }
  }

  /// The section that holds `history`; nil if that is more than one may hold.
  static func bytes(_ history: TraceHistory) throws -> [UInt8]? {
    guard history.items.count <= FormatLimits.snapshotEvents else { return nil }
    var payload: [UInt8] = []
    var last: UInt64 = 0
    for item in history.items {
      Varint.append(item.ordinal - last, to: &payload)
      last = item.ordinal
    }
    let placesLength = payload.count
    payload += try trace(history)
    guard payload.count <= FormatLimits.snapshotBytes else { return nil }
    var bytes: [UInt8] = []
    SectionPrefix(
      kind: .snapshot, columnCount: 0, headerLength: FormatConstants.snapshotHeaderBytes,
      payloadLength: payload.count
    ).append(to: &bytes)
    bytes.appendLittleEndian(history.ordinal)
    bytes.appendLittleEndian(UInt32(history.items.count))
    bytes.appendLittleEndian(UInt32(placesLength))
    bytes.appendLittleEndian(UInt32(clamping: history.livesLeftOut))
    bytes.appendLittleEndian(CRC32C.checksum(payload))
    bytes.appendLittleEndian(CRC32C.checksum(bytes))
    return bytes + payload
  }

  private static func trace(_ history: TraceHistory) throws -> [UInt8] {
    let output = MemoryOutput()
    let header = TraceHeader(
      source: source, producer: "", cpus: 0, clock: Clock(name: "", unitsPerSecond: nil))
    let writer = try TraceWriter(
      output: output, header: header, options: .init(keepsGenerations: true))
    var named: Set<UInt32> = []
    for item in history.items {
      let task = item.event.task
      if named.insert(task).inserted, let name = history.taskNames[task] {
        try writer.setTaskName(name, of: task)
      }
      try writer.append(item.event)
    }
    try writer.finish()
    return output.bytes
  }

  /// Reads a snapshot's payload.
  static func history(_ payload: [UInt8], _ header: Header) throws -> TraceHistory {
    guard CRC32C.checksum(payload) == header.checksum else {
      throw FormatProblem("the checksum of the snapshot does not match")
    }
    let count = Int(header.entry.eventCount)
    guard count <= header.placesLength else {
      throw FormatProblem("the snapshot has fewer places than events")
    }
    let ordinals = try places(payload, header, count)
    let (events, names) = try events(Array(payload[header.placesLength...]), count)
    let items = zip(ordinals, events).map { TraceHistory.Item(ordinal: $0, event: $1) }
    return TraceHistory(
      ordinal: header.entry.ordinal, items: items, livesLeftOut: header.livesLeftOut,
      taskNames: names)
  }

  private static func places(
    _ payload: [UInt8], _ header: Header, _ count: Int
  ) throws(FormatProblem) -> [UInt64] {
    let bytes = Array(payload[..<header.placesLength])
    var place = 0
    var ordinals: [UInt64] = []
    ordinals.reserveCapacity(count)
    for index in 0..<count {
      let gap = Varint.read(bytes, &place)
      let (ordinal, overflow) = (ordinals.last ?? 0).addingReportingOverflow(gap)
      guard place <= bytes.count, !overflow, gap > 0 || index == 0,
        ordinal < header.entry.ordinal
      else { throw FormatProblem("the places of the snapshot are out of order") }
      ordinals.append(ordinal)
    }
    guard place == bytes.count else {
      throw FormatProblem("the snapshot has more places than events")
    }
    return ordinals
  }

  private static func events(
    _ trace: [UInt8], _ count: Int
  ) throws -> (events: [Event], names: [UInt32: String]) {
    var events: [Event] = []
    var names: [UInt32: String] = [:]
    do {
      let reader = try TraceReader(bytes: trace, name: "snapshot")
      guard reader.isComplete, reader.eventCount == UInt64(count) else {
        throw FormatProblem("the snapshot holds another number of events than it says")
      }
      events.reserveCapacity(count)
      var batch = EventBatch()
      while try reader.next(into: &batch) {
        events += batch.events
        for event in batch.events where names[event.task] == nil {
          names[event.task] = reader.taskName(event.task)
        }
      }
    } catch let error as TraceError {
      throw FormatProblem("the trace in the snapshot is damaged: \(error.what)")
    }
    return (events, names)
  }
}
