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
  /// What the trace says about itself: of a file the completed header at once, of a pipe the
  /// first one until the end has been read.
  public internal(set) var header: TraceHeader
  /// What is known of each block: of a file all of them at once, of a pipe those read so far.
  public internal(set) var index: [IndexEntry] = []
  /// What is known of each snapshot, as of the blocks.
  public internal(set) var snapshots: [SnapshotEntry] = []
  /// Whether the end of the trace is known to be there; of a pipe, once it has been read.
  public internal(set) var isComplete = false
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

  enum State {
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
  let decoder = BlockDecoder()
  var texts = TextTable()
  var columnTotals = [BlockLoader.Sizes](
    repeating: BlockLoader.Sizes(), count: Int(ColumnID.allCases.last!.rawValue) + 1)
  var state = State.reading
  /// Where the next section begins.
  var offset: UInt64
  /// Blocks before `offset`.
  var blocksRead = 0
  /// Blocks before the one that is delivered after the one at hand, if none is passed over.
  var blocksBegun = 0
  /// The section at `offset`, where its header has been read already.
  var pending: BlockLoader.Section?
  /// What has been read ahead by `workers`.
  var ahead: ReadAhead?
  /// The block being delivered that one of them has decoded.
  var current: Current?
  /// What a pipe said at its start about the events before its first one.
  var historyOfPipe: TraceHistory?
  /// Strings of the blocks before this one are in `texts`.
  var stringBlocks = 0
  /// Ordinal of the next event.
  var ordinal: UInt64 = 0
  /// Where the footer begins, once it has been read.
  var footerOffset: UInt64?

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

  func decode(upTo end: Int, into events: inout [Event]) throws {
    do {
      try decoder.decode(upTo: end, into: &events, at: 0)
    } catch {
      throw explain(error, at: index[blocksRead - 1].offset, block: blocksRead - 1)
    }
  }

  /// Reads the next block; false at the end of the trace.
  func readBlock() throws -> Bool {
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
}
