/// Names and strings that blocks bring.
extension TraceReader {
  /// Takes the texts of a block whose events come next.
  func beginTexts(
    _ entry: IndexEntry, _ number: Int, names: [UInt8], strings: [UInt8]
  ) throws(FormatProblem) {
    try texts.begin(names: names, events: Int(entry.eventCount))
    guard number >= stringBlocks else { return }
    try texts.add(
      strings: strings, first: entry.firstString, count: Int(entry.stringCount))
    stringBlocks = number + 1
  }

  /// Reads the strings of blocks a seek jumps over; those that are damaged stay unknown.
  func loadStrings(ofBlocksBefore end: Int) {
    while stringBlocks < end {
      let entry = index[stringBlocks]
      stringBlocks += 1
      guard entry.stringCount > 0,
        case .block(let block, let dataOffset)? = try? loader.section(at: entry.offset),
        block.entry == entry,
        (try? loader.load(block, at: dataOffset, into: decoder.columns) { $0 == .strings }) != nil
      else { continue }
      try? texts.add(
        strings: decoder.columns[.strings], first: entry.firstString, count: Int(entry.stringCount))
    }
  }
}
