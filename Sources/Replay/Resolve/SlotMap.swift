/// Maps 64-bit keys to dense slots: open addressing, linear probing, no removal.
///
/// One look-up per event is the resolver's only hash; everything behind it is an array.
/// Grows with the number of distinct keys.
struct SlotMap {
  private var keys: [UInt64]
  private var slots: [Int32]
  private var mask: Int
  private(set) var count = 0

  init(capacity: Int = 64) {
    var size = 64
    while size < capacity * 2 { size *= 2 }
    keys = Array(repeating: 0, count: size)
    slots = Array(repeating: -1, count: size)
    mask = size - 1
  }

  /// The slot of `key`, or -1.
  func find(_ key: UInt64) -> Int32 {
    var place = Self.hash(key) & mask
    while slots[place] >= 0 {
      if keys[place] == key { return slots[place] }
      place = (place + 1) & mask
    }
    return -1
  }

  /// Makes `key` point at `slot`.
  mutating func set(_ key: UInt64, _ slot: Int32) {
    if (count + 1) * 2 > slots.count { grow() }
    var place = Self.hash(key) & mask
    while slots[place] >= 0 {
      if keys[place] == key {
        slots[place] = slot
        return
      }
      place = (place + 1) & mask
    }
    keys[place] = key
    slots[place] = slot
    count += 1
  }

  private mutating func grow() {
    let oldKeys = keys
    let oldSlots = slots
    keys = Array(repeating: 0, count: oldKeys.count * 2)
    slots = Array(repeating: -1, count: oldKeys.count * 2)
    mask = keys.count - 1
    count = 0
    for place in oldSlots.indices where oldSlots[place] >= 0 {
      set(oldKeys[place], oldSlots[place])
    }
  }

  private static func hash(_ key: UInt64) -> Int {
    let mixed = key &* 0x9E37_79B9_7F4A_7C15
    return Int(truncatingIfNeeded: (mixed ^ (mixed >> 32)) & 0x7FFF_FFFF_FFFF_FFFF)
  }
}
