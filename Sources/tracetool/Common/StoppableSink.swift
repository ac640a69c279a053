import TraceFormat

/// A sink that ends the work of whoever fills it once a stop was requested.
final class StoppableSink: EventSink {
  /// What is thrown then.
  struct Stopped: Error {}

  private let sink: any EventSink
  private var count: UInt64 = 0

  /// Passes everything on to `sink`.
  init(_ sink: any EventSink) { self.sink = sink }

  func append(_ event: Event) throws {
    try sink.append(event)
    count += 1
    if count & 1023 == 0, StreamStop.isRequested { throw Stopped() }
  }

  func setTaskName(_ name: String, of task: UInt32) throws {
    try sink.setTaskName(name, of: task)
  }

  func addString(_ text: String) throws -> UInt64 { try sink.addString(text) }
}
