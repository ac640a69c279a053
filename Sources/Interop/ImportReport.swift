/// What an import met, for people and for tests.
public struct ImportReport: Sendable, Equatable {
  /// How often a name occurred.
  public struct NameCount: Sendable, Equatable {
    /// Name of the event.
    public var name: String
    /// Lines with that name.
    public var count: Int
  }

  /// Lines that were not understood, by the name of their event.
  public struct UnknownName: Sendable, Equatable {
    /// Name of the event.
    public var name: String
    /// Lines with that name.
    public var count: Int
    /// Number of the first such line, from 1.
    public var firstLine: Int
    /// The first such line, cut off after 200 bytes.
    public var example: String
  }

  /// A hole in the trace.
  public struct Loss: Sendable, Equatable {
    /// CPU that is blind.
    public var cpu: Int
    /// Events lost, where the source says so.
    public var count: UInt64?
    /// Line after which the hole begins; 0 is the start of the trace.
    public var afterLine: Int
  }

  /// Name of the input format.
  public var format: String
  /// What the input consists of: `line` or `record`.
  public var unit = "line"
  /// Lines or records of the input.
  public var lines = 0
  /// Lines that are events.
  public var eventLines = 0
  /// Events written, the inferred ones included.
  public var events: UInt64 = 0
  /// Events written that are marked inferred.
  public var inferred: UInt64 = 0
  /// Lines read for their meaning, by event name.
  public var read: [NameCount] = []
  /// Lines with a known event that is not needed, by event name.
  public var ignored: [NameCount] = []
  /// Lines with an event nobody taught the importer.
  public var unknown: [UnknownName] = []
  /// Lines that have not the form of an event.
  public var badLines = 0
  /// The first of the bad lines, each cut off after 200 bytes, with its number.
  public var badExamples: [String] = []
  /// Lines of a known event whose needed values were missing or made no sense.
  public var badValues = 0
  /// Holes in the trace.
  public var losses: [Loss] = []
  /// Sentences for people, as in the header.
  public var remarks: [String] = []

  init(format: String) { self.format = format }
}
