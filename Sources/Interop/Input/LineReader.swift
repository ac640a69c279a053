import TraceFormat

/// Takes the lines of a text one by one; the span is valid during the call only.
protocol LineConsumer {
  /// Takes the next line, without its line feed.
  mutating func take(line: Span<UInt8>) throws
  /// Takes what follows the last line feed: a line whose end is missing.
  mutating func take(cutOff line: Span<UInt8>) throws
  /// Called once a second while a live input is read, and when it pauses: what was made of the
  /// lines so far is to be handed on.
  mutating func pause() throws
}

extension LineConsumer {
  mutating func take(cutOff line: Span<UInt8>) throws { try take(line: line) }
  mutating func pause() throws {}
}

/// Cuts a ``ByteSource`` into lines through one buffer, which grows for a line it does not hold.
///
/// A line longer than ``capacity`` is handed over cut off; the rest of it is skipped.
struct LineReader {
  /// Longest line that is handed over whole.
  static let capacity = 1 << 20
  /// Bytes of the buffer as long as lines are short: what was read is still in the core's cache when
  /// it is looked at.
  private static let usual = 1 << 17

  /// Feeds every line of `source`, from its start, to `consumer`.
  static func feed(
    _ source: ByteSource, to consumer: inout some LineConsumer
  ) throws {
    try source.rewind()
    var buffer = [UInt8](repeating: 0, count: usual)
    var end = 0
    var skipping = false
    while true {
      while !source.awaitBytes() { try consumer.pause() }
      let count = try source.read(into: &buffer, at: end)
      end += count
      let consumed = try lines(of: buffer.span, to: end, into: &consumer, skipping: &skipping)
      if count == 0 {
        if consumed < end, !skipping {
          let rest = buffer.span.extracting(consumed..<end)
          // What the kernel prints ends with a line feed: a number may be cut in two here.
          try consumer.take(cutOff: rest)
        }
        return
      }
      if consumed == 0, end == buffer.count, end < capacity {
        buffer += repeatElement(0, count: min(capacity, 4 * end) - end)
      } else if consumed == 0, end == capacity {
        if !skipping { try consumer.take(line: buffer.span) }
        skipping = true
        end = 0
      } else if consumed > 0 {
        buffer.replaceSubrange(0..<(end - consumed), with: Array(buffer[consumed..<end]))
        end -= consumed
      }
    }
  }

  /// Which lines of a large file are looked at to learn what is in it.
  struct Sampling: Sendable {
    /// Bytes of a file that is large.
    var least = 1 << 24
    /// Bytes at its start.
    var start = 1 << 20
    /// Pieces of the rest, at equal distances.
    var pieces = 96
    /// Bytes of a piece.
    var piece = 1 << 14
  }

  /// Feeds some lines of `source` to `consumer`; false if it is not a large file that can be read at
  /// any place.
  static func sample(
    _ source: ByteSource, _ sampling: Sampling, to consumer: inout some LineConsumer
  ) throws -> Bool {
    guard let file = source.plainFile, file.size >= sampling.least else { return false }
    var buffer = [UInt8](repeating: 0, count: sampling.start)
    for piece in 0...sampling.pieces {
      if piece == 1 { buffer = [UInt8](repeating: 0, count: sampling.piece) }
      let offset = file.size / UInt64(sampling.pieces + 1) * UInt64(piece)
      let end = try file.read(at: offset, into: &buffer, from: 0)
      // A piece begins and ends somewhere in a line.
      var skipping = piece > 0
      _ = try lines(of: buffer.span, to: end, into: &consumer, skipping: &skipping)
    }
    return true
  }

  private static func lines(
    of bytes: Span<UInt8>, to end: Int, into consumer: inout some LineConsumer,
    skipping: inout Bool
  ) throws -> Int {
    var start = 0
    while let feed = ByteSource.lineFeed(in: bytes, from: start, to: end) {
      if skipping {
        skipping = false
      } else {
        try consumer.take(line: bytes.extracting(start..<feed))
      }
      start = feed + 1
    }
    return start
  }
}
