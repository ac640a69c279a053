import TraceFormat

/// Where a verb's text goes: stdout, or a file that appears only when it is complete.
///
/// Every write is checked: a full disk is an error, and so is a reader that left, which ends the
/// process quietly.
final class TextOutput {
  private let file: AtomicOutput
  private var buffer: [UInt8] = []
  /// Nothing can be written after an error.
  private var isBroken = false
  private static let flushBytes = 64 * 1024

  private init(_ file: AtomicOutput) { self.file = file }

  /// The file of `-o`; `-` is stdout.
  static func open(_ path: String = "-") throws -> TextOutput {
    TextOutput(try AtomicOutput(path: path))
  }

  /// Writes text as it is.
  func write(_ text: String) throws {
    buffer.append(contentsOf: text.utf8)
    if buffer.count >= Self.flushBytes { try flush() }
  }

  /// Writes text and a line break.
  func writeLine(_ text: String) throws {
    buffer.append(contentsOf: text.utf8)
    buffer.append(UInt8(ascii: "\n"))
    if buffer.count >= Self.flushBytes { try flush() }
  }

  /// Writes text that is in bytes already.
  func write(_ text: [UInt8]) throws {
    buffer.append(contentsOf: text)
    if buffer.count >= Self.flushBytes { try flush() }
  }

  /// Writes what is left; a file gets its name only now.
  func close() throws {
    try unlessBroken {
      try file.write(buffer)
      try file.commit()
    }
    buffer = []
  }

  private func flush() throws {
    try unlessBroken { try file.write(buffer) }
    buffer.removeAll(keepingCapacity: true)
  }

  private func unlessBroken(_ body: () throws -> Void) throws {
    guard !isBroken else { return }
    do {
      try body()
    } catch {
      isBroken = true
      throw error
    }
  }
}
