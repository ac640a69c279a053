/// A column of a block. The raw value is its number in the file.
enum ColumnID: UInt8, CaseIterable {
  case kind = 1
  case cpu = 2
  case context = 3
  case level = 4
  case flags = 5
  case task = 6
  case time = 7
  case object = 8
  case arg0 = 9
  case arg1 = 10
  case objectKeys = 11
  case objectGenerations = 12
  case taskIDs = 13
  case taskNames = 14
  case strings = 15

  /// Numbers from here on may be skipped by a reader that does not know them.
  static let firstOptional: UInt8 = 128

  /// Name in `info`.
  var name: String {
    switch self {
    case .kind: "kind"
    case .cpu: "cpu"
    case .context: "context"
    case .level: "level"
    case .flags: "flags"
    case .task: "task"
    case .time: "time"
    case .object: "object"
    case .arg0: "arg0"
    case .arg1: "arg1"
    case .objectKeys: "object-keys"
    case .objectGenerations: "object-generations"
    case .taskIDs: "task-ids"
    case .taskNames: "task-names"
    case .strings: "strings"
    }
  }

  /// The lengths the column may have before compression in a block of `events` events.
  func rawLengths(events: Int) -> ClosedRange<Int> {
    switch self {
    case .kind, .context, .level, .flags: events...events
    case .cpu: events...(3 * events)
    case .task: events...(3 * events)
    case .time, .object, .arg0, .arg1: events...(Varint.maximumLength * events)
    // An event names at most three objects, each of which may be new.
    case .objectKeys: 0...(3 * Varint.maximumLength * events)
    case .objectGenerations: 0...(3 * 5 * events)
    case .taskIDs: 0...(5 * events)
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
  var context: [UInt8] = []
  var level: [UInt8] = []
  var flags: [UInt8] = []
  var task: [UInt8] = []
  var time: [UInt8] = []
  var object: [UInt8] = []
  var arg0: [UInt8] = []
  var arg1: [UInt8] = []
  var objectKeys: [UInt8] = []
  var objectGenerations: [UInt8] = []
  var taskIDs: [UInt8] = []
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
    case .context: \.context
    case .level: \.level
    case .flags: \.flags
    case .task: \.task
    case .time: \.time
    case .object: \.object
    case .arg0: \.arg0
    case .arg1: \.arg1
    case .objectKeys: \.objectKeys
    case .objectGenerations: \.objectGenerations
    case .taskIDs: \.taskIDs
    case .taskNames: \.taskNames
    case .strings: \.strings
    }
  }
}
