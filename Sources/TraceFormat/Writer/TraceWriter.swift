/// Writes a trace file.
///
/// ```swift
/// let writer = try TraceWriter(path: "run.ptt", header: header)
/// try writer.append(Event(.tableAlloc, time: 1, object: 0x88fb5))
/// try writer.finish()
/// ```
///
/// The file appears under its name in ``finish(header:)`` and not before; a writer that is
/// abandoned or forgotten leaves nothing behind, and an older file of that name untouched. Memory
/// is one block, the names of tasks and one number for each object that was ever started, reader
/// sections excepted, of which those that are open count.
///
/// Same events, names, strings and options make the same bytes. After an error the writer is
/// abandoned: every later call throws it again.
public final class TraceWriter: EventSink {
  /// How columns are stored.
  public enum Codec: Sendable, Equatable {
    /// One zstd frame each, where that is smaller.
    case zstd(level: Int)
    /// As they are, for reading with plain tools.
    case none
  }

  /// How often what has to be known of the events before is stored, so that reading can begin in
  /// the middle.
  public enum Snapshots: Sendable, Equatable {
    /// Never.
    case none
    /// Where it adds about 2 % to the file.
    case automatic
    /// Behind every so many events, at least one.
    case every(UInt64)
  }

  /// What can be chosen about a file.
  public struct Options: Sendable, Equatable {
    /// Events in a block, 1 … 262144.
    public var blockEvents: Int
    /// How columns are stored.
    public var codec: Codec
    /// Events keep the generations they come with, as part of a longer trace has to. Otherwise the
    /// writer numbers them.
    public var keepsGenerations: Bool
    /// How often a snapshot is stored.
    public var snapshots: Snapshots
    /// Threads that make blocks, at least one. With one the caller's thread does it while it takes
    /// events; more do it while the caller goes on. The bytes are the same. Memory grows by some
    /// 35 MiB for the second and 12 MiB for each other.
    public var workers: Int

    /// Makes options.
    public init(
      blockEvents: Int = 262_144, codec: Codec = .zstd(level: 1), keepsGenerations: Bool = false,
      snapshots: Snapshots = .none, workers: Int = 1
    ) {
      self.blockEvents = blockEvents
      self.codec = codec
      self.keepsGenerations = keepsGenerations
      self.snapshots = snapshots
      self.workers = workers
    }
  }

  /// Events taken so far.
  public var eventCount: UInt64 { ordinal - firstOrdinal }
  /// Bytes written so far.
  public var byteCount: UInt64 { offset }

  private enum State {
    case open
    case finished
    case failed(any Error)
  }

  private let output: any ByteOutput
  private let options: Options
  private let header: TraceHeader
  private var state = State.open {
    didSet { unguarded = 0 }
  }
  private var offset: UInt64 = 0
  private var index: [IndexEntry] = []
  private let pipeline: BlockPipeline
  /// Collects the events of the next block.
  private var room: EventRoom
  private var events: Lane<Event>
  /// Events collected and not yet encoded.
  private var count = 0
  /// Events of the next block that have been encoded.
  private var encoded = 0
  /// Events that need no look at anything but `count`; 0 in a file that has ended.
  private var unguarded = 0
  private let firstOrdinal: UInt64
  private var texts = BlockTexts()
  private var nextOrdinal: UInt64
  private var nextString: UInt64 = 0
  /// What a snapshot is made of, and when; nil where none is stored.
  private var snapshots: SnapshotPolicy?
  private var snapshotIndex: [SnapshotEntry] = []

  /// Begins a file; `-` is standard output.
  ///
  /// Throws ``TraceError`` where the file cannot be made or the header is too long.
  public convenience init(path: String, header: TraceHeader, options: Options = Options()) throws {
    try self.init(output: try AtomicOutput(path: path), header: header, options: options)
  }

  /// Begins a trace in any output.
  init(output: any ByteOutput, header: TraceHeader, options: Options) throws {
    precondition((1...FormatLimits.blockEvents).contains(options.blockEvents), "block size")
    if case .zstd(let level) = options.codec {
      precondition(ZstdCodec.levels.contains(level), "zstd level")
    }
    self.output = output
    self.options = options
    self.header = header
    precondition(options.workers >= 1, "workers")
    pipeline = BlockPipeline(options)
    room = pipeline.room()
    events = room.events
    firstOrdinal = header.firstOrdinal ?? 0
    precondition(firstOrdinal <= FormatLimits.firstOrdinal, "first ordinal")
    nextOrdinal = firstOrdinal
    snapshots = SnapshotPolicy(options, from: firstOrdinal)
    setUnguarded()
    try guarded {
      do {
        try put(FileHeader.bytes(header))
      } catch let problem as FormatProblem {
        throw error(problem)
      }
    }
  }

  deinit { abandon() }

  public func append(_ event: Event) throws {
    // All there is to most calls.
    if count < unguarded {
      events[count] = event
      count &+= 1
      return
    }
    try appendGuarded(event)
  }

  private func appendGuarded(_ event: Event) throws {
    try checkOpen()
    snapshots?.take(event, at: ordinal)
    events[count] = event
    count += 1
    if inBlock == options.blockEvents || snapshots?.wantsBlockToEnd(at: ordinal) == true {
      try endBlock()
    } else if count == events.count {
      pipeline.encode(room)
      encoded += count
      count = 0
      setUnguarded()
    }
  }

  /// Lets events be taken without a look as long as neither the room nor the block is full.
  private func setUnguarded() {
    guard snapshots == nil else { return }
    unguarded = min(events.count, options.blockEvents - encoded) - 1
  }

  /// Events of the next block.
  private var inBlock: Int { encoded + count }

  /// Ordinal of the next event.
  private var ordinal: UInt64 { nextOrdinal + UInt64(inBlock) }

  /// Begins a trace that is part of a longer one: says what was before its first event, whose
  /// ordinal is that of the header. Comes before everything else.
  public func begin(with history: TraceHistory) throws {
    try checkOpen()
    precondition(index.isEmpty && inBlock == 0 && history.ordinal == firstOrdinal, "the start")
    try write(history)
    snapshots?.begin(with: history)
  }

  /// Names a task from here on.
  ///
  /// Throws ``TraceError`` for a name of more than 64 bytes.
  public func setTaskName(_ name: String, of task: UInt32) throws {
    try checkOpen()
    guard name.utf8.count <= FormatLimits.nameBytes else {
      throw error(FormatProblem("the name of task \(task) is longer than 64 bytes"))
    }
    texts.setName(name, of: task, position: inBlock)
    if texts.isFull { try endBlock() }
  }

  /// Stores a text and returns the index a `mark` names it by.
  ///
  /// Throws ``TraceError`` for a text of more than 65535 bytes.
  public func addString(_ text: String) throws -> UInt64 {
    try checkOpen()
    guard text.utf8.count <= FormatLimits.stringBytes else {
      throw error(FormatProblem("a text of \(text.utf8.count) bytes is longer than 65535"))
    }
    texts.addString(text)
    let number = nextString + UInt64(texts.stringCount - 1)
    if texts.isFull { try endBlock() }
    return number
  }

  public func flush() throws { try flushBlock() }

  /// Ends the block here and hands it to the system: a reader of the unfinished file sees it.
  public func flushBlock() throws {
    try endBlock()
    while pipeline.count > 0 { try write(pipeline.take()) }
  }

  /// Ends the block here; it is written when it and all before it have been made.
  private func endBlock() throws {
    try checkOpen()
    guard inBlock > 0 || !texts.isEmpty else { return }
    var entry = IndexEntry(offset: 0)
    entry.eventCount = UInt32(inBlock)
    entry.firstOrdinal = nextOrdinal
    entry.firstString = nextString
    entry.stringCount = UInt32(texts.stringCount)
    pipeline.add(BlockOrder(room: room, count: count, texts: texts, entry: entry))
    nextOrdinal = entry.endOrdinal
    nextString = entry.endString
    (count, encoded) = (0, 0)
    texts.nextBlock()
    while let block = pipeline.takeIfDone() { try write(block) }
    while pipeline.count >= pipeline.workers { try write(pipeline.take()) }
    room = pipeline.room()
    events = room.events
    setUnguarded()
    try storeSnapshot()
  }

  /// Writes a block behind those before it.
  private func write(_ block: PackedBlock) throws {
    var entry = block.entry
    entry.offset = offset
    try guarded {
      try put(block.bytes)
      try output.flush()
    }
    index.append(entry)
  }

  /// Stores a snapshot behind the block that has just ended, if one is due there.
  private func storeSnapshot() throws {
    guard let snapshots else { return }
    while pipeline.count > SnapshotPolicy.blocksUnknown { try write(pipeline.take()) }
    guard snapshots.isDue(at: nextOrdinal, byte: estimatedOffset) else { return }
    while pipeline.count > 0 { try write(pipeline.take()) }
    try write(snapshots.history(at: nextOrdinal, taskName: texts.name(of:)))
  }

  /// About where the next block will begin: by the blocks but the last few, so that it does not
  /// depend on how many of those have been made already.
  private var estimatedOffset: UInt64 {
    let known = index.prefix(
      max(0, index.count + pipeline.count - SnapshotPolicy.blocksUnknown))
    let all = nextOrdinal - firstOrdinal
    guard let last = known.last, last.endOrdinal > firstOrdinal else {
      return all * SnapshotPolicy.bytesPerEvent
    }
    let events = last.endOrdinal - firstOrdinal
    return last.endOffset + last.endOffset / events * (all - events)
  }

  /// Stores a snapshot, unless it is more than a file may hold.
  private func write(_ history: TraceHistory) throws {
    guard let bytes = try SnapshotSection.bytes(history) else { return }
    snapshotIndex.append(
      SnapshotEntry(
        offset: offset, length: UInt32(bytes.count), eventCount: UInt32(history.items.count),
        ordinal: history.ordinal))
    try guarded {
      try put(bytes)
      try output.flush()
    }
    snapshots?.stored(history, bytes: bytes.count, at: offset)
  }

  /// Writes what is left, the footer with `header` (or the one the file began with), and gives
  /// the file its name.
  public func finish(header: TraceHeader? = nil) throws {
    try flushBlock()
    var completed = header ?? self.header
    completed.firstOrdinal = self.header.firstOrdinal
    let footer = Footer(
      header: completed, index: index, snapshots: snapshotIndex,
      eventCount: nextOrdinal - firstOrdinal, stringCount: nextString)
    try guarded {
      do {
        try put(footer.bytes(at: offset))
      } catch let problem as FormatProblem {
        throw error(problem)
      }
      try output.commit()
    }
    state = .finished
  }

  /// Gives up: removes what was written. Nothing happens after ``finish(header:)``.
  public func abandon() {
    guard case .open = state else { return }
    output.abandon()
    state = .failed(error(FormatProblem("the trace was abandoned")))
  }

  private func put(_ bytes: [UInt8]) throws {
    try output.write(bytes)
    offset += UInt64(bytes.count)
  }

  /// Runs a step that writes; the first error ends the file and is kept.
  private func guarded(_ step: () throws -> Void) throws {
    do {
      try step()
    } catch {
      output.abandon()
      state = .failed(error)
      throw error
    }
  }

  @inline(__always)
  private func checkOpen() throws {
    switch state {
    case .open: return
    case .finished: preconditionFailure("the trace is finished")
    case .failed(let error): throw error
    }
  }

  private func error(_ problem: FormatProblem) -> TraceError {
    TraceError(file: output.path, what: problem.what)
  }
}
