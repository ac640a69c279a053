/// Reads every intact block of a damaged file; where events are gone, it delivers a loss.
///
/// A block is intact if its header's checksum and those of all its columns match, if it can be
/// decoded to its end, and if its events lie behind those of the blocks before. Ordinals number
/// what is delivered. Memory is one block and its events.
final class SalvageReader: EventSource {
  private(set) var header: TraceHeader
  /// What was found so far; complete at the end.
  private(set) var report = RecoveryReport()

  private let input: TraceInput
  /// Bytes of the file.
  let size: UInt64
  /// Bytes that have been searched.
  var bytesPassed: UInt64 { offset }
  /// Ordinal behind the last event, as the footer tells it, if it is intact.
  private var endOrdinal: UInt64?
  private var loader: BlockLoader
  private var search: MarkerSearch
  private let decoder = BlockDecoder()
  private var texts = TextTable()
  /// Where to look for the next section.
  private var offset: UInt64
  /// Ordinal, in the file, of the event behind the last intact block.
  private var nextOrdinal: UInt64 = 0
  private var nextString: UInt64 = 0
  /// Events to deliver, and how many of them have been.
  private var events: [Event] = []
  private var position = 0
  /// The block behind a hole; its names are still in the decoder.
  private var staged: [Event]?
  private var isFinished = false
  private var delivered: UInt64 = 0
  /// Ordinal of the first event of the whole file.
  private let first: UInt64
  private var lastTime: UInt64 = 0

  init(_ input: TraceInput) throws {
    guard let size = input.size else {
      throw TraceError(
        file: input.name, what: "a pipe cannot be searched for intact blocks",
        hint: "write it to a file first")
    }
    let rescue = try HeaderRescue(input)
    self.input = input
    self.size = size
    header = rescue.header
    endOrdinal = rescue.endOrdinal
    nextOrdinal = rescue.header.firstOrdinal ?? 0
    first = nextOrdinal
    delivered = nextOrdinal
    offset = rescue.start
    loader = BlockLoader(input)
    search = MarkerSearch(input)
    report.startIsDamaged = !rescue.startIsIntact
  }

  func taskName(_ task: UInt32) -> String? { texts.name(task) }

  func string(_ index: UInt64) -> String? { texts.string(index) }

  func next(into batch: inout EventBatch) throws -> Bool {
    batch.events.removeAll(keepingCapacity: true)
    while position == events.count {
      texts.apply(upTo: events.count)
      guard try advance() else { return false }
    }
    texts.apply(upTo: position)
    var end = min(events.count, position + TraceReader.batchEvents)
    // Names hold for a whole batch.
    if let change = texts.nextChange { end = min(end, change) }
    batch.firstOrdinal = delivered
    batch.events.append(contentsOf: events[position..<end])
    delivered += UInt64(end - position)
    position = end
    lastTime = events[end - 1].time
    return true
  }

  /// Gets the next events, which may be none; false at the end.
  private func advance() throws -> Bool {
    events.removeAll(keepingCapacity: true)
    position = 0
    if let block = staged {
      staged = nil
      try deliver(block)
      return true
    }
    guard !isFinished else { return false }
    let found = try nextBlock()
    // Behind the snapshots that stand before it.
    let damage = offset
    if let block = found {
      let start = block.entry.offset
      report.damagedBytes += start - damage
      report.blocks += 1
      report.events += UInt64(block.entry.eventCount)
      let lost = block.entry.firstOrdinal - nextOrdinal
      let first = nextOrdinal
      nextOrdinal = block.entry.endOrdinal
      nextString = block.entry.endString
      offset = block.entry.endOffset
      guard lost > 0 else {
        try deliver(decoded)
        return true
      }
      staged = decoded
      addHole(at: damage, bytes: start - damage, first: first, events: lost)
      events[0].time = delivered == first ? decoded.first?.time ?? 0 : lastTime
      events.append(
        Event(
          .lossEnd, time: decoded.first?.time ?? lastTime, cpu: Event.allCPUs, context: .unknown,
          object: UInt64(LossCause.damagedFile.rawValue)))
      return true
    }
    isFinished = true
    try finish(damageFrom: damage)
    return true
  }

  /// Events of the block found last.
  private var decoded: [Event] = []

  private func deliver(_ block: [Event]) throws {
    events = block
    try texts.begin(names: decoder.columns[.taskNames], events: block.count)
  }

  private func addHole(at offset: UInt64, bytes: UInt64, first: UInt64, events count: UInt64?) {
    report.add(.init(offset: offset, bytes: bytes, firstOrdinal: first, events: count))
    // No names belong to the loss.
    texts.forgetNames()
    events.append(
      Event(
        .loss, time: lastTime, cpu: Event.allCPUs, context: .unknown,
        object: UInt64(LossCause.damagedFile.rawValue), arg0: count ?? Event.unknownCount))
  }

  /// Finds the next intact block and decodes it; nil at the end of the file or of the trace, with
  /// `offset` behind the last byte that was of use.
  private func nextBlock() throws -> BlockHeader? {
    var place = offset
    while place < size {
      switch try section(at: place) {
      case .block(let block, let dataOffset):
        let isOurs = try place == offset || !isOfSnapshot(block.entry)
        if isOurs, fits(block.entry), try decode(block, at: dataOffset) { return block }
        place = try resume(behind: block.entry.endOffset, from: place)
      case .footer(let lengths, let dataOffset, let payloadLength):
        if try take(lengths, dataOffset, payloadLength) {
          footerOffset = place
          return nil
        }
        place = try search.next(from: place + 1) ?? size
      case .snapshot(let snapshot, let dataOffset, let payloadLength):
        if let behind = try pass(snapshot, dataOffset, payloadLength, from: place) {
          place = behind
        } else {
          place = try resume(behind: snapshot.entry.endOffset, from: place)
        }
      case .end, nil: place = try search.next(from: place + 1) ?? size
      }
    }
    return nil
  }

  /// Where an intact footer was found.
  private var footerOffset: UInt64?

  /// Where to look on behind an intact snapshot; nil where it is damaged. What it says about the
  /// events before it need not be true of what is left of them, so that it is not kept.
  private func pass(
    _ snapshot: SnapshotSection.Header, _ dataOffset: UInt64, _ length: Int, from place: UInt64
  ) throws -> UInt64? {
    var payload: [UInt8] = []
    guard try input.read(length, at: dataOffset, appendingTo: &payload) == length,
      CRC32C.checksum(payload) == snapshot.checksum
    else { return nil }
    // What was intact is not part of a hole.
    if place == offset { offset = snapshot.entry.endOffset }
    return snapshot.entry.endOffset
  }

  /// The section at an offset; nil where none is intact. Errors of the system are thrown.
  private func section(at place: UInt64) throws -> BlockLoader.Section? {
    do {
      return try loader.section(at: place)
    } catch is FormatProblem {
      return nil
    }
  }

  private func fits(_ entry: IndexEntry) -> Bool {
    let (end, overflow) = entry.firstOrdinal.addingReportingOverflow(
      UInt64(entry.eventCount))
    let (_, stringOverflow) = entry.firstString.addingReportingOverflow(UInt64(entry.stringCount))
    return !overflow && !stringOverflow && entry.firstOrdinal >= nextOrdinal
      && entry.firstString >= nextString && entry.endOffset <= size
      && end <= endOrdinal ?? .max
  }

  private func decode(_ block: BlockHeader, at dataOffset: UInt64) throws -> Bool {
    decoded.removeAll(keepingCapacity: true)
    let count = Int(block.entry.eventCount)
    do {
      try loader.load(block, at: dataOffset, into: decoder.columns)
      try decoder.begin(count: count, timeBase: block.timeBase)
      try decoder.decode(upTo: count, into: &decoded, at: 0)
      var names = TextTable()
      try names.begin(names: decoder.columns[.taskNames], events: count)
      try texts.add(
        strings: decoder.columns[.strings], first: block.entry.firstString,
        count: Int(block.entry.stringCount))
      return true
    } catch is FormatProblem {
      decoded.removeAll(keepingCapacity: true)
      return false
    }
  }

  /// Where to look on after a section whose header is intact and the rest is not: behind it, if a
  /// section begins there, or else right behind its marker.
  private func resume(behind end: UInt64, from place: UInt64) throws -> UInt64 {
    if end == size { return size }
    if end > place, end < size, try section(at: end) != nil { return end }
    return try search.next(from: place + 1) ?? size
  }

  /// Whether a block that was come upon in damage belongs to the trace inside a snapshot, whose
  /// events count from 0 and whose footer says what it is.
  private func isOfSnapshot(_ entry: IndexEntry) throws -> Bool {
    guard entry.firstOrdinal == 0 else { return false }
    var place = entry.endOffset
    while place < size {
      switch try section(at: place) {
      case .block(let next, _) where next.entry.endOffset > place: place = next.entry.endOffset
      case .footer(let lengths, let dataOffset, let length):
        return try header(lengths, dataOffset, length)?.source == SnapshotSection.source
      default: return false
      }
    }
    return false
  }

  /// Takes what an intact footer tells, wherever it lies; false if it is not intact.
  private func take(
    _ lengths: Footer.Lengths, _ dataOffset: UInt64, _ payloadLength: Int
  ) throws -> Bool {
    let (end, overflow) = first.addingReportingOverflow(lengths.eventCount)
    guard !overflow, end >= nextOrdinal,
      let completed = try header(lengths, dataOffset, payloadLength),
      completed.source != SnapshotSection.source
    else { return false }
    header = completed
    endOrdinal = end
    return true
  }

  /// The header a footer holds; nil if the footer is not intact.
  private func header(
    _ lengths: Footer.Lengths, _ dataOffset: UInt64, _ length: Int
  ) throws -> TraceHeader? {
    var bytes: [UInt8] = []
    guard length <= Int(clamping: size - dataOffset),
      try input.read(length, at: dataOffset, appendingTo: &bytes) == length,
      CRC32C.checksum(bytes) == lengths.checksum
    else { return nil }
    return try? HeaderJSON.decode(bytes[..<lengths.json])
  }

  /// Says what lies behind the last intact block, which ends at `damage`.
  private func finish(damageFrom damage: UInt64) throws {
    let end = footerOffset ?? size
    report.damagedBytes += end - damage
    // A snapshot that was being written holds no events of the trace.
    let isCutOff = try damage == size || endsInSnapshot(at: damage)
    if endOrdinal == nil {
      report.endIsMissing = isCutOff
      report.endIsDamaged = !isCutOff
    }
    // Blocks lie back to back: if the footer follows, nothing was between.
    let nothing = try isCutOff || beginsFooter(at: damage)
    let lost = endOrdinal.map { $0 - nextOrdinal } ?? (nothing ? 0 : nil)
    if lost != 0 { addHole(at: damage, bytes: end - damage, first: nextOrdinal, events: lost) }
  }

  /// Whether the file ends inside a snapshot that begins at an offset.
  private func endsInSnapshot(at place: UInt64) throws -> Bool {
    if case .snapshot(let snapshot, _, _) = try section(at: place) {
      return snapshot.entry.endOffset > size
    }
    // Not even its header is whole.
    var bytes: [UInt8] = []
    let most = FormatConstants.snapshotHeaderBytes
    let got = try input.read(most, at: place, appendingTo: &bytes)
    return got < most
      && bytes.starts(with: FormatConstants.marker + [SectionPrefix.Kind.snapshot.rawValue])
  }

  private func beginsFooter(at place: UInt64) throws -> Bool {
    var bytes: [UInt8] = []
    _ = try input.read(FormatConstants.marker.count + 1, at: place, appendingTo: &bytes)
    return bytes == FormatConstants.marker + [SectionPrefix.Kind.footer.rawValue]
  }
}
