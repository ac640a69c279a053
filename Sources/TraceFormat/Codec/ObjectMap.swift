/// The numbers of a block's objects by space and key: one open-addressing table of four bytes a
/// place, small enough to stay in a core's own cache.
///
/// Numbers are given out in order, 1, 2 …. The hash is seeded per process so that no input can be
/// built to collide; nothing ever walks the table, so its order shows nowhere.
final class ObjectMap {
  /// A place holds a number in its low bits, the space above and, above that, some bits of the
  /// hash; 0 is a free one.
  private static let numberBits: UInt32 = 20
  private static let numberMask: UInt32 = 1 << numberBits - 1
  private static let seed = UInt64.random(in: .min ... .max)

  /// Held here: a global one is looked for at each use.
  private let seed = ObjectMap.seed
  private var places = Lane<UInt32>(1 << 10, repeating: 0)
  private var mask = 1 << 10 - 1
  private var keys: Lane<UInt64>
  /// Objects that have a number.
  private(set) var count = 0

  /// Makes a map for up to `capacity` objects, at most 2²⁰ − 1.
  init(capacity: Int) {
    precondition(capacity <= Self.numberMask, "objects of a block")
    keys = Lane(room: capacity + 1)
    keys[0] = 0
  }

  deinit {
    places.deallocate()
    keys.deallocate()
  }

  /// Forgets everything, keeping the room.
  func removeAll() {
    count = 0
    places.zero(upTo: places.count)
  }

  /// The number of an object; 0 where it has none.
  @inline(__always)
  func number(_ space: UInt8, _ key: UInt64) -> UInt32 {
    places[find(tag(space, key), key)] & Self.numberMask
  }

  /// Gives an object that has none the next number.
  func add(_ space: UInt8, _ key: UInt64) -> UInt32 {
    let tag = tag(space, key)
    return add(tag, key, at: find(tag, key))
  }

  private func add(_ tag: UInt64, _ key: UInt64, at place: Int) -> UInt32 {
    count += 1
    keys[count] = key
    places[place] = Self.entry(tag, count)
    if count * 8 > places.count * 5 { grow() }
    return UInt32(truncatingIfNeeded: count)
  }

  /// The number of the object with this tag, a new one where it has none.
  @inline(__always)
  func numberOrAdd(_ tag: UInt64, _ key: UInt64) -> UInt32 {
    let place = find(tag, key)
    let entry = places[place]
    return entry != 0 ? entry & Self.numberMask : add(tag, key, at: place)
  }

  /// The number in the place where an object is looked for first: mostly its own.
  @inline(__always)
  func likelyNumber(_ tag: UInt64) -> UInt32 {
    places[Int(truncatingIfNeeded: tag) & mask] & Self.numberMask
  }

  /// Reads something of the key with a number, so that it comes near the core.
  @inline(__always)
  func touch(_ number: Int) -> UInt32 { UInt32(truncatingIfNeeded: keys[number]) }

  /// Hash of an object with the space in the bits that ``entry(_:_:)`` keeps; never 0 for one that
  /// has a space.
  @inline(__always)
  func tag(_ space: UInt8, _ key: UInt64) -> UInt64 {
    var hash = (key ^ seed) &+ UInt64(space) &* 0x9e37_79b9_7f4a_7c15
    hash = (hash ^ (hash &>> 32)) &* 0xd6e8_feb8_6659_fd93
    hash ^= hash &>> 32
    return hash & ~(7 << 40) | UInt64(space & 7) << 40
  }

  /// What stands in a place: number, space, eleven bits of the hash.
  @inline(__always)
  private static func entry(_ tag: UInt64, _ number: Int) -> UInt32 {
    UInt32(truncatingIfNeeded: number)
      | UInt32(truncatingIfNeeded: tag &>> 40) << numberBits
  }

  /// The place that holds the object, or the free one where it belongs.
  @inline(__always)
  private func find(_ tag: UInt64, _ key: UInt64) -> Int {
    let wanted = Self.entry(tag, 0)
    var place = Int(truncatingIfNeeded: tag) & mask
    while true {
      let entry = places[place]
      if entry == 0 { return place }
      if entry & ~Self.numberMask == wanted && keys[Int(entry & Self.numberMask)] == key {
        return place
      }
      place = (place &+ 1) & mask
    }
  }

  private func grow() {
    let length = places.count * 2
    let old = places
    places = Lane(length, repeating: 0)
    mask = length - 1
    for place in 0..<old.count where old[place] != 0 {
      let entry = old[place]
      let key = keys[Int(entry & Self.numberMask)]
      let space = UInt8(truncatingIfNeeded: entry &>> Self.numberBits) & 7
      let tag = tag(space, key)
      places[find(tag, key)] = entry
    }
    old.deallocate()
  }
}
