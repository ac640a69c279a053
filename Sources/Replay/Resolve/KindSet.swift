public import TraceFormat

/// A set of event kinds.
public struct KindSet: Sendable, Hashable, ExpressibleByArrayLiteral {
  private var bits: UInt128 = 0

  /// Makes a set.
  public init(arrayLiteral elements: EventKind...) {
    for kind in elements { insert(kind) }
  }

  /// Makes a set.
  public init(_ kinds: some Sequence<EventKind>) {
    for kind in kinds { insert(kind) }
  }

  /// Adds a kind.
  public mutating func insert(_ kind: EventKind) { bits |= 1 << UInt128(kind.rawValue) }

  /// Whether the kind is in the set.
  public func contains(_ kind: EventKind) -> Bool { bits & (1 << UInt128(kind.rawValue)) != 0 }

  /// Whether the set is empty.
  public var isEmpty: Bool { bits == 0 }

  /// The kinds, in the order of their numbers.
  public var kinds: [EventKind] { EventKind.allCases.filter(contains) }

  /// All kinds of both sets.
  public func union(_ other: KindSet) -> KindSet {
    var result = self
    result.bits |= other.bits
    return result
  }
}
