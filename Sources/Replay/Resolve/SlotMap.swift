/// Maps 64-bit keys to slots: open addressing, linear probing.
///
/// One look-up per event is the resolver's only hash; everything behind it is an array. A key and
/// its slot lie side by side, so that a look-up costs one cache line. Grows with the number of
/// keys it holds.
struct SlotMap {
  private struct Entry {
    var key: UInt64 = 0
    /// -1 where there is no key.
    var slot: Int32 = -1
  }

  private var entries: PlainStore<Entry>
  private var mask: Int
  private(set) var count = 0

  init(capacity: Int = 48) {
    var size = 64
    while size / 4 * 3 < capacity { size *= 2 }
    entries = PlainStore(repeating: Entry(), count: size)
    mask = size - 1
  }

  /// The slot of `key`, or -1.
  func find(_ key: UInt64) -> Int32 {
    var place = Self.hash(key) & mask
    while true {
      let entry = entries[place]
      if entry.key == key || entry.slot < 0 { return entry.slot }
      place = (place &+ 1) & mask
    }
  }

  /// Makes `key` point at `slot`, which is not negative.
  mutating func set(_ key: UInt64, _ slot: Int32) {
    entries.own()
    let place = place(of: key)
    if entries[place].slot >= 0 {
      entries[place].slot = slot
      return
    }
    count += 1
    if count > entries.count / 4 * 3 { grow() }
    entries[self.place(of: key)] = Entry(key: key, slot: slot)
  }

  /// Forgets `key`.
  mutating func remove(_ key: UInt64) {
    entries.own()
    var hole = place(of: key)
    guard entries[hole].slot >= 0 else { return }
    count -= 1
    // What lies behind moves up, but not beyond the place where it is looked for first.
    var place = (hole &+ 1) & mask
    while entries[place].slot >= 0 {
      let home = Self.hash(entries[place].key) & mask
      if (place &- home) & mask >= (place &- hole) & mask {
        entries[hole] = entries[place]
        hole = place
      }
      place = (place &+ 1) & mask
    }
    entries[hole] = Entry()
  }

  /// Where `key` lies, or belongs.
  private func place(of key: UInt64) -> Int {
    var place = Self.hash(key) & mask
    while entries[place].slot >= 0, entries[place].key != key { place = (place &+ 1) & mask }
    return place
  }

  private mutating func grow() {
    let old = entries
    entries = PlainStore(repeating: Entry(), count: old.count * 2)
    mask = entries.count - 1
    for entry in old where entry.slot >= 0 { entries[place(of: entry.key)] = entry }
  }

  private static func hash(_ key: UInt64) -> Int {
    let mixed = key &* 0x9E37_79B9_7F4A_7C15
    return Int(truncatingIfNeeded: (mixed ^ (mixed >> 32)) & 0x7FFF_FFFF_FFFF_FFFF)
  }
}
