/// Gives every event the generation of its object, by one rule.
///
/// In each identity space a key starts at generation 0 ("alive before the trace began"); an
/// event whose kind starts a generation raises it by one, before the event itself is numbered.
/// The rule looks at nothing but the sequence of events, so that any two programs agree.
///
/// Grows with the number of distinct keys, not with the number of events.
public struct GenerationTracker: Sendable {
  /// Only keys whose generation is not 0.
  private var current = IdentityMap()

  /// Makes a tracker that has seen nothing.
  public init() {}

  /// Returns the generation of the object of `event`, which comes next in the trace.
  public mutating func generation(of event: Event) -> UInt32 {
    let traits = KindTraits.table[Int(event.kind.rawValue)]
    guard traits.isNumbered else { return 0 }
    let now = current.value(traits.space.rawValue, event.object) ?? 0
    guard traits.startsGeneration else { return now }
    current.set(traits.space.rawValue, event.object, to: now &+ 1)
    return now &+ 1
  }

  /// Generation an object has now.
  func generation(_ space: UInt8, _ key: UInt64) -> UInt32 { current.value(space, key) ?? 0 }

  /// Brings what is known of an object near the core.
  @inline(__always)
  mutating func approach(_ space: UInt8, _ key: UInt64) { current.approach(space, key) }

  /// Says that an object has reached a generation.
  mutating func advance(_ space: UInt8, _ key: UInt64, to generation: UInt32) {
    current.set(space, key, to: generation)
  }
}
