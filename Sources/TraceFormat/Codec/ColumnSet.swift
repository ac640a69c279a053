/// The parts of its events a reader wants. What it does not want is neither decompressed nor
/// checked, and its fields hold neutral values: 0, unknown.
public struct ColumnSet: OptionSet, Sendable, Hashable {
  /// The bits.
  public let rawValue: UInt32

  /// Makes a set from bits.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// ``Event/time``.
  public static let time = ColumnSet(rawValue: 1)
  /// ``Event/task``.
  public static let task = ColumnSet(rawValue: 2)
  /// ``Event/level`` of events about tables; that of others is always there.
  public static let levels = ColumnSet(rawValue: 4)
  /// ``Event/generation``.
  public static let generations = ColumnSet(rawValue: 8)
  /// Arguments that are addresses and name no object: slots, walked addresses, ranges.
  public static let addresses = ColumnSet(rawValue: 16)
  /// Other numbers that name no object: counts, functions, causes.
  public static let values = ColumnSet(rawValue: 32)
  /// Names of tasks.
  public static let names = ColumnSet(rawValue: 64)

  /// Everything. Kind, CPU, context, flags and the objects an event names are in every set.
  public static let all: ColumnSet = [
    .time, .task, .levels, .generations, .addresses, .values, .names,
  ]

  /// Whether a column is to be read.
  func needs(_ id: ColumnID) -> Bool {
    switch id {
    case .time, .timeRest: contains(.time)
    case .tasks, .tasksRest, .taskIDs, .taskIDsRest: contains(.task)
    case .levels: true
    case .generations, .generationsRest, .jumps, .jumpsRest: contains(.generations)
    case .addresses, .addressesRest, .near, .nearRest: contains(.addresses)
    case .values, .valuesRest: contains(.values)
    case .taskNames: contains(.names)
    default: true
    }
  }
}
