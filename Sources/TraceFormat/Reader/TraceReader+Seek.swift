/// Going to an event.
extension TraceReader {
  /// Goes to an event: the next batch begins with it. At or behind the end, nothing is left.
  ///
  /// Throws ``TraceError`` for a pipe, for a damaged block on the way, and for an ordinal behind
  /// the damage of a file that ends in some. Costs one block, whatever the size of the file.
  public func seek(toOrdinal target: UInt64) throws {
    guard input.isSeekable else {
      throw TraceError(
        file: input.name, what: "a pipe cannot be read from its middle",
        hint: "write it to a file first")
    }
    // The block that holds the event, or the place behind the last one.
    var low = 0
    var high = index.count
    while low < high {
      let middle = (low + high) / 2
      if index[middle].endOrdinal <= target { low = middle + 1 } else { high = middle }
    }
    state = .reading
    decoder.end()
    current = nil
    ahead = nil
    texts.forgetNames()
    loadStrings(ofBlocksBefore: low)
    do {
      blocksRead = low
      blocksBegun = low
      offset = low < index.count ? index[low].offset : index.last?.endOffset ?? start
      ordinal = low < index.count ? index[low].firstOrdinal : endOrdinal
      guard low < index.count, target > ordinal else { return }
      guard try readBlock() else { throw FormatProblem("the block is no longer there") }
      var skipped: [Event] = []
      let position = Int(target - ordinal)
      while decoder.position < position {
        let end = min(position, decoder.position + Self.batchEvents)
        try decode(upTo: end, into: &skipped)
      }
      texts.apply(upTo: position)
      ordinal = target
    } catch {
      let shown = explain(error, at: offset, block: blocksRead)
      state = .failed(shown)
      throw shown
    }
  }
}
