/// A number for each identity (space, key): one open-addressing table, one probe per look-up.
///
/// The hash is seeded per process so that no input can be built to collide; nothing ever walks
/// the table, so its order shows nowhere.
package struct IdentityMap: Sendable {
  private struct Slot: Sendable {
    var key: UInt64 = 0
    var value: UInt32 = 0
    /// Raw space; 0 = free.
    var space: UInt8 = 0
  }

  private static let seed = UInt64.random(in: .min ... .max)

  private var slots: [Slot]
  private var mask: Int
  /// Keeps what ``touch(_:)`` does from being optimised away.
  private var touched: UInt8 = 0
  private let seed = Self.seed
  /// Number of identities held.
  private(set) var count = 0

  /// Makes an empty map.
  package init() {
    slots = [Slot](repeating: Slot(), count: 64)
    mask = 63
  }

  /// Forgets everything, keeping the room.
  mutating func removeAll() {
    guard count > 0 else { return }
    slots = [Slot](repeating: Slot(), count: slots.count)
    count = 0
  }

  /// Value of an identity, if it has one.
  @inline(__always)
  package func value(_ space: UInt8, _ key: UInt64) -> UInt32? {
    let slot = find(space, key)
    return slots[slot].space == 0 ? nil : slots[slot].value
  }

  /// Touches the memory of a slot ``home(_:_:)`` has said.
  @inline(__always)
  mutating func touch(_ home: Int) { touched &+= slots[home & mask].space }

  /// Adds to the value of an identity, which is 0 where it has none; returns what it was.
  mutating func add(_ amount: UInt32, to space: UInt8, _ key: UInt64) -> UInt32 {
    let slot = find(space, key)
    let value = slots[slot].value
    fill(slot, Slot(key: key, value: value &+ amount, space: space))
    return value
  }

  /// Gives an identity a value.
  package mutating func set(_ space: UInt8, _ key: UInt64, to value: UInt32) {
    fill(find(space, key), Slot(key: key, value: value, space: space))
  }

  /// Writes what a slot that ``find(_:_:)`` found holds from now on.
  @inline(__always)
  private mutating func fill(_ place: Int, _ slot: Slot) {
    if slots[place].space == 0 { count += 1 }
    slots[place] = slot
    if count * 4 > slots.count * 3 { grow() }
  }

  /// Forgets an identity.
  package mutating func remove(_ space: UInt8, _ key: UInt64) {
    var hole = find(space, key)
    guard slots[hole].space != 0 else { return }
    count -= 1
    // Those behind move up unless they would get before the slot they are looked for first.
    var next = hole
    while true {
      next = (next + 1) & mask
      guard slots[next].space != 0 else { break }
      let home = home(slots[next].space, slots[next].key)
      if (next - home) & mask >= (next - hole) & mask {
        slots[hole] = slots[next]
        hole = next
      }
    }
    slots[hole] = Slot()
  }

  /// The slot where the identity is looked for first.
  @inline(__always)
  func home(_ space: UInt8, _ key: UInt64) -> Int {
    var hash = (key ^ seed) &+ UInt64(space) &* 0x9e37_79b9_7f4a_7c15
    hash = (hash ^ (hash >> 30)) &* 0xbf58_476d_1ce4_e5b9
    hash = (hash ^ (hash >> 27)) &* 0x94d0_49bb_1331_11eb
    return Int(truncatingIfNeeded: hash ^ (hash >> 31)) & mask
  }

  /// The slot that holds the identity, or the free one where it belongs.
  @inline(__always)
  private func find(_ space: UInt8, _ key: UInt64) -> Int {
    var slot = home(space, key)
    while slots[slot].space != 0 {
      if slots[slot].key == key && slots[slot].space == space { return slot }
      slot = (slot + 1) & mask
    }
    return slot
  }

  private mutating func grow() {
    let old = slots
    slots = [Slot](repeating: Slot(), count: old.count * 2)
    mask = slots.count - 1
    for slot in old where slot.space != 0 {
      slots[find(slot.space, slot.key)] = slot
    }
  }
}
