/// The numbers of a block's objects by space and key: one open-addressing table that is emptied
/// by counting up a stamp.
///
/// The hash is seeded per process so that no input can be built to collide; nothing ever walks
/// the table, so its order shows nowhere.
final class ObjectMap {
  private struct Slot: BitwiseCopyable {
    var key: UInt64 = 0
    var number: UInt32 = 0
    /// Eight times the stamp, and the space; a slot of an older stamp is free.
    var stamp: UInt32 = 0
  }

  private static let seed = UInt64.random(in: .min ... .max)

  private var slots = Lane<Slot>(1 << 14, repeating: Slot())
  private var mask = 1 << 14 - 1
  private var count = 0
  private var stamp: UInt32 = 8

  deinit { slots.deallocate() }

  /// Forgets everything, keeping the room.
  func removeAll() {
    count = 0
    stamp &+= 8
    if stamp == 0 {
      slots.fill(Slot(), upTo: slots.count)
      stamp = 8
    }
  }

  /// The number of an object; 0 where it has none.
  @inline(__always)
  func number(_ space: UInt8, _ key: UInt64) -> UInt32 {
    let slot = slots[find(stamp | UInt32(space), key)]
    return slot.stamp >= stamp ? slot.number : 0
  }

  /// Gives an object that has none a number.
  func set(_ space: UInt8, _ key: UInt64, to number: UInt32) {
    slots[find(stamp | UInt32(space), key)] =
      Slot(key: key, number: number, stamp: stamp | UInt32(space))
    count += 1
    if count * 2 > slots.count { grow() }
  }

  /// The slot that holds the object, or the free one where it belongs.
  @inline(__always)
  private func find(_ tag: UInt32, _ key: UInt64) -> Int {
    var hash = (key ^ Self.seed) &+ UInt64(tag & 7) &* 0x9e37_79b9_7f4a_7c15
    hash = (hash ^ (hash &>> 32)) &* 0xd6e8_feb8_6659_fd93
    var place = Int(truncatingIfNeeded: hash ^ (hash &>> 32)) & mask
    while slots[place].stamp >= stamp {
      if slots[place].key == key && slots[place].stamp == tag { return place }
      place = (place + 1) & mask
    }
    return place
  }

  private func grow() {
    let old = slots
    slots = Lane(old.count * 2, repeating: Slot())
    mask = slots.count - 1
    for place in 0..<old.count where old[place].stamp >= stamp {
      slots[find(old[place].stamp, old[place].key)] = old[place]
    }
    old.deallocate()
  }
}
