/// The lives a ``HistoryKeeper`` holds, with what each of them needs.
///
/// A life is held while it is the current one of its key or while something that is held needs it.
struct LifeStore {
  typealias Item = TraceHistory.Item

  /// One life of one object.
  struct Life {
    /// Raw space and key; a batch that has no head yet is in no map.
    var space = ObjectSpace.none
    var key: UInt64 = 0
    /// Its key belongs to it.
    var isCurrent = false
    /// Number of holders besides its key.
    var pins: Int32 = 0
    /// The events of it that are held.
    var items: [Item] = []
    /// Lives that are held as long as this one is.
    var needs: [Int32] = []
    /// Tables of a batch that are held until its callback has ended.
    var members: [Int32] = []
    /// Grace periods that decide what its events mean.
    var windows: [GracePeriodWindow] = []
    /// The table of a lock, -1 if not known.
    var table: Int32 = -1
    /// Its last event is one that ends a life.
    var hasEnded = false
  }

  private(set) var lives: [Life] = []
  private var free: [Int32] = []
  /// Current life of each (space, key), plus one; 0 = none.
  private var current = IdentityMap()
  /// Events held in all lives.
  private(set) var itemCount = 0
  /// Events of lives of tables that were forgotten, one for each shape such a life has had.
  private(set) var examples: [[Item]] = []
  private var shapes: Set<Shape> = []

  /// What a life of a table was like.
  private struct Shape: Hashable {
    let level: TableLevel
    let kinds: UInt128
  }

  /// Shapes of lives that are remembered.
  private static let exampleLimit = 64

  subscript(index: Int32) -> Life {
    _read { yield lives[Int(index)] }
    _modify { yield &lives[Int(index)] }
  }

  /// The current life of an object, -1 if there is none.
  @inline(__always)
  func find(_ space: ObjectSpace, _ key: UInt64) -> Int32 {
    Int32(bitPattern: current.value(space.rawValue, key) ?? 0) - 1
  }

  /// The current life of an object, which is made if there is none.
  mutating func get(_ space: ObjectSpace, _ key: UInt64) -> Int32 {
    let found = find(space, key)
    return found >= 0 ? found : begin(space, key)
  }

  /// Begins a life of an object; the one before is held no longer for its key's sake.
  mutating func begin(_ space: ObjectSpace, _ key: UInt64) -> Int32 {
    end(find(space, key))
    let index = make(space)
    name(index, space, key)
    return index
  }

  /// A life without a key.
  mutating func make(_ space: ObjectSpace) -> Int32 {
    if let index = free.popLast() {
      lives[Int(index)].space = space
      return index
    }
    lives.append(Life())
    lives[lives.count - 1].space = space
    return Int32(truncatingIfNeeded: lives.count - 1)
  }

  /// Gives a life its key, which another one may have had.
  mutating func name(_ index: Int32, _ space: ObjectSpace, _ key: UInt64) {
    lives[Int(index)].space = space
    lives[Int(index)].key = key
    lives[Int(index)].isCurrent = true
    current.set(space.rawValue, key, to: UInt32(bitPattern: index) &+ 1)
  }

  /// Takes the key from a life.
  mutating func end(_ index: Int32) {
    guard index >= 0, lives[Int(index)].isCurrent else { return }
    lives[Int(index)].isCurrent = false
    let (space, key) = (lives[Int(index)].space, lives[Int(index)].key)
    current.set(space.rawValue, key, to: 0)
    collect(index)
  }

  /// Holds a life for one more reason.
  mutating func pin(_ index: Int32) { lives[Int(index)].pins += 1 }

  /// Holds a life for one reason less.
  mutating func unpin(_ index: Int32) {
    lives[Int(index)].pins -= 1
    collect(index)
  }

  /// Makes one life need another.
  mutating func need(_ index: Int32, _ other: Int32) {
    guard index != other, !lives[Int(index)].needs.contains(other) else { return }
    lives[Int(index)].needs.append(other)
    pin(other)
  }

  /// Lets the tables of a batch go.
  mutating func releaseMembers(_ index: Int32) {
    let members = lives[Int(index)].members
    lives[Int(index)].members.removeAll(keepingCapacity: true)
    for member in members { unpin(member) }
  }

  /// Holds the first and the last event of each kind of a life.
  mutating func keep(_ item: Item, _ index: Int32) {
    let kind = item.event.kind
    var first = -1
    var last = -1
    for place in lives[Int(index)].items.indices
    where lives[Int(index)].items[place].event.kind == kind {
      if first < 0 { first = place } else { last = place }
    }
    if last >= 0 {
      lives[Int(index)].items[last] = item
    } else {
      append(item, index)
    }
  }

  /// Holds the last event of a kind of a life.
  mutating func keepLast(_ item: Item, _ index: Int32) {
    drop(item.event.kind, index)
    append(item, index)
  }

  /// Holds an event whatever else is held.
  mutating func append(_ item: Item, _ index: Int32) {
    lives[Int(index)].items.append(item)
    itemCount += 1
  }

  /// Lets the events of a kind of a life go.
  mutating func drop(_ kind: EventKind, _ index: Int32) {
    let before = lives[Int(index)].items.count
    lives[Int(index)].items.removeAll { $0.event.kind == kind }
    itemCount -= before - lives[Int(index)].items.count
  }

  /// Forgets a life nothing holds, and what only it needed.
  private mutating func collect(_ index: Int32) {
    var open = [index]
    while let next = open.popLast() {
      let place = Int(next)
      guard !lives[place].isCurrent, lives[place].pins == 0, lives[place].space != .none else {
        continue
      }
      if lives[place].space == .table { remember(lives[place].items) }
      for other in lives[place].needs + lives[place].members {
        lives[Int(other)].pins -= 1
        open.append(other)
      }
      itemCount -= lives[place].items.count
      var empty = Life()
      swap(&empty.items, &lives[place].items)
      empty.items.removeAll(keepingCapacity: true)
      lives[place] = empty
      free.append(next)
    }
  }
}

extension LifeStore {
  /// Keeps one example of each shape a life of a table has had.
  private mutating func remember(_ items: [Item]) {
    guard examples.count < Self.exampleLimit else { return }
    // Without their batch, lock or gather, what some events say would be wrong.
    let own = items.filter {
      KindTraits.table[Int($0.event.kind.rawValue)].space == .table
        && ![.tableQueueBatch, .tableFallback, .batchAdd].contains($0.event.kind)
    }
    var kinds: UInt128 = 0
    var level = TableLevel.unknown
    for item in own {
      kinds |= 1 << UInt128(item.event.kind.rawValue)
      level = max(level, item.event.level)
    }
    guard kinds != 0, shapes.insert(Shape(level: level, kinds: kinds)).inserted else { return }
    examples.append(own)
  }
}

/// The last grace-period events at some place: enough to tell which of them are over there.
final class GracePeriodWindow: Sendable {
  let items: [TraceHistory.Item]

  init(_ items: [TraceHistory.Item]) { self.items = items }
}
