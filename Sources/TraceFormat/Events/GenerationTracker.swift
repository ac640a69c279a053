/// Gives every event the generation of its object, by one rule.
///
/// In each identity space a key starts at generation 0 ("alive before the trace began"); an
/// event whose kind starts a generation raises it by one, before the event itself is numbered.
/// The rule looks at nothing but the sequence of events, so that any two programs agree.
///
/// Grows with the number of distinct keys, not with the number of events.
public struct GenerationTracker: Sendable {
  private struct Key: Hashable {
    let space: ObjectSpace
    let key: UInt64
  }

  private var current: [Key: UInt32] = [:]

  /// Makes a tracker that has seen nothing.
  public init() {}

  /// Returns the generation of the object of `event`, which comes next in the trace.
  public mutating func generation(of event: Event) -> UInt32 {
    let fields = event.kind.fields
    guard fields.space != .none, fields.space != .gracePeriod else { return 0 }
    let key = Key(space: fields.space, key: event.object)
    if fields.startsGeneration {
      let next = (current[key] ?? 0) &+ 1
      current[key] = next
      return next
    }
    return current[key] ?? 0
  }
}
