import TraceFormat

extension EventText {
  /// Appends an event's line with its ordinal before it, and its line feed.
  func appendLine(
    _ event: Event, ordinal: UInt64, source: any EventSource, to bytes: inout [UInt8]
  ) {
    let start = bytes.count
    var rest = ordinal
    repeat {
      bytes.append(UInt8(ascii: "0") + UInt8(rest % 10))
      rest /= 10
    } while rest > 0
    while bytes.count - start < 9 { bytes.append(UInt8(ascii: " ")) }
    bytes[start...].reverse()
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
