/// Reads a trace file from front to back, or from any ordinal.
///
/// ```swift
/// let reader = try TraceReader(path: "run.ptt")
/// var batch = EventBatch()
/// while try reader.next(into: &batch) { for event in batch.events { … } }
/// ```
///
/// Memory is one block, the index, and the texts met so far. A file without its end (still being
/// written, or cut off between two blocks; a pipe's anywhere) reads as far as its last whole block:
/// ``isComplete`` is false and ``warning`` says so. Damage is an error, thrown when reading gets to
/// it and every intact event before it has been delivered; each later call throws it again.
public final class TraceReader: EventSource {
  /// Bytes of one column over a whole file.
  public struct ColumnSize: Sendable, Equatable {
    /// Name of the column.
    public let name: String
    /// Bytes in the file.
    public let stored: UInt64
    /// Bytes before compression.
    public let raw: UInt64
  }

  /// What the trace says about itself: of a file the completed header at once, of a pipe the
  /// first one until the end has been read.
  public private(set) var header: TraceHeader
  /// What is known of each block: of a file all of them at once, of a pipe those read so far.
  public private(set) var index: [IndexEntry] = []
  /// What is known of each snapshot, as of the blocks.
  public private(set) var snapshots: [SnapshotEntry] = []
  /// Whether the end of the trace is known to be there; of a pipe, once it has been read.
  public private(set) var isComplete = false
  /// Length of the file in bytes; nil for a pipe.
  public var fileSize: UInt64? { input.size }
  /// Says which blocks are worth reading; nil for all. Those of a file it refuses are passed over
  /// unread and unchecked, so that ordinals jump from one batch to the next. Of a pipe all are read.
  public var wantsBlock: ((IndexEntry) -> Bool)? {
    didSet { forgetWhatIsAhead() }
  }
  /// What the caller wants of each event; counts from the next block on. Columns that are not
  /// wanted are neither decompressed nor checked, and their fields hold neutral values.
  public var columns = ColumnSet.all {
    didSet { forgetWhatIsAhead() }
  }
  /// Threads that check, decompress and decode blocks ahead of what has been delivered.
  ///
  /// With 1, the default, the caller's thread decodes a batch when it is asked for it. With more,
  /// so many blocks are decoded at a time while the caller works on the one before. Batches, errors
  /// and their order are the same; memory grows by some 20 MiB for each (a block's events and
  /// columns). The reader itself stays bound to one thread. Counts from the next block on, and has
  /// no effect on a pipe: what comes through it is delivered as it comes.
  public var workers = 1 {
    didSet {
      precondition(workers >= 1, "workers")
      forgetWhatIsAhead()
    }
  }
  /// Number of blocks that have been read and decoded.
  public internal(set) var blocksDecoded = 0
  /// Bytes that have been read from the file or the pipe.
  public var bytesRead: UInt64 { input.bytesRead }
  /// The most events a batch gets.
  public static let batchEvents = 4096

  private enum State {
    case reading
    case finished
    case failed(any Error)
  }

  /// A block on its way out that another thread decodes.
  struct Current {
    let header: ReadAhead.StoredHeader
    let block: DecodedBlock
    /// Events of it that have been delivered.
    var position = 0
  }

  let input: TraceInput
  let start: UInt64
  var loader: BlockLoader
  private let decoder = BlockDecoder()
  var texts = TextTable()
  private var columnTotals = [BlockLoader.Sizes](
    repeating: BlockLoader.Sizes(), count: Int(ColumnID.allCases.last!.rawValue) + 1)
  private var state = State.reading
  /// Where the next section begins.
  var offset: UInt64
  /// Blocks before `offset`.
  var blocksRead = 0
  /// Blocks before the one that is delivered after the one at hand, if none is passed over.
  var blocksBegun = 0
  /// The section at `offset`, where its header has been read already.
  private var pending: BlockLoader.Section?
  /// What has been read ahead by `workers`.
  var ahead: ReadAhead?
  /// The block being delivered that one of them has decoded.
  var current: Current?
  /// What a pipe said at its start about the events before its first one.
  private var historyOfPipe: TraceHistory?
  /// Strings of the blocks before this one are in `texts`.
  private var stringBlocks = 0
  /// Ordinal of the next event.
  var ordinal: UInt64 = 0
  /// Where the footer begins, once it has been read.
  private var footerOffset: UInt64?

  /// Opens a file, or standard input for `-`.
  ///
  /// Throws ``TraceError`` where there is no trace: no such file, a directory, another format,
  /// another version, a damaged header.
  public convenience init(path: String) throws { try self.init(TraceInput(path: path)) }

  /// Opens a trace that lies in memory; `name` stands for it in messages.
  public convenience init(bytes: [UInt8], name: String = "memory") throws {
    try self.init(TraceInput(bytes: bytes, name: name))
  }

  init(_ input: TraceInput) throws {
    self.input = input
    (header, start) = try FileHeader.read(input)
    offset = start
    ordinal = header.firstOrdinal ?? 0
    loader = BlockLoader(input)
    guard input.isSeekable else {
      readHistoryOfPipe()
      return
    }
    if let (footer, place) = loader.footerAtEnd(blocksFrom: start),
      footer.header.firstOrdinal == header.firstOrdinal
    {
      header = footer.header
      index = footer.index
      snapshots = footer.snapshots
      footerOffset = place
      isComplete = true
    } else {
      scan()
    }
  }

  /// Number of blocks; nil while it is not known.
  public var blockCount: Int? { knowsAllBlocks ? index.count : nil }

  /// Number of events; nil while it is not known.
  public var eventCount: UInt64? { knowsAllBlocks ? endOrdinal - firstOrdinal : nil }

  /// Ordinal of the first event.
  public var firstOrdinal: UInt64 { header.firstOrdinal ?? 0 }

  /// Ordinal behind the last event; of a pipe, behind those known.
  public var endOrdinal: UInt64 { index.last?.endOrdinal ?? firstOrdinal }

  /// A sentence for a reader of a trace whose end is missing.
  public var warning: String? {
    guard !isComplete, knowsAllBlocks else { return nil }
    return
      "the end of the trace is missing (it is still being written, or was cut off); "
      + "\(endOrdinal - firstOrdinal) events in \(index.count) blocks are there"
  }

  public func taskName(_ task: UInt32) -> String? { texts.name(task) }

  /// Text of a mark, once the block that brings it has been read.
  public func string(_ index: UInt64) -> String? { texts.string(index) }

  public func next(into batch: inout EventBatch) throws -> Bool {
    switch state {
    case .finished:
      batch.events.removeAll(keepingCapacity: true)
      return false
    case .failed(let error):
      batch.events.removeAll(keepingCapacity: true)
      throw error
    case .reading: break
    }
    do {
      while try !deliver(into: &batch) {
        guard try goOn() else {
          state = .finished
          batch.events.removeAll(keepingCapacity: true)
          return false
        }
      }
      return true
    } catch let problem as FormatProblem where problem.isCutOff && !input.isSeekable {
      state = .finished
      index.removeLast(index.count - blocksRead)
      batch.events.removeAll(keepingCapacity: true)
      return false
    } catch {
      batch.events.removeAll(keepingCapacity: true)
      let shown = explain(error, at: offset, block: blocksRead)
      state = .failed(shown)
      throw shown
    }
  }

  /// Fills `batch` from the block at hand; false where nothing is left of it.
  private func deliver(into batch: inout EventBatch) throws -> Bool {
    if current != nil { return try deliverDecoded(into: &batch) }
    guard decoder.position < decoder.count else { return false }
    try decodeBatch(into: &batch)
    return true
  }

  /// Goes on behind the block at hand; false at the end of the trace.
  private func goOn() throws -> Bool {
    if current == nil { texts.apply(upTo: decoder.count) }
    if workers > 1 && input.isSeekable { return try takeAhead() }
    if passUnwantedBlocks() {
      texts.forgetNames()
      loadStrings(ofBlocksBefore: blocksRead)
    }
    return try readBlock()
  }

  /// Goes to an event: the next batch begins with it. At or behind the end, nothing is left.
  ///
  /// Throws ``TraceError`` for a pipe, for a damaged block on the way, and for an ordinal behind
  /// the damage of a file that ends in some. Costs one block, whatever the size of the file.
  public func seek(toOrdinal target: UInt64) throws {
    guard input.isSeekable else {
      throw TraceError(
        file: input.name, what: "a pipe cannot be read from its middle",
        hint: "write it to a file first")
    }
    // The block that holds the event, or the place behind the last one.
    var low = 0
    var high = index.count
    while low < high {
      let middle = (low + high) / 2
      if index[middle].endOrdinal <= target { low = middle + 1 } else { high = middle }
    }
    state = .reading
    decoder.end()
    current = nil
    ahead = nil
    texts.forgetNames()
    loadStrings(ofBlocksBefore: low)
    do {
      blocksRead = low
      blocksBegun = low
      offset = low < index.count ? index[low].offset : index.last?.endOffset ?? start
      ordinal = low < index.count ? index[low].firstOrdinal : endOrdinal
      guard low < index.count, target > ordinal else { return }
      guard try readBlock() else { throw FormatProblem("the block is no longer there") }
      var skipped: [Event] = []
      let position = Int(target - ordinal)
      while decoder.position < position {
        let end = min(position, decoder.position + Self.batchEvents)
        try decode(upTo: end, into: &skipped)
      }
      texts.apply(upTo: position)
      ordinal = target
    } catch {
      let shown = explain(error, at: offset, block: blocksRead)
      state = .failed(shown)
      throw shown
    }
  }

  /// Bytes of each column: of a file over all of it (every block header is read), of a pipe over
  /// what has been read so far.
  public func columnSizes() throws -> [ColumnSize] {
    var totals = columnTotals
    if input.isSeekable {
      totals = totals.map { _ in BlockLoader.Sizes() }
      for entry in index {
        do {
          if case .block(let header, _) = try loader.section(at: entry.offset) {
            Self.add(header, to: &totals)
          }
        } catch {
          throw explain(error, at: entry.offset)
        }
      }
    }
    return ColumnID.allCases.map {
      let size = totals[Int($0.rawValue)]
      return ColumnSize(name: $0.name, stored: size.stored, raw: size.raw)
    }
  }

  /// Whether ``index`` holds all there is.
  private var knowsAllBlocks: Bool {
    if input.isSeekable { return true }
    if case .finished = state { return true }
    return false
  }

  /// Room the reader holds for a block, in bytes.
  var bufferedBytes: Int {
    loader.bufferedBytes + decoder.bufferedBytes
  }

  private func decodeBatch(into batch: inout EventBatch) throws {
    let position = decoder.position
    texts.apply(upTo: position)
    var end = min(decoder.count, position + Self.batchEvents)
    // Names hold for a whole batch.
    if let change = texts.nextChange { end = min(end, change) }
    batch.firstOrdinal = ordinal
    if batch.events.count > end - position {
      batch.events.removeLast(batch.events.count - (end - position))
    }
    try decode(upTo: end, into: &batch.events)
    ordinal &+= UInt64(end - position)
  }

  private func decode(upTo end: Int, into events: inout [Event]) throws {
    do {
      try decoder.decode(upTo: end, into: &events, at: 0)
    } catch {
      throw explain(error, at: index[blocksRead - 1].offset, block: blocksRead - 1)
    }
  }

  /// Goes on to the next block that is wanted, or behind the last one; false if that is the next.
  func passUnwantedBlocks() -> Bool {
    guard input.isSeekable, let wantsBlock else { return false }
    let first = blocksRead
    while blocksRead < index.count, !wantsBlock(index[blocksRead]) {
      offset = index[blocksRead].endOffset
      ordinal = index[blocksRead].endOrdinal
      blocksRead += 1
    }
    return blocksRead > first
  }

  /// Reads the next block; false at the end of the trace.
  private func readBlock() throws -> Bool {
    switch try nextSection() {
    case .end(let footer):
      end(footer)
      return false
    case .block(let block, let dataOffset):
      let wanted = columns
      try loader.load(
        block, at: dataOffset, into: decoder.columns, wanted: { wanted.needs($0) })
      try beginTexts(
        block.entry, blocksRead, names: decoder.columns[.taskNames],
        strings: decoder.columns[.strings])
      decoder.wanted = wanted
      try decoder.begin(count: Int(block.entry.eventCount), timeBase: block.timeBase)
      pass(block)
      blocksBegun = blocksRead
      blocksDecoded += 1
      return true
    }
  }

  /// What comes next in a trace, snapshots left out.
  enum NextSection {
    case block(BlockHeader, dataOffset: UInt64)
    /// The end, with the footer if it has just been read.
    case end(Footer?)
  }

  /// Reads on to the header of the next block, or to the end.
  func nextSection() throws -> NextSection {
    while footerOffset != offset {
      let section = try pending ?? loader.section(at: offset)
      pending = nil
      switch section {
      case .snapshot(let snapshot, let dataOffset, let payloadLength):
        try check(snapshot.entry)
        try loader.skip(payloadLength, at: dataOffset)
        offset = snapshot.entry.endOffset
      case .end:
        guard footerOffset == nil else { throw FormatProblem("the file has become shorter") }
        return .end(nil)
      case .block(let block, let dataOffset):
        try check(block.entry)
        return .block(block, dataOffset: dataOffset)
      case .footer(let lengths, let dataOffset, let payloadLength):
        let footer = try loader.footer(
          lengths, dataOffset: dataOffset, payloadLength: payloadLength, at: offset,
          blocksFrom: start)
        guard footer.index == index, footer.snapshots == snapshots else {
          throw FormatProblem("the index does not match the blocks")
        }
        guard footer.header.firstOrdinal == header.firstOrdinal else {
          throw FormatProblem("start and footer disagree on the first ordinal")
        }
        return .end(footer)
      }
    }
    return .end(nil)
  }

  /// Goes behind a block that has been read.
  func pass(_ block: BlockHeader) {
    Self.add(block, to: &columnTotals)
    offset = block.entry.endOffset
    blocksRead += 1
  }

  /// Takes the texts of a block whose events come next.
  func beginTexts(
    _ entry: IndexEntry, _ number: Int, names: [UInt8], strings: [UInt8]
  ) throws(FormatProblem) {
    try texts.begin(names: names, events: Int(entry.eventCount))
    guard number >= stringBlocks else { return }
    try texts.add(
      strings: strings, first: entry.firstString, count: Int(entry.stringCount))
    stringBlocks = number + 1
  }

  /// Takes what the footer says.
  func end(_ footer: Footer?) {
    guard let footer else { return }
    header = footer.header
    isComplete = true
    footerOffset = offset
  }

  /// Checks a block against the index, or makes it the next entry.
  private func check(_ entry: IndexEntry) throws(FormatProblem) {
    if blocksRead < index.count {
      guard index[blocksRead] == entry else {
        throw FormatProblem("the block is not the one the index names")
      }
    } else {
      try checkFollows(entry)
      index.append(entry)
    }
  }

  /// Checks a snapshot against the index, or makes it the next entry.
  private func check(_ entry: SnapshotEntry) throws(FormatProblem) {
    if blocksRead < index.count || (input.isSeekable && isComplete) {
      guard snapshots.contains(entry) else {
        throw FormatProblem("the snapshot is not one the index names")
      }
    } else if snapshots.last.map({ $0.offset < entry.offset }) ?? true {
      try checkFollows(entry)
      snapshots.append(entry)
    }
  }

  /// What has to be known of the events before an ordinal in order to follow the trace from there:
  /// the last snapshot that is intact and not behind it. Nil if there is none: then the trace has
  /// to be followed from its start. Of a pipe there is one at most, that of its first event.
  public func history(before ordinal: UInt64) -> TraceHistory? {
    guard input.isSeekable else {
      return historyOfPipe.flatMap { $0.ordinal <= ordinal ? $0 : nil }
    }
    for entry in snapshots.reversed() where entry.ordinal <= ordinal {
      if let history = try? loader.history(entry) { return history }
    }
    return nil
  }

  /// Reads every snapshot; throws ``TraceError`` for the first that is damaged. Only of a file.
  public func verifySnapshots() throws {
    guard input.isSeekable else { return }
    for entry in snapshots {
      do {
        _ = try loader.history(entry)
      } catch let problem as FormatProblem {
        throw TraceError(
          file: input.name, what: "snapshot at byte \(entry.offset): \(problem.what)",
          hint: "every event is intact; 'tracetool recover' makes a file without it")
      }
    }
  }

  /// A part of a longer trace says at its start what was before.
  private func readHistoryOfPipe() {
    guard header.firstOrdinal != nil else { return }
    do {
      let section = try loader.section(at: offset)
      guard case .snapshot(let snapshot, let dataOffset, let length) = section else {
        pending = section
        return
      }
      try check(snapshot.entry)
      historyOfPipe = try loader.history(snapshot, at: dataOffset, length)
      offset = snapshot.entry.endOffset
    } catch {
      state = .failed(explain(error, at: offset))
    }
  }

  /// Builds the index from the block headers, up to the first thing that is no block.
  private func scan() {
    var place = start
    while let section = try? loader.section(at: place) {
      switch section {
      case .block(let block, _):
        guard (try? checkFollows(block.entry)) != nil, block.entry.endOffset <= input.size!
        else { return }
        index.append(block.entry)
        place = block.entry.endOffset
      case .snapshot(let snapshot, _, _):
        guard (try? checkFollows(snapshot.entry)) != nil,
          snapshot.entry.endOffset <= input.size!
        else { return }
        snapshots.append(snapshot.entry)
        place = snapshot.entry.endOffset
      case .footer, .end: return
      }
    }
  }

  private func checkFollows(_ entry: SnapshotEntry) throws(FormatProblem) {
    guard entry.ordinal == endOrdinal else {
      throw FormatProblem("the snapshot is of event \(entry.ordinal), out of order")
    }
  }

  private func checkFollows(_ entry: IndexEntry) throws(FormatProblem) {
    guard entry.firstOrdinal == endOrdinal else {
      throw FormatProblem("the block begins with event \(entry.firstOrdinal), out of order")
    }
    guard entry.firstString == index.last?.endString ?? 0 else {
      throw FormatProblem("the block begins with string \(entry.firstString), out of order")
    }
  }

  /// Reads the strings of blocks a seek jumps over; those that are damaged stay unknown.
  func loadStrings(ofBlocksBefore end: Int) {
    while stringBlocks < end {
      let entry = index[stringBlocks]
      stringBlocks += 1
      guard entry.stringCount > 0,
        case .block(let block, let dataOffset)? = try? loader.section(at: entry.offset),
        block.entry == entry,
        (try? loader.load(block, at: dataOffset, into: decoder.columns) { $0 == .strings }) != nil
      else { continue }
      try? texts.add(
        strings: decoder.columns[.strings], first: entry.firstString, count: Int(entry.stringCount))
    }
  }

  private static func add(_ block: BlockHeader, to totals: inout [BlockLoader.Sizes]) {
    for column in block.directory where Int(column.id) < totals.count {
      totals[Int(column.id)].stored += UInt64(column.storedLength)
      totals[Int(column.id)].raw += UInt64(column.rawLength)
    }
  }

  func explain(_ error: any Error, at offset: UInt64, block: Int? = nil) -> any Error {
    guard let problem = error as? FormatProblem else { return error }
    let place = block.map { "block \($0) at byte \(offset)" } ?? "byte \(offset)"
    let delivered = (index.prefix(block ?? 0).last?.endOrdinal ?? firstOrdinal) - firstOrdinal
    return TraceError(
      file: input.name, what: "\(place): \(problem.what)",
      hint: "the \(delivered) events before it are intact; copy it again or record anew")
  }
}
