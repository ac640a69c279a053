/// Hands the lines of a text on as recorded events.
struct TextFeed<Consumer: RecordConsumer, Lexer: TextLexer>: LineConsumer {
  var consumer: Consumer
  private let names = NameTable.shared
  private var line = EventLine()
  private var usual = UsualLines()

  init(to consumer: Consumer) { self.consumer = consumer }

  mutating func pause() throws { try consumer.pause() }

  /// A number that was cut off is another number: the line is not read.
  mutating func take(cutOff bytes: Span<UInt8>) throws {
    guard Lexer.lex(bytes, into: &line) != .comment else { return try take(line: bytes) }
    try consumer.takeBad { ImportNotes.text(bytes) }
  }

  mutating func take(line whole: Span<UInt8>) throws {
    // A serial line ends its lines with CR LF.
    let isSerial = whole.count > 0 && whole[whole.count - 1] == 0x0D
    let bytes = isSerial ? whole.extracting(0..<whole.count - 1) : whole
    if Lexer.hasColumns, let head = usual.head(bytes, into: &consumer.event) {
      return try take(head, bytes)
    }
    try takeAny(bytes)
  }

  /// Takes a line whatever its form.
  @inline(never)
  private mutating func takeAny(_ bytes: Span<UInt8>) throws {
    let form = Lexer.hasColumns ? usual.lex(bytes, into: &line) : nil
    switch form ?? Lexer.lex(bytes, into: &line) {
    case .event:
      enter(bytes)
      let name = bytes.extracting(line.nameStart..<line.nameEnd)
      guard let index = names.index(of: bytes, line.nameStart, line.nameEnd) else {
        return try consumer.takeUnknown(name) { ImportNotes.text(bytes) }
      }
      let rest = min(line.restStart, bytes.count)
      try take(UsualLines.Head(index: index, symbol: line.symbolStart, rest: rest), bytes)
    case .function:
      try consumer.takeFunction(bytes.extracting(line.nameStart..<line.nameEnd)) {
        ImportNotes.text(bytes)
      }
    case .comment: try consumer.takeComment(bytes)
    case .loss(let cpu, let count): try consumer.takeLoss(cpu: cpu, count: count)
    case .bad: try consumer.takeBad { ImportNotes.text(bytes) }
    }
  }

  /// Takes an event whose head was read.
  private mutating func take(_ head: UsualLines.Head, _ bytes: Span<UInt8>) throws {
    let wanted = consumer.wantedFields(of: head.index)
    usual.pairs(head, wanted, bytes, into: &consumer.event)
    try consumer.take(head.index, text: bytes.extracting(head.rest..<bytes.count))
  }

  private mutating func enter(_ bytes: Span<UInt8>) {
    consumer.event.pid = line.pid
    consumer.event.cpu = line.cpu
    consumer.event.interrupt = line.interrupt
    consumer.event.time = line.time
    consumer.event.isCounter = line.isCounter
    consumer.event.origin =
      line.isBPF ? .program : line.symbolStart > 0 ? .probe : .tracepoint
    consumer.event.comm = CommandName(bytes, line.commStart, line.commEnd)
  }
}
