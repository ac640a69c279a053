/// What encoder and decoder of a block expect of the next event, from the events before it.
///
/// Both keep the same model; the file holds what it got wrong. Everything is forgotten at the
/// start of a block. State that changes with every event is inline: an array would be checked for
/// other owners at each change.
struct BlockModel {
  /// CPUs that have a state of their own; higher ones share it.
  static let cpuCount = 64
  /// No object, or no task.
  static let none = UInt32.max

  /// One object of the block.
  struct Object {
    var key: UInt64
    /// Last values of arguments that go with the object (``KindTraits/bound0``).
    var value0: UInt64 = 0
    var value1: UInt64 = 0
    var generation: UInt32
    /// The objects named after and before it by an event of the same kind on the same CPU.
    var next = BlockModel.none
    var before = BlockModel.none
    /// The lock last named together with this table.
    var lock = BlockModel.none
    var level: TableLevel
    /// Bit 0: `value0` is known; bit 1: `value1`.
    var known: UInt8 = 0
  }

  /// What is known of one CPU.
  struct CPU {
    var time: UInt64 = 0
    var value0: UInt64 = 0
    var value1: UInt64 = 0
    /// Number of the task in the block.
    var task = BlockModel.none
    /// The last two kinds, 7 bits each, the last one lowest.
    var kinds = 0
    var context = ExecutionContext.unknown
    var isKnown = false
  }

  var objects: [Object] = []
  var cpus = InlineArray<64, CPU>(repeating: CPU())
  /// Two kinds for each context, the likelier one in the low byte; see ``kindContext``.
  var kinds = InlineArray<4096, UInt16>(repeating: 0)
  /// The way a field of a kind named its object last, by field, kind before and kind.
  var ways = InlineArray<8192, UInt8>(repeating: 0)
  /// Objects named last, by CPU, space and place.
  var recent = InlineArray<4096, UInt32>(repeating: Self.none)
  /// Objects named last, by CPU and kind; see ``follow(_:_:_:links:)``.
  private var lastOfKind = InlineArray<4096, UInt32>(repeating: Self.none)
  /// Objects freed last, by CPU and space: a ring each.
  private var freed = InlineArray<8192, UInt32>(repeating: Self.none)
  private var freedTop = InlineArray<128, UInt8>(repeating: 0)
  /// Last plain value, by field and kind.
  var values = InlineArray<384, UInt64>(repeating: 0)
  /// Last key listed in each space.
  private var lastKeys = InlineArray<8, UInt64>(repeating: 0)
  /// Last level and flags, by kind.
  var levels = InlineArray<128, TableLevel>(repeating: .unknown)
  var flags = InlineArray<128, UInt8>(repeating: 0)
  /// Last level of an event about a table.
  var tableLevel = TableLevel.unknown
  /// Key of the last lock that was new, less 64 times its table's.
  private var lockBias: UInt64 = 0

  /// Forgets everything: a block begins.
  mutating func reset() {
    var objects = objects
    self.objects = []
    objects.removeAll(keepingCapacity: true)
    self = BlockModel()
    self.objects = objects
  }

  /// Context of the next kind: the last two kinds of its CPU, and whether the event before was
  /// on another one.
  @inline(__always)
  static func kindContext(_ kinds: Int, switched: Bool) -> Int {
    (kinds & 127 + 13 * (kinds >> 7)) & 2047 | (switched ? 2048 : 0)
  }

  /// Notes the kind that came in a context, and returns its symbol: 0 or 1 = the likelier or the
  /// other expected one, else 1 + its number.
  @inline(__always)
  mutating func kindSymbol(_ kind: UInt8, _ context: Int) -> UInt8 {
    let pair = kinds[context]
    let first = UInt8(truncatingIfNeeded: pair)
    if first == kind { return 0 }
    kinds[context] = UInt16(first) << 8 | UInt16(kind)
    return UInt8(pair >> 8) == kind ? 1 : kind + 1
  }

  /// The kind a symbol below 128 stands for; 0 where none does.
  @inline(__always)
  mutating func kind(_ symbol: UInt8, _ context: Int) -> UInt8 {
    let pair = kinds[context]
    let first = UInt8(truncatingIfNeeded: pair)
    if symbol == 0 { return first }
    let kind = symbol == 1 ? UInt8(pair >> 8) : symbol - 1
    kinds[context] = UInt16(first) << 8 | UInt16(kind)
    return kind
  }
}

/// References to objects.
extension BlockModel {
  /// Ways to name an object; below `new`: its place among those named last.
  enum Way {
    static let new: UInt8 = 8
    static let number: UInt8 = 9
    static let next: UInt8 = 10
    static let lock: UInt8 = 11
    static let zero: UInt8 = 12
    static let freed: UInt8 = 13
    static let before: UInt8 = 14
    static let count: UInt8 = 15
  }

  /// Objects remembered for each CPU and space.
  static let recentCount = 8

  /// Where the list of a CPU's slot and a space begins.
  @inline(__always)
  static func list(_ slot: Int, _ space: ObjectSpace) -> Int {
    (slot * 8 + Int(space.rawValue)) * recentCount
  }

  /// The known object a way leads to, or ``none``.
  @inline(__always)
  func find(_ way: UInt8, _ list: Int, _ kind: UInt8, partner: UInt32) -> UInt32 {
    switch way {
    case 0..<Way.new: return recent[list + Int(way)]
    case Way.next:
      guard Self.isOfTables(list) else { return Self.none }
      let last = lastOfKind[Self.chain(list, kind)]
      return last == Self.none ? Self.none : objects[Int(last)].next
    case Way.before:
      guard Self.isOfTables(list) else { return Self.none }
      let last = lastOfKind[Self.chain(list, kind)]
      return last == Self.none ? Self.none : objects[Int(last)].before
    case Way.lock: return partner == Self.none ? Self.none : objects[Int(partner)].lock
    case Way.freed:
      guard Self.hasFreed(list) else { return Self.none }
      return freed[Self.ring(list) << 6 | Int(freedTop[Self.ring(list)])]
    default: return Self.none
    }
  }

  /// Puts an object in front of a list; `way` is how it was named.
  @inline(__always)
  mutating func touch(_ list: Int, _ object: UInt32, _ way: UInt8) {
    if way == 0 { return }
    var place = list + (way < Way.new ? Int(way) : Self.recentCount - 1)
    while place > list {
      recent[place] = recent[place - 1]
      place -= 1
    }
    recent[list] = object
  }

  /// Notes that a kind named a table, and where `links` what came after what.
  @inline(__always)
  mutating func follow(_ list: Int, _ kind: UInt8, _ object: UInt32, links: Bool) {
    let chain = Self.chain(list, kind)
    let last = lastOfKind[chain]
    lastOfKind[chain] = object
    guard links, last != Self.none, last != object else { return }
    objects[Int(last)].next = object
    objects[Int(object)].before = last
  }

  @inline(__always)
  private static func chain(_ list: Int, _ kind: UInt8) -> Int {
    list & ~63 | (Int(kind) - (kind > 63 ? 30 : 0)) & 63
  }

  @inline(__always)
  private static func isOfTables(_ list: Int) -> Bool { list >> 3 & 7 == 1 }

  /// Key from which that of a new object is told: of a table the one the kind named last on the
  /// CPU, else the one in front of the list, else the one listed last in the space.
  @inline(__always)
  func keyBase(_ list: Int, _ kind: UInt8) -> UInt64 {
    if Self.isOfTables(list) {
      let last = lastOfKind[Self.chain(list, kind)]
      if last != Self.none { return objects[Int(last)].key }
    }
    let front = recent[list]
    return front == Self.none ? lastKeys[list >> 3 & 7] : objects[Int(front)].key
  }

  /// Key the first lock of a table is expected to have.
  @inline(__always)
  func lockKey(of table: UInt32) -> UInt64 { objects[Int(table)].key &* 64 &+ lockBias }

  /// Adds an object.
  mutating func add(_ list: Int, key: UInt64, generation: UInt32, partner: UInt32) -> UInt32 {
    lastKeys[list >> 3 & 7] = key
    if partner != Self.none { lockBias = key &- objects[Int(partner)].key &* 64 }
    objects.append(Object(key: key, generation: generation, level: tableLevel))
    return UInt32(objects.count - 1)
  }

  /// Notes that an object was given back on the CPU of a list, which is one of tables or locks.
  @inline(__always)
  mutating func free(_ list: Int, _ object: UInt32) {
    let ring = Self.ring(list)
    freedTop[ring] = (freedTop[ring] &+ 1) & 63
    freed[ring << 6 | Int(freedTop[ring])] = object
  }

  /// Takes back the object given back last.
  @inline(__always)
  mutating func takeFreed(_ list: Int) {
    let ring = Self.ring(list)
    freed[ring << 6 | Int(freedTop[ring])] = Self.none
    freedTop[ring] = (freedTop[ring] &- 1) & 63
  }

  /// Whether a list is one of tables or of locks: only they are given back.
  @inline(__always)
  private static func hasFreed(_ list: Int) -> Bool { (1...2).contains(list >> 3 & 7) }

  /// Two rings for each CPU: odd spaces and even ones.
  @inline(__always)
  private static func ring(_ list: Int) -> Int { (list >> 6) << 1 | (list >> 3 & 1) }

  /// Place of the way expected of a field.
  @inline(__always)
  static func wayContext(_ field: Int, before kinds: Int, _ kind: UInt8) -> Int {
    field << 11 | (19 * (kinds & 127) + Int(kind)) & 2047
  }
}

/// Values.
extension BlockModel {
  /// What a plain field is expected to hold: what it held last for the object, or on the CPU, or
  /// for the kind.
  @inline(__always)
  func expected(_ field: Int, _ kind: UInt8, bound: UInt32, _ slot: Int) -> UInt64 {
    if bound == Self.none { return values[field << 7 | Int(kind)] }
    if field == 1 {
      return objects[Int(bound)].known & 1 != 0 ? objects[Int(bound)].value0 : cpus[slot].value0
    }
    return objects[Int(bound)].known & 2 != 0 ? objects[Int(bound)].value1 : cpus[slot].value1
  }

  /// Notes what it held.
  @inline(__always)
  mutating func note(_ value: UInt64, _ field: Int, _ kind: UInt8, bound: UInt32, _ slot: Int) {
    if bound == Self.none {
      values[field << 7 | Int(kind)] = value
    } else if field == 1 {
      objects[Int(bound)].value0 = value
      objects[Int(bound)].known |= 1
      cpus[slot].value0 = value
    } else {
      objects[Int(bound)].value1 = value
      objects[Int(bound)].known |= 2
      cpus[slot].value1 = value
    }
  }
}

/// Bits of a byte in the `misses` column: what the model got wrong about an event.
enum Miss {
  static let task: UInt8 = 1
  static let context: UInt8 = 2
  static let level: UInt8 = 4
  static let flags: UInt8 = 8
  /// Object, arg0, arg1: 16, 32, 64.
  @inline(__always)
  static func field(_ field: Int) -> UInt8 { 16 << UInt8(truncatingIfNeeded: field) }
}
