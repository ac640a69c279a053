/// Where a writer's bytes go.
protocol ByteOutput: AnyObject {
  /// Name for messages.
  var path: String { get }
  /// Appends bytes.
  func write(_ bytes: [UInt8]) throws
  /// Makes everything so far visible to a reader.
  func flush() throws
  /// Completes the output.
  func commit() throws
  /// Throws the output away.
  func abandon()
}

extension AtomicOutput: ByteOutput {}

/// Bytes kept in memory.
final class MemoryOutput: ByteOutput {
  let path = "memory"
  private(set) var bytes: [UInt8] = []

  init() {}

  func write(_ bytes: [UInt8]) { self.bytes.append(contentsOf: bytes) }
  func flush() {}
  func commit() {}
  func abandon() { bytes = [] }
}
