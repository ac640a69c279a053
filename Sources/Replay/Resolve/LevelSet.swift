import TraceFormat

/// A set of table levels.
struct LevelSet: Sendable, ExpressibleByArrayLiteral {
  private var bits: UInt8 = 0

  init(arrayLiteral elements: TableLevel...) {
    for level in elements { insert(level) }
  }

  /// Adds a level.
  mutating func insert(_ level: TableLevel) { bits |= 1 << level.rawValue }

  /// Whether the level is in the set.
  func contains(_ level: TableLevel) -> Bool { bits & (1 << level.rawValue) != 0 }
}
