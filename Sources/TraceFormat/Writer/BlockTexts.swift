/// The task names and strings a writer has been given, and those the next block must bring.
///
/// A block names every task it has events of, so that it can be read alone. Grows with the
/// number of tasks, not with events or strings.
struct BlockTexts {
  private struct Change {
    /// Events of the block before the name holds.
    let position: Int
    let task: UInt32
    let name: String
  }

  /// Names as they are now.
  private var names: [UInt32: String] = [:]
  private var changes: [Change] = []
  /// For a task renamed in this block, the name it had when the block began.
  private var before: [UInt32: String?] = [:]
  private var nameBytes = 0
  private(set) var strings: [UInt8] = []
  private(set) var stringCount = 0

  /// Whether the block has to be written even without events.
  var isEmpty: Bool { changes.isEmpty && stringCount == 0 }

  /// Whether the block has as much text as it should get.
  var isFull: Bool {
    max(nameBytes, strings.count) >= FormatLimits.textBytesOfWriter
      || stringCount == FormatLimits.blockStrings
  }

  /// The name of a task as it is now.
  func name(of task: UInt32) -> String? { names[task] }

  /// Names a task from event number `position` of the block on.
  mutating func setName(_ name: String, of task: UInt32, position: Int) {
    let old = names.updateValue(name, forKey: task)
    guard old != name else { return }
    if before[task] == nil { before[task] = .some(old) }
    changes.append(Change(position: position, task: task, name: name))
    nameBytes += name.utf8.count + 16
  }

  /// Adds a string to the block.
  mutating func addString(_ text: String) {
    Varint.append(UInt64(text.utf8.count), to: &strings)
    strings.append(contentsOf: text.utf8)
    stringCount += 1
  }

  /// The names column of a block with events of `tasks`.
  func namesColumn(tasks: [UInt32]) -> [UInt8] {
    var bytes: [UInt8] = []
    var last = 0
    func append(_ position: Int, _ task: UInt32, _ name: String) {
      Varint.append(UInt64(position - last), to: &bytes)
      last = position
      Varint.append(UInt64(task), to: &bytes)
      Varint.append(UInt64(name.utf8.count), to: &bytes)
      bytes.append(contentsOf: name.utf8)
    }
    for task in tasks {
      if let name = before[task] ?? names[task] { append(0, task, name) }
    }
    for change in changes { append(change.position, change.task, change.name) }
    return bytes
  }

  /// Begins the next block.
  mutating func nextBlock() {
    changes.removeAll(keepingCapacity: true)
    before.removeAll(keepingCapacity: true)
    nameBytes = 0
    strings.removeAll(keepingCapacity: true)
    stringCount = 0
  }
}
