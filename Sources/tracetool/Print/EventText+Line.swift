import TraceFormat

extension EventText {
  /// Appends an event's line with its ordinal before it, and its line feed.
  func appendLine(
    _ event: Event, ordinal: UInt64, source: any EventSource, to bytes: inout [UInt8]
  ) {
    bytes.append(contentsOf: padded(String(ordinal), 9).utf8)
    bytes.append(UInt8(ascii: " "))
    appendLine(event, from: source, to: &bytes)
  }

  /// An event's line with its ordinal before it, without its line feed.
  func line(_ event: Event, ordinal: UInt64, source: any EventSource) -> String {
    var bytes: [UInt8] = []
    appendLine(event, ordinal: ordinal, source: source, to: &bytes)
    return String(decoding: bytes.dropLast(), as: UTF8.self)
  }
}
