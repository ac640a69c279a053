/// A column of a block. The raw value is its number in the file.
enum ColumnID: UInt8, CaseIterable, Sendable {
  case shapes = 1
  case constants = 2
  case constantsRest = 3
  case tokens = 4
  case tokensRest = 5
  case cpus = 6
  case cpusRest = 7
  case runs = 8
  case runsRest = 9
  case time = 10
  case timeRest = 11
  case keys = 12
  case keysRest = 13
  case numbers = 14
  case numbersRest = 15
  case levels = 16
  case generations = 17
  case generationsRest = 18
  case jumps = 19
  case jumpsRest = 20
  case tasks = 21
  case tasksRest = 22
  case taskIDs = 23
  case taskIDsRest = 24
  case values = 25
  case valuesRest = 26
  case addresses = 27
  case addressesRest = 28
  case near = 29
  case nearRest = 30
  case parameters = 31
  case taskNames = 32
  case strings = 33

  /// Numbers from here on may be skipped by a reader that does not know them.
  static let firstOptional: UInt8 = 128

  /// Name in `info`.
  var name: String {
    switch self {
    case .shapes: "shapes"
    case .constants: "constants"
    case .constantsRest: "constants-rest"
    case .tokens: "tokens"
    case .tokensRest: "tokens-rest"
    case .cpus: "cpus"
    case .cpusRest: "cpus-rest"
    case .runs: "runs"
    case .runsRest: "runs-rest"
    case .time: "time"
    case .timeRest: "time-rest"
    case .keys: "keys"
    case .keysRest: "keys-rest"
    case .numbers: "numbers"
    case .numbersRest: "numbers-rest"
    case .levels: "levels"
    case .generations: "generations"
    case .generationsRest: "generations-rest"
    case .jumps: "jumps"
    case .jumpsRest: "jumps-rest"
    case .tasks: "tasks"
    case .tasksRest: "tasks-rest"
    case .taskIDs: "task-ids"
    case .taskIDsRest: "task-ids-rest"
    case .values: "values"
    case .valuesRest: "values-rest"
    case .addresses: "addresses"
    case .addressesRest: "addresses-rest"
    case .near: "near"
    case .nearRest: "near-rest"
    case .parameters: "parameters"
    case .taskNames: "task-names"
    case .strings: "strings"
    }
  }

  /// The lengths the column may have before compression in a block of `events` events.
  func rawLengths(events: Int) -> ClosedRange<Int> {
    switch self {
    case .shapes: (events > 0 ? EventShape.bytes : 0)...(EventShape.bytes * events)
    case .tokens, .time: events...events
    case .tokensRest: 0...(3 * events)
    case .cpus, .runs: min(events, 1)...events
    case .cpusRest: 0...(2 * events)
    // An event has at most three fields, each of which may list an object or need a number; the
    // key of an object may take two.
    case .keys: 0...(6 * events)
    case .numbers, .levels, .generations, .constants, .values, .addresses, .near:
      0...(3 * events)
    case .keysRest, .numbersRest, .generationsRest, .constantsRest, .valuesRest, .addressesRest,
      .nearRest:
      0...(24 * events)
    case .jumps, .tasks, .taskIDs: 0...events
    case .runsRest, .timeRest, .jumpsRest, .tasksRest, .taskIDsRest: 0...(8 * events)
    case .parameters: 0...24
    case .taskNames, .strings: 0...FormatLimits.textBytes
    }
  }

  /// The column with the rest of this one's numbers, where it has one.
  var rest: ColumnID? {
    switch self {
    case .constants: .constantsRest
    case .runs: .runsRest
    case .time: .timeRest
    case .keys: .keysRest
    case .numbers: .numbersRest
    case .generations: .generationsRest
    case .jumps: .jumpsRest
    case .tasks: .tasksRest
    case .taskIDs: .taskIDsRest
    case .values: .valuesRest
    case .addresses: .addressesRest
    case .near: .nearRest
    default: nil
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

/// The bytes of one column, before compression; behind them there is room to read on for
/// ``NumberCode/padding`` bytes.
final class ColumnBuffer {
  private(set) var lane = Lane<UInt8>(NumberCode.padding, repeating: 0)
  /// Bytes of the column.
  var count = 0

  deinit { lane.deallocate() }

  var isEmpty: Bool { count == 0 }

  /// Makes room for `capacity` bytes; what was in the column is lost.
  func reserve(_ capacity: Int) {
    if lane.count < capacity + NumberCode.padding {
      lane.deallocate()
      // Columns of later blocks are about as long: a little more, and they need no other memory.
      lane = Lane(room: capacity + capacity / 4 + NumberCode.padding)
    }
    count = 0
  }

  /// Appends the column to `bytes`.
  func append(to bytes: inout [UInt8]) {
    lane.append(count, to: &bytes)
  }

  /// The column as an array, for those that take their time.
  var bytes: [UInt8] {
    get {
      var bytes: [UInt8] = []
      append(to: &bytes)
      return bytes
    }
    set {
      reserve(newValue.count)
      lane.copy(from: newValue)
      count = newValue.count
    }
  }
}

/// The columns of one block, before compression.
final class BlockColumns {
  private let buffers = ColumnID.allCases.map { _ in ColumnBuffer() }

  /// The buffer of one column.
  func buffer(_ id: ColumnID) -> ColumnBuffer { buffers[Int(id.rawValue) - 1] }

  /// The bytes of one column.
  subscript(id: ColumnID) -> [UInt8] {
    get { buffer(id).bytes }
    set { buffer(id).bytes = newValue }
  }

  /// Empties every column, keeping the room.
  func removeAll() { for buffer in buffers { buffer.count = 0 } }
}
