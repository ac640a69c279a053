/// Makes a block give its events the generations they come with.
///
/// Inside a block generations are counted by the rule of ``GenerationTracker``; what an object
/// begins with stands in the block. So an event decides what its object began with if it is the
/// object's first in the block, and otherwise has to agree.
struct KeptGenerations {
  private var current = IdentityMap()

  /// Begins the next block.
  mutating func removeAll() { current.removeAll() }

  /// Notes the next event, telling `tracker` what its object begins the block with; false if the
  /// event's generation is not the one it would get in this block.
  mutating func take(_ event: Event, _ tracker: inout GenerationTracker) -> Bool {
    let traits = KindTraits.table[Int(event.kind.rawValue)]
    guard traits.isNumbered else { return true }
    let space = traits.space.rawValue
    let before = traits.startsGeneration ? event.generation &- 1 : event.generation
    if let now = current.value(space, event.object) {
      guard now == before else { return false }
    } else {
      tracker.advance(space, event.object, to: before)
    }
    current.set(space, event.object, to: event.generation)
    return true
  }
}
