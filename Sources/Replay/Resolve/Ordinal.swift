/// Place of an event in its trace, from 0; ``Ordinal/none`` where there is no such event.
///
/// Signed, so that "none" sorts before everything and `last > since` is false without a test.
public typealias Ordinal = Int64

extension Ordinal {
  /// No event.
  public static let none: Ordinal = -1
}
