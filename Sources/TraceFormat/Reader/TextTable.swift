/// The task names and strings a reader has met.
///
/// Both are kept up to a limit no honest recording reaches: what a few bytes of a hostile file
/// decompress to must not add up.
struct TextTable {
  /// A task name that holds from event `position` of the block on.
  private struct Change {
    let position: Int
    let task: UInt32
    let name: String
  }

  private var names: [UInt32: String] = [:]
  /// Strings by block, in order.
  private var strings: [(first: UInt64, texts: [String])] = []
  private var keptBytes = 0
  /// The names column of the current block, which has been checked. Read as far as the names hold:
  /// as a list, what a few bytes of a hostile file decompress to would take ten times the room.
  private var changes: [UInt8] = []
  private var place = 0
  /// The next change, which does not hold yet.
  private var next: Change?

  /// Name of a task.
  func name(_ task: UInt32) -> String? { names[task] }

  /// Text of a string.
  func string(_ index: UInt64) -> String? {
    var low = 0
    var high = strings.count
    while low < high {
      let middle = (low + high) / 2
      if strings[middle].first <= index { low = middle + 1 } else { high = middle }
    }
    guard low > 0 else { return nil }
    let (first, texts) = strings[low - 1]
    return index - first < UInt64(texts.count) ? texts[Int(index - first)] : nil
  }

  /// Forgets names: the reader goes back.
  mutating func forgetNames() {
    names.removeAll()
    changes = []
    place = 0
    next = nil
  }

  /// Position of the first change that does not hold yet, if any.
  var nextChange: Int? { next?.position }

  /// Makes every change up to event `position` hold.
  mutating func apply(upTo position: Int) {
    while let change = next, change.position <= position {
      if names.count >= FormatLimits.keptNames { names.removeAll() }
      names[change.task] = change.name
      next = try? Self.change(changes, &place, after: change.position, events: .max)
    }
  }

  /// Takes the names of the next block.
  mutating func begin(names bytes: [UInt8], events: Int) throws(FormatProblem) {
    next = nil
    var position = 0
    var end = 0
    while let change = try Self.change(bytes, &end, after: position, events: events) {
      position = change.position
    }
    changes = bytes
    place = 0
    next = try Self.change(bytes, &place, after: 0, events: events)
  }

  /// The events at which names change, each once, as far as the column can be read.
  static func positions(names bytes: [UInt8], events: Int) -> [Int] {
    var positions: [Int] = []
    var place = 0
    var position = 0
    while let change = try? change(bytes, &place, after: position, events: events) {
      position = change.position
      if positions.last != position { positions.append(position) }
    }
    return positions
  }

  /// The change at `place` of a names column, which it moves behind it; nil at the end.
  private static func change(
    _ bytes: [UInt8], _ place: inout Int, after position: Int, events: Int
  ) throws(FormatProblem) -> Change? {
    guard place < bytes.count else { return nil }
    let step = Varint.read(bytes, &place)
    let task = Varint.read(bytes, &place)
    guard step <= UInt64(events - position), let task = UInt32(exactly: task) else {
      throw FormatProblem("column task-names names no event or no task")
    }
    let name = try text(bytes, &place, limit: FormatLimits.nameBytes, "task-names")
    return Change(position: position + Int(step), task: task, name: name)
  }

  /// Takes the strings of a block, which lies behind those taken before.
  mutating func add(strings bytes: [UInt8], first: UInt64, count: Int) throws(FormatProblem) {
    var place = 0
    var texts: [String] = []
    for _ in 0..<count {
      texts.append(try Self.text(bytes, &place, limit: FormatLimits.stringBytes, "strings"))
    }
    guard place == bytes.count else { throw FormatProblem("column strings is too long") }
    guard count > 0 else { return }
    strings.append((first, texts))
    keptBytes += Self.cost(texts)
    while keptBytes > FormatLimits.keptStringBytes, strings.count > 1 {
      keptBytes -= Self.cost(strings.removeFirst().texts)
    }
  }

  private static func cost(_ texts: [String]) -> Int {
    texts.reduce(0) { $0 + 48 + $1.utf8.count }
  }

  private static func text(
    _ bytes: [UInt8], _ place: inout Int, limit: Int, _ column: String
  ) throws(FormatProblem) -> String {
    let length = Varint.read(bytes, &place)
    guard place <= bytes.count, length <= UInt64(min(limit, bytes.count - place)) else {
      throw FormatProblem("column \(column) holds a text that is too long")
    }
    let end = place + Int(length)
    guard let text = String(validating: bytes[place..<end], as: UTF8.self) else {
      throw FormatProblem("column \(column) holds a text that is not UTF-8")
    }
    place = end
    return text
  }
}
