public import TraceFormat

/// Comma-separated values with a heading; for spreadsheets, pandas and databases.
public struct CSVExporter: TraceExporter {
  public static let format = "csv"
  public static let summary = "comma-separated values, a heading first"

  private let text: EventText

  public init(header: TraceHeader) { text = EventText(clock: header.clock) }

  public mutating func begin(into bytes: inout [UInt8]) {
    bytes.append(contentsOf: EventText.csvHeading.utf8)
  }

  public mutating func append(
    _ event: Event, ordinal: UInt64, from source: any EventSource, to bytes: inout [UInt8]
  ) {
    text.appendCSV(event, ordinal: ordinal, from: source, to: &bytes)
  }
}
