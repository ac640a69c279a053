import Replay
import TraceFormat

/// A trace a verb reads: a `.ptt` file, a pipe, or a text capture, which is imported on the way
/// into a temporary file that nobody else sees.
final class TraceInput {
  /// What is known of the file itself.
  struct Size {
    /// Bytes; nil for a pipe, and for a capture, whose own size says nothing about a trace.
    let bytes: UInt64?
    /// Blocks; nil while a pipe has not been read to its end, and for a capture.
    let blocks: Int?
    /// Snapshots, as blocks.
    let snapshots: Int?
  }

  /// The file as the user named it.
  let name: String
  /// The events.
  private(set) var source: any EventSource
  private let reader: TraceReader
  private let isImported: Bool

  /// Opens a trace, a text capture, the directory of one, or `-`.
  ///
  /// Throws ``TraceError`` for whatever is none of them.
  ///
  /// - Parameter workers: threads that decode a file's blocks ahead; see ``TraceReader/workers``.
  static func open(_ path: String, workers: Int = 1) throws -> TraceInput {
    let input =
      switch try InputKind.of(path) {
      case .trace: TraceInput(path, try TraceReader(path: path), isImported: false)
      case .capture: try importing(path)
      }
    input.reader.workers = workers
    return input
  }

  private init(_ name: String, _ reader: TraceReader, isImported: Bool) {
    self.name = name
    self.reader = reader
    self.isImported = isImported
    source = reader
  }

  private static func importing(_ path: String) throws -> TraceInput {
    let directory = try TemporaryDirectory(holding: ["capture.ptt"])
    // The reader keeps the file open; its name is not needed any more, and what has no name
    // cannot be left behind.
    defer { directory.remove() }
    let file = directory.path + "/capture.ptt"
    _ = try CaptureImport(path: path).write(to: file)
    return TraceInput(path, try TraceReader(path: file), isImported: true)
  }

  /// Shows on a terminal how far the trace has been read, from here to the next call.
  func showProgress(_ verb: String, _ verbosity: VerbosityOptions, output: String? = nil) {
    guard let bar = ProgressBar("\(verb) \(name)", .events, verbosity, output: output) else {
      return
    }
    source = WatchedSource(reader, bar) { [reader] in reader.eventCount }
  }

  /// What is known of the file.
  var size: Size {
    guard !isImported else { return Size(bytes: nil, blocks: nil, snapshots: nil) }
    return Size(
      bytes: reader.fileSize, blocks: reader.blockCount,
      snapshots: reader.blockCount.map { _ in reader.snapshots.count })
  }

  /// Passes over the blocks that are not wanted, where the trace has an index.
  func readOnly(_ wanted: @escaping (IndexEntry) -> Bool) { reader.wantsBlock = wanted }

  /// How much of a file was read, in words; nil for a pipe that was not read to its end.
  var blocksRead: String? {
    reader.blockCount.map {
      "read \(reader.blocksDecoded) of \($0) blocks, \(reader.bytesRead) bytes"
    }
  }

  /// Goes to the place from which the selected events can be judged, and leaves out the blocks
  /// behind them. Returns what is known of the events before; nil where that is the start of the
  /// trace.
  func begin(for selection: EventSelection) throws -> TraceHistory? {
    guard reader.fileSize != nil else { return reader.history(before: reader.firstOrdinal) }
    let blocks = reader.index.filter(selection.mayContain)
    let first = max(
      blocks.first?.firstOrdinal ?? reader.firstOrdinal, selection.ordinals?.lowerBound ?? 0)
    if !selection.isEverything {
      let last = blocks.last?.firstOrdinal ?? 0
      // A hole may be told of only when it is over (docs/EVENTS.md, Losses).
      reader.wantsBlock = { $0.firstOrdinal <= last || $0.contains(.loss) }
    }
    return try begin(before: first)
  }

  /// Goes to a place from which an event, or the last one not behind a time, can be reached.
  /// Returns what is known of the events before; nil where that is the start of the trace.
  func begin(before place: Player.Place) throws -> TraceHistory? {
    switch place {
    case .ordinal(let ordinal): return try begin(before: UInt64(max(0, ordinal)))
    case .time(let time):
      let later = reader.index.first { $0.eventCount > 0 && $0.timeMax > time }
      return try begin(before: later?.firstOrdinal ?? reader.endOrdinal)
    }
  }

  private func begin(before ordinal: UInt64) throws -> TraceHistory? {
    let history = reader.history(before: ordinal)
    if reader.fileSize != nil {
      try reader.seek(toOrdinal: history?.ordinal ?? reader.firstOrdinal)
    }
    return history
  }

  /// Bytes of each column of the blocks.
  func columnSizes() throws -> [TraceReader.ColumnSize] { try reader.columnSizes() }

  /// Reads every snapshot, so that damage in one is an error.
  func verifySnapshots() throws { try reader.verifySnapshots() }

  /// Starts again at the first event; false where that is not possible (a pipe).
  func rewind() throws -> Bool {
    guard reader.fileSize != nil else { return false }
    reader.wantsBlock = nil
    try reader.seek(toOrdinal: reader.firstOrdinal)
    return true
  }

  /// What a reader of the trace should know about its end; known once it has been read.
  var warning: String? { reader.warning }

  /// Prints what a reader of the trace should know.
  func reportWarning(_ verbosity: VerbosityOptions) {
    if let warning { verbosity.note("warning: \(name): \(warning)") }
  }
}

/// What a file is, by its first bytes and nothing else.
enum InputKind {
  /// A `.ptt` file.
  case trace
  /// Text of ftrace, perhaps compressed, or the directory of a capture.
  case capture

  /// Looks at the start of a file. What comes through a pipe is a `.ptt`: text is for `import -`.
  static func of(_ path: String) throws -> InputKind {
    if path != "-", isDirectory(path) { return .capture }
    guard let start = firstBytes(of: path, count: 4), !start.isEmpty else { return .trace }
    // Two ways to know a trace: damage to one of its first bytes must not make it a text.
    let isTrace = start[0] == 0x89 || start.dropFirst() == [0x50, 0x54, 0x54]
    return isTrace ? .trace : .capture
  }
}
