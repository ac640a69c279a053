/// Gives every event the generation of its object, by one rule.
///
/// In each identity space a key starts at generation 0 ("alive before the trace began"); an
/// event whose kind starts a generation raises it by one, before the event itself is numbered.
/// Reader sections are numbered through the trace instead: the n-th `rd_enter` has n, and so has
/// the `rd_exit` of that section; what follows of a section that has ended has 0, as has an exit
/// whose entry nobody saw. The rule looks at nothing but the sequence of events, so that any two
/// programs agree.
///
/// Grows with the number of distinct keys, and of reader sections that are open, not with the
/// number of events.
public struct GenerationTracker: Sendable {
  /// Only keys whose generation is not 0; no reader sections.
  private var current = IdentityMap()
  /// Bit of each space that has keys in `current`.
  private var startedSpaces: UInt8 = 0
  /// Generations of the reader sections that are open.
  private var open = IdentityMap()
  /// Reader sections begun so far, modulo 2³².
  private(set) var sections: UInt32 = 0

  /// Makes a tracker that has seen nothing.
  public init() {}

  /// Returns the generation of the object of `event`, which comes next in the trace.
  public mutating func generation(of event: Event) -> UInt32 {
    let traits = KindTraits.table[Int(event.kind.rawValue)]
    guard traits.isNumbered else { return 0 }
    let space = traits.space.rawValue
    let now = generation(space, event.object)
    if traits.startsGeneration {
      let next = traits.space == .reader ? sections &+ 1 : now &+ 1
      if traits.space == .reader { sections = next }
      advance(space, event.object, to: next)
      return next
    }
    if traits.endsSection { close(event.object) }
    return now
  }

  /// Generation an object has now.
  @inline(__always)
  func generation(_ space: UInt8, _ key: UInt64) -> UInt32 {
    if space == ObjectSpace.reader.rawValue { return open.value(space, key) ?? 0 }
    return startedSpaces >> space & 1 == 0 ? 0 : current.value(space, key) ?? 0
  }

  /// Where an object is looked for first, for ``touch(_:)``.
  @inline(__always)
  func home(_ space: UInt8, _ key: UInt64) -> Int { current.home(space, key) }

  /// Brings what is known of an object near the core.
  @inline(__always)
  mutating func touch(_ home: Int) { current.touch(home) }

  /// Raises the generation of an object that is no reader section, and returns what it was.
  mutating func raise(_ space: UInt8, _ key: UInt64, by starts: UInt32) -> UInt32 {
    startedSpaces |= 1 << space
    return current.add(starts, to: space, key)
  }

  /// Says that an object has reached a generation.
  mutating func advance(_ space: UInt8, _ key: UInt64, to generation: UInt32) {
    if space == ObjectSpace.reader.rawValue {
      open.set(space, key, to: generation)
    } else {
      startedSpaces |= 1 << space
      current.set(space, key, to: generation)
    }
  }

  /// Says that a reader section has ended.
  mutating func close(_ section: UInt64) { open.remove(ObjectSpace.reader.rawValue, section) }

  /// Says that so many more reader sections have begun.
  mutating func addSections(_ count: UInt32) { sections &+= count }
}
