import TraceFormat

/// Objects of one space and the life each of them is in.
struct Subjects {
  /// One life.
  struct Life {
    let key: UInt64
    var generation: UInt32
    /// First event of this life that concerned it.
    var firstAt: Ordinal
    /// Its birth was seen.
    var isBorn: Bool
    /// Its death was seen.
    var isDead = false
  }

  private var slots = SlotMap()
  private(set) var lives: [Life] = []

  /// Slot of an object, -1 if nothing about it was seen.
  func find(_ key: UInt64) -> Int32 { slots.find(key) }

  subscript(slot: Int32) -> Life { lives[Int(slot)] }

  mutating func markDead(_ slot: Int32) { lives[Int(slot)].isDead = true }

  /// The slot of an object whose life an event names, and whether that is another life than before.
  mutating func enter(
    _ key: UInt64, _ generation: UInt32, at ordinal: Ordinal, isBirth: Bool
  ) -> (slot: Int32, isNew: Bool, replaced: Bool) {
    let slot = slots.find(key)
    if slot < 0 {
      let new = Int32(truncatingIfNeeded: lives.count)
      lives.append(
        Life(key: key, generation: generation, firstAt: ordinal, isBorn: isBirth))
      slots.set(key, new)
      return (new, true, false)
    }
    if lives[Int(slot)].generation == generation { return (slot, false, false) }
    lives[Int(slot)] = Life(key: key, generation: generation, firstAt: ordinal, isBorn: isBirth)
    return (slot, true, true)
  }
}
