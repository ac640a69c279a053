/// A column of a block. The raw value is its number in the file.
enum ColumnID: UInt8, CaseIterable {
  case kind = 1
  case cpu = 2
  case misses = 3
  case context = 4
  case level = 5
  case flags = 6
  case task = 7
  case time = 8
  case timeRest = 9
  case object = 10
  case arg0 = 11
  case arg1 = 12
  case numbers = 13
  case numbersRest = 14
  case keys = 15
  case keysRest = 16
  case generations = 17
  case values0 = 18
  case values1 = 19
  case valuesRest = 20
  case taskIDs = 21
  case clockUnit = 22
  case taskNames = 23
  case strings = 24

  /// Numbers from here on may be skipped by a reader that does not know them.
  static let firstOptional: UInt8 = 128

  /// Name in `info`.
  var name: String {
    switch self {
    case .kind: "kind"
    case .cpu: "cpu"
    case .misses: "misses"
    case .context: "context"
    case .level: "level"
    case .flags: "flags"
    case .task: "task"
    case .time: "time"
    case .timeRest: "time-rest"
    case .object: "object"
    case .arg0: "arg0"
    case .arg1: "arg1"
    case .numbers: "numbers"
    case .numbersRest: "numbers-rest"
    case .keys: "keys"
    case .keysRest: "keys-rest"
    case .generations: "generations"
    case .values0: "values0"
    case .values1: "values1"
    case .valuesRest: "values-rest"
    case .taskIDs: "task-ids"
    case .clockUnit: "clock-unit"
    case .taskNames: "task-names"
    case .strings: "strings"
    }
  }

  /// The lengths the column may have before compression in a block of `events` events.
  func rawLengths(events: Int) -> ClosedRange<Int> {
    switch self {
    case .kind, .misses, .time: events...events
    case .cpu, .task: min(events, 1)...(3 * events)
    case .context, .level, .flags, .object, .arg0, .arg1, .values1: 0...events
    case .values0: 0...(2 * events)
    case .timeRest: 0...(8 * events)
    // An event names at most three objects, each of which may be new, and has as many values.
    case .numbers, .keys: 0...(3 * events)
    case .numbersRest, .keysRest, .valuesRest: 0...(3 * 8 * events)
    case .generations: 0...(3 * 5 * events)
    case .taskIDs: 0...(5 * events)
    case .clockUnit: 0...Varint.maximumLength
    case .taskNames, .strings: 0...FormatLimits.textBytes
    }
  }
}

/// How a column's bytes are stored.
enum ColumnEncoding: UInt8 {
  /// As they are.
  case raw = 0
  /// One zstd frame.
  case zstd = 1
}

/// The columns of one block, before compression.
struct BlockColumns {
  var kind: [UInt8] = []
  var cpu: [UInt8] = []
  var misses: [UInt8] = []
  var context: [UInt8] = []
  var level: [UInt8] = []
  var flags: [UInt8] = []
  var task: [UInt8] = []
  var time: [UInt8] = []
  var timeRest: [UInt8] = []
  var object: [UInt8] = []
  var arg0: [UInt8] = []
  var arg1: [UInt8] = []
  var numbers: [UInt8] = []
  var numbersRest: [UInt8] = []
  var keys: [UInt8] = []
  var keysRest: [UInt8] = []
  var generations: [UInt8] = []
  var values0: [UInt8] = []
  var values1: [UInt8] = []
  var valuesRest: [UInt8] = []
  var taskIDs: [UInt8] = []
  var clockUnit: [UInt8] = []
  var taskNames: [UInt8] = []
  var strings: [UInt8] = []

  /// The bytes of one column.
  subscript(id: ColumnID) -> [UInt8] {
    _read { yield self[keyPath: Self.path(id)] }
    _modify { yield &self[keyPath: Self.path(id)] }
  }

  /// Empties every column, keeping the room.
  mutating func removeAll() {
    for id in ColumnID.allCases { self[id].removeAll(keepingCapacity: true) }
  }

  private static func path(_ id: ColumnID) -> WritableKeyPath<BlockColumns, [UInt8]> {
    switch id {
    case .kind: \.kind
    case .cpu: \.cpu
    case .misses: \.misses
    case .context: \.context
    case .level: \.level
    case .flags: \.flags
    case .task: \.task
    case .time: \.time
    case .timeRest: \.timeRest
    case .object: \.object
    case .arg0: \.arg0
    case .arg1: \.arg1
    case .numbers: \.numbers
    case .numbersRest: \.numbersRest
    case .keys: \.keys
    case .keysRest: \.keysRest
    case .generations: \.generations
    case .values0: \.values0
    case .values1: \.values1
    case .valuesRest: \.valuesRest
    case .taskIDs: \.taskIDs
    case .clockUnit: \.clockUnit
    case .taskNames: \.taskNames
    case .strings: \.strings
    }
  }
}
