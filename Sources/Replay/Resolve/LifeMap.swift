/// A life that is looked up by the key of its object.
protocol KeyedLife: BitwiseCopyable {
  var key: UInt64 { get }
}

extension LockLife: KeyedLife {
  var key: UInt64 { address }
}

/// Maps 64-bit keys to the slots of lives that know their keys: open addressing, linear probing.
///
/// Half the size of a ``SlotMap``: beside a slot lies half of the key's hash, and the key itself
/// is compared in the life, which is looked at anyway. Keys are not removed.
struct LifeMap {
  private struct Entry {
    var hash: UInt32 = 0
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

  /// The slot of `key` among `lives`, or -1.
  @inline(__always)
  func find<Life: KeyedLife>(_ key: UInt64, in lives: PlainStore<Life>) -> Int32 {
    let hash = Self.hash(key)
    var place = Int(hash) & mask
    while true {
      let entry = entries[place]
      if entry.slot < 0 || (entry.hash == hash && lives[Int(entry.slot)].key == key) {
        return entry.slot
      }
      place = (place &+ 1) & mask
    }
  }

  /// Adds a key that has no slot yet.
  mutating func add(_ key: UInt64, _ slot: Int32) {
    entries.own()
    count += 1
    if count > entries.count / 4 * 3 { grow() }
    insert(Entry(hash: Self.hash(key), slot: slot))
  }

  private mutating func insert(_ entry: Entry) {
    var place = Int(entry.hash) & mask
    while entries[place].slot >= 0 { place = (place &+ 1) & mask }
    entries[place] = entry
  }

  private mutating func grow() {
    let old = entries
    entries = PlainStore(repeating: Entry(), count: old.count * 2)
    mask = entries.count - 1
    for entry in old where entry.slot >= 0 { insert(entry) }
  }

  private static func hash(_ key: UInt64) -> UInt32 {
    let mixed = key &* 0x9E37_79B9_7F4A_7C15
    return UInt32(truncatingIfNeeded: mixed ^ (mixed >> 32))
  }
}
