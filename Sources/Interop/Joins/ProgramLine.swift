/// What a BPF program printed: `NAME key=value …`.
enum ProgramLine {
  /// Hands the line on as an event; where and when are in the consumer's event already.
  static func deliver(_ line: Span<UInt8>, to consumer: inout some RecordConsumer) throws {
    consumer.event.origin = .program
    var start = 0
    while start < line.count, line[start] == 0x20 { start += 1 }
    var end = start
    while end < line.count, line[end] != 0x20, line[end] != 0x3A { end += 1 }
    guard let index = NameTable.shared.index(of: line, start, end) else {
      return try consumer.takeUnknown(line.extracting(start..<end)) { ImportNotes.text(line) }
    }
    if end < line.count, line[end] == 0x3A { end += 1 }
    let probe = NameTable.shared.entries[index].probe
    if consumer.wantsFields(of: index) { consumer.event.fields.read(probe, line, from: end) }
    try consumer.take(index, text: line.extracting(end..<line.count))
  }
}
