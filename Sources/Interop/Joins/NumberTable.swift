import TraceFormat

/// Values by a number, such as a pfn or an address: the values one behind the other, and an
/// ``IdentityMap`` of their places, whose hash no input can be built to collide in.
///
/// What is asked for in order (``entries``) comes in an order that depends on the calls alone.
struct NumberTable<Value> {
  private var places = IdentityMap()
  private var keys: [UInt64] = []
  private var values: [Value] = []
  /// Place of the number that ``find(_:)`` found last; no place if it may lie elsewhere by now.
  private var recent = Int.max

  /// All numbers are of one space.
  private static var space: UInt8 { 1 }

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
    get { place(of: key).map { values[$0] } }
    set {
      if let newValue { set(key, newValue) } else { remove(key) }
    }
  }

  /// The value of `key` in place, a new one if it has none.
  @inline(__always)
  subscript(key: UInt64, default value: @autoclosure () -> Value) -> Value {
    get { self[key] ?? value() }
    _modify {
      let place = place(of: key) ?? add(key, value())
      yield &values[place]
    }
  }

  /// Whether `key` has a value.
  @inline(__always)
  func has(_ key: UInt64) -> Bool { place(of: key) != nil }

  /// The place of the value of `key`, until another one is added or removed.
  @inline(__always)
  mutating func find(_ key: UInt64) -> Int? {
    guard let place = place(of: key) else { return nil }
    recent = place
    return place
  }

  /// The value at a place that ``find(_:)`` found.
  @inline(__always)
  subscript(at place: Int) -> Value {
    get { values[place] }
    _modify { yield &values[place] }
  }

  @inline(__always)
  private func place(of key: UInt64) -> Int? {
    if recent < keys.count, keys[recent] == key { return recent }
    return places.value(Self.space, key).map(Int.init)
  }

  private mutating func set(_ key: UInt64, _ value: Value) {
    if let place = place(of: key) { values[place] = value } else { _ = add(key, value) }
  }

  private mutating func add(_ key: UInt64, _ value: Value) -> Int {
    places.set(Self.space, key, to: UInt32(keys.count))
    keys.append(key)
    values.append(value)
    return keys.count - 1
  }

  /// Forgets the value of `key`; the last value takes its place.
  private mutating func remove(_ key: UInt64) {
    guard let place = place(of: key) else { return }
    let (last, value) = (keys.removeLast(), values.removeLast())
    if place < keys.count {
      places.set(Self.space, last, to: UInt32(place))
      keys[place] = last
      values[place] = value
    }
    places.remove(Self.space, key)
  }
}
