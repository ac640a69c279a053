/// What a recovery found and lost.
public struct RecoveryReport: Sendable, Equatable {
  /// A run of events that is gone.
  public struct Hole: Sendable, Equatable {
    /// Where in the damaged file it begins, in bytes.
    public var offset: UInt64
    /// Bytes of the damaged file that could not be used.
    public var bytes: UInt64
    /// Ordinal, in the damaged file, of the first event that is lost.
    public var firstOrdinal: UInt64
    /// Events lost; nil where nothing tells how many.
    public var events: UInt64?
  }

  /// Events kept.
  public internal(set) var events: UInt64 = 0
  /// Blocks kept.
  public internal(set) var blocks = 0
  /// The first holes, at most ``shownHoles``.
  public internal(set) var holes: [Hole] = []
  /// Number of all holes.
  public internal(set) var holeCount = 0
  /// Events lost in holes that tell how many.
  public internal(set) var lostEvents: UInt64 = 0
  /// Holes that do not tell how many events they lost.
  public internal(set) var uncountedHoles = 0
  /// Bytes that could not be used, whether events were in them or not.
  public internal(set) var damagedBytes: UInt64 = 0
  /// The start of the file was damaged; the header is the footer's copy.
  public internal(set) var startIsDamaged = false
  /// The file has an end that is damaged: what the recorder counted at the end is lost.
  public internal(set) var endIsDamaged = false
  /// The file has no end: it was being written, or was cut off between two blocks.
  public internal(set) var endIsMissing = false

  /// The most holes that are listed one by one.
  public static let shownHoles = 16

  /// Whether anything of the trace is lost.
  public var isLossy: Bool { holeCount > 0 || endIsDamaged }

  mutating func add(_ hole: Hole) {
    holeCount += 1
    if holes.count < Self.shownHoles { holes.append(hole) }
    if let events = hole.events { lostEvents &+= events } else { uncountedHoles += 1 }
  }

  /// The holes in one phrase, for people.
  var summary: String {
    "\(holeCount) \(holeCount == 1 ? "hole" : "holes"), \(losses) lost"
  }

  /// How many events are lost, in words.
  public var losses: String { (uncountedHoles > 0 ? "at least " : "") + "\(lostEvents) events" }
}
