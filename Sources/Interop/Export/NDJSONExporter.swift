public import TraceFormat

/// One JSON object for each event and line; for jq, DuckDB and scripts.
public struct NDJSONExporter: TraceExporter {
  public static let format = "ndjson"
  public static let summary = "one JSON object a line"

  private let text: EventText

  public init(header: TraceHeader) { text = EventText(clock: header.clock) }

  public mutating func append(
    _ event: Event, ordinal: UInt64, from source: any EventSource, to bytes: inout [UInt8]
  ) {
    text.appendJSON(event, ordinal: ordinal, from: source, to: &bytes)
  }
}
