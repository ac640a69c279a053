/// Values by a number, such as a pfn or an address: one open-addressing table of places, and the
/// values one behind the other.
///
/// The hash is seeded per process so that no input can be built to collide. What is asked for in
/// order (``entries``) comes in an order that depends on the calls alone.
struct NumberTable<Value> {
  private struct Slot {
    var key: UInt64 = 0
    /// Place of the value, plus one; 0 = free.
    var place: UInt32 = 0
  }

  private var slots = [Slot](repeating: Slot(), count: 64)
  private var mask = 63
  private let seed = tableSeed
  private var keys: [UInt64] = []
  private var values: [Value] = []

  /// Number of values.
  var count: Int { keys.count }
  var isEmpty: Bool { keys.isEmpty }
  /// Every number with its value.
  var entries: some Sequence<(key: UInt64, value: Value)> {
    zip(keys, values).lazy.map { (key: $0, value: $1) }
  }

  /// The value of `key`, if it has one.
  @inline(__always)
  subscript(key: UInt64) -> Value? {
    get {
      let place = slots[find(key)].place
      return place == 0 ? nil : values[Int(place) - 1]
    }
    set {
      if let newValue { set(key, newValue) } else { remove(key) }
    }
  }

  /// The value of `key` in place, a new one if it has none.
  @inline(__always)
  subscript(key: UInt64, default value: @autoclosure () -> Value) -> Value {
    get { self[key] ?? value() }
    _modify {
      let slot = find(key)
      var place = Int(slots[slot].place)
      if place == 0 {
        add(key, value(), at: slot)
        place = values.count
      }
      yield &values[place - 1]
    }
  }

  /// Whether `key` has a value.
  @inline(__always)
  func has(_ key: UInt64) -> Bool { slots[find(key)].place != 0 }

  private mutating func set(_ key: UInt64, _ value: Value) {
    let slot = find(key)
    let place = Int(slots[slot].place)
    if place > 0 { values[place - 1] = value } else { add(key, value, at: slot) }
  }

  private mutating func add(_ key: UInt64, _ value: Value, at slot: Int) {
    keys.append(key)
    values.append(value)
    slots[slot] = Slot(key: key, place: UInt32(keys.count))
    if keys.count * 2 > slots.count { grow() }
  }

  /// Forgets the value of `key`; the last value takes its place.
  private mutating func remove(_ key: UInt64) {
    let slot = find(key)
    let place = Int(slots[slot].place)
    guard place > 0 else { return }
    if place < keys.count {
      let last = keys[keys.count - 1]
      slots[find(last)].place = UInt32(place)
      keys[place - 1] = last
      values[place - 1] = values[values.count - 1]
    }
    keys.removeLast()
    values.removeLast()
    free(slot)
  }

  private mutating func free(_ slot: Int) {
    var hole = slot
    // Those behind move up unless they would get before the slot they are looked for first.
    var next = hole
    while true {
      next = (next + 1) & mask
      guard slots[next].place != 0 else { break }
      if (next - home(slots[next].key)) & mask >= (next - hole) & mask {
        slots[hole] = slots[next]
        hole = next
      }
    }
    slots[hole] = Slot()
  }

  /// The slot where `key` is looked for first.
  @inline(__always)
  private func home(_ key: UInt64) -> Int {
    var hash = (key ^ seed) &* 0xd6e8_feb8_6659_fd93
    hash = (hash ^ (hash >> 32)) &* 0xd6e8_feb8_6659_fd93
    return Int(truncatingIfNeeded: hash >> 32) & mask
  }

  /// The slot that holds `key`, or the free one where it belongs.
  @inline(__always)
  private func find(_ key: UInt64) -> Int {
    var slot = home(key)
    while slots[slot].place != 0, slots[slot].key != key { slot = (slot + 1) & mask }
    return slot
  }

  private mutating func grow() {
    slots = [Slot](repeating: Slot(), count: slots.count * 2)
    mask = slots.count - 1
    for (index, key) in keys.enumerated() {
      slots[find(key)] = Slot(key: key, place: UInt32(index + 1))
    }
  }
}

/// One seed for every table of the process.
private let tableSeed = UInt64.random(in: .min ... .max)
