/// The task names and strings a reader has met.
///
/// Names are kept for good (one for each task), strings too (one for each mark).
struct TextTable {
  /// A task name that holds from event `position` of the block on.
  struct Change {
    let position: Int
    let task: UInt32
    let name: String
  }

  private var names: [UInt32: String] = [:]
  private var strings: [UInt64: String] = [:]
  /// Name changes of the current block, in order; those before `applied` hold already.
  private var changes: [Change] = []
  private var applied = 0

  /// Name of a task.
  func name(_ task: UInt32) -> String? { names[task] }

  /// Text of a string.
  func string(_ index: UInt64) -> String? { strings[index] }

  /// Forgets names: the reader goes back.
  mutating func forgetNames() {
    names.removeAll()
    changes.removeAll()
    applied = 0
  }

  /// Position of the first change that does not hold yet, if any.
  var nextChange: Int? { applied < changes.count ? changes[applied].position : nil }

  /// Makes every change up to event `position` hold.
  mutating func apply(upTo position: Int) {
    while applied < changes.count, changes[applied].position <= position {
      names[changes[applied].task] = changes[applied].name
      applied += 1
    }
  }

  /// Takes the names of the next block.
  mutating func begin(names bytes: [UInt8], events: Int) throws(FormatProblem) {
    changes.removeAll(keepingCapacity: true)
    applied = 0
    var place = 0
    var position = 0
    while place < bytes.count {
      let step = Varint.read(bytes, &place)
      let task = Varint.read(bytes, &place)
      guard step <= UInt64(events - position), let task = UInt32(exactly: task) else {
        throw FormatProblem("column task-names names no event or no task")
      }
      position += Int(step)
      let name = try Self.text(bytes, &place, limit: FormatLimits.nameBytes, "task-names")
      changes.append(Change(position: position, task: task, name: name))
    }
  }

  /// Takes the strings of a block.
  mutating func add(strings bytes: [UInt8], first: UInt64, count: Int) throws(FormatProblem) {
    var place = 0
    for number in 0..<count {
      let text = try Self.text(bytes, &place, limit: FormatLimits.stringBytes, "strings")
      strings[first &+ UInt64(number)] = text
    }
    guard place == bytes.count else { throw FormatProblem("column strings is too long") }
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
