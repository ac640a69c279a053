public import TraceFormat

/// One output format. A new format is one file and one line in ``Exporting/formats``.
public protocol TraceExporter {
  /// Name of the format on the command line.
  static var format: String { get }
  /// What the format is, in a few words.
  static var summary: String { get }

  /// An exporter of a trace with this header.
  init(header: TraceHeader)

  /// Appends what comes before the first event.
  mutating func begin(into bytes: inout [UInt8])
  /// Appends one event; `source` knows the names of tasks and the texts of marks.
  mutating func append(
    _ event: Event, ordinal: UInt64, from source: any EventSource, to bytes: inout [UInt8])
  /// Appends what comes behind the last event.
  mutating func end(into bytes: inout [UInt8])
}

extension TraceExporter {
  public mutating func begin(into bytes: inout [UInt8]) {}
  public mutating func end(into bytes: inout [UInt8]) {}
}

/// Writes traces for other programs.
public enum Exporting {
  /// Every format.
  public static var formats: [any TraceExporter.Type] { [NDJSONExporter.self, CSVExporter.self] }

  /// The format of a name, if there is one.
  public static func format(named name: String) -> (any TraceExporter.Type)? {
    formats.first { $0.format == name }
  }
}
