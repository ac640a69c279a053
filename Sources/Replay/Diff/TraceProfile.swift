public import TraceFormat

/// What `diff` compares: the shape of a trace, without addresses and absolute times.
public struct TraceProfile: Sendable {
  /// What the trace says about itself.
  public internal(set) var header: TraceHeader
  /// Events read.
  public internal(set) var events = 0
  /// Counts and regime.
  public internal(set) var facts = TraceFacts()
  /// Complete lives by shape, most frequent first.
  public internal(set) var shapes: [LifeShape] = []
  /// Lives cut by the start or end of the recording or by a hole in it, which have no shape.
  public internal(set) var cutLives = 0
  /// From unlink (observed or inferred) to destructor, for tables that were queued.
  public internal(set) var unlinkToDestructor = LatencyHistogram()
  /// From unlink to the free of the page, for tables that were queued.
  public internal(set) var unlinkToFree = LatencyHistogram()
  /// From the free of the lock to the free of the page.
  public internal(set) var lockFreeToFree = LatencyHistogram()
  /// Most tables at once that were queued and not yet freed.
  public internal(set) var peakRetainedTables = 0
  /// Most queued tables at once that were not yet destructed (still counted in NR_PAGETABLE).
  public internal(set) var peakUndestructed = 0
  /// Most ptlock objects at once whose table was queued already.
  public internal(set) var peakRetainedLocks = 0

  /// Complete lives.
  public var completeLives: Int { shapes.reduce(0) { $0 + $1.count } }
}

/// One shape of life, with how often it was seen.
public struct LifeShape: Sendable {
  /// Level of the tables.
  public let level: TableLevel
  /// The course of the life.
  public let word: [LifeToken]
  /// Lives of this shape.
  public internal(set) var count: Int
  /// One of them: its page.
  public let pfn: UInt64
  /// One of them: which life of that page.
  public let generation: UInt32
  /// One of them: place of its free.
  public let freeAt: Ordinal

  /// The word as text.
  public var text: String { word.map(\.text).joined(separator: " ") }

  /// What makes two shapes the same.
  var key: Key { Key(level: level, word: word) }

  struct Key: Hashable {
    let level: TableLevel
    let word: [LifeToken]
  }
}
