import TraceFormat

/// One input format. A new format is one folder and one line in ``Importing/formats``.
protocol TraceImporter {
  /// Name of the format, as in the header's `source`.
  static var format: String { get }
  /// Whether it can be read while it is being written.
  static var canFollow: Bool { get }

  /// Whether an input that starts with `head` (up to 64 KiB, decompressed) is of this format.
  static func recognises(_ head: [UInt8]) -> Bool

  /// Reads `source` from its start and writes its events to the sink.
  static func run(
    _ source: ByteSource, options: ImportOptions,
    into makeSink: (TraceHeader) throws -> any EventSink
  ) throws -> ImportResult
}

extension TraceImporter {
  static var canFollow: Bool { false }
}
