/// When a writer stores a snapshot, and what of.
struct SnapshotPolicy {
  /// Bytes of a file for each byte of its snapshots, where the writer chooses.
  private static let share: UInt64 = 50
  /// Bytes of a file before its first snapshot, where the writer chooses: reading them takes no
  /// time.
  private static let leastBytes: UInt64 = 1 << 20

  /// Blocks whose length counts for nothing yet when the writer chooses: they may still be in the
  /// making.
  static let blocksUnknown = 4
  /// What an event takes in a file, as a guess where no length counts yet.
  static let bytesPerEvent: UInt64 = 3

  private let interval: UInt64?
  private var keeper: HistoryKeeper
  private var lastOrdinal: UInt64
  private var lastByte: UInt64 = 0
  /// Bytes of a snapshot for each event in it, in hundredths; a guess before the first.
  private var hundredthsPerItem: UInt64 = 500

  /// A policy for a trace that begins with an ordinal; nil where nothing is to be stored.
  init?(_ options: TraceWriter.Options, from ordinal: UInt64) {
    switch options.snapshots {
    case .none: return nil
    case .automatic: interval = nil
    case .every(let events): interval = max(1, events)
    }
    keeper = HistoryKeeper(numbersEvents: !options.keepsGenerations)
    lastOrdinal = ordinal
  }

  /// Goes on where `history` leaves off.
  mutating func begin(with history: TraceHistory) { keeper = HistoryKeeper(history) }

  /// Takes the next event.
  mutating func take(_ event: Event, at ordinal: UInt64) { keeper.take(event, at: ordinal) }

  /// Whether the block should end before the event with this ordinal.
  func wantsBlockToEnd(at ordinal: UInt64) -> Bool {
    interval.map { ordinal - lastOrdinal >= $0 } ?? false
  }

  /// Whether a snapshot should stand before the event with this ordinal, at about this place in the
  /// file.
  func isDue(at ordinal: UInt64, byte offset: UInt64) -> Bool {
    if interval != nil { return wantsBlockToEnd(at: ordinal) }
    guard offset >= lastByte + Self.leastBytes else { return false }
    let passed = offset - lastByte
    let estimate = UInt64(keeper.itemCount) * hundredthsPerItem / 100
    return passed >= Self.share * estimate
  }

  /// What the snapshot says.
  func history(at ordinal: UInt64, taskName: (UInt32) -> String?) -> TraceHistory {
    keeper.history(at: ordinal, taskName: taskName)
  }

  /// Notes that a snapshot has been stored, and ends at a place in the file.
  mutating func stored(_ history: TraceHistory, bytes: Int, at offset: UInt64) {
    lastOrdinal = history.ordinal
    lastByte = offset
    if !history.items.isEmpty {
      hundredthsPerItem = UInt64(bytes) * 100 / UInt64(history.items.count)
    }
  }
}
