/// What encoder and decoder of a block keep alike while they go through its events.
///
/// Object 0 is no object: its key is 0, and registers that hold nothing hold it.
struct BlockState {
  /// What is known of one object of the block.
  struct Object: BitwiseCopyable {
    var key: UInt64 = 0
    /// The value last bound to it.
    var bound: UInt64 = 0
    var generation: UInt32 = 0
    /// The objects linked behind and before it.
    var next: UInt32 = 0
    var previous: UInt32 = 0
    /// The object bound to it, as a lock to its table.
    var peer: UInt32 = 0

    /// Where the word of way 0 would be, with those of `next`, `previous` and `peer` behind it.
    static let linkOffset = 16
  }

  /// What is known of one CPU slot, beside its registers.
  struct Slot: BitwiseCopyable {
    var time: UInt64 = 0
    /// Numbers of the task, and of the one before it.
    var task: UInt32 = 0
    var previousTask: UInt32 = 0
    /// Place in `followers` of the shape of the event before: its number + 1, 0 at first.
    var place: Int = 0
  }

  /// Two rings for each slot.
  struct RingTop: BitwiseCopyable {
    var table: UInt8 = 0
    var lock: UInt8 = 0
  }

  let registers = Lane<UInt32>(room: EventShape.slots * EventShape.bank)
  let values = Lane<UInt64>(room: EventShape.slots * EventShape.valueRegisters)
  let slots = Lane<Slot>(room: EventShape.slots)
  let rings = Lane<UInt32>(room: EventShape.slots * 2 * EventShape.ringSize)
  let tops = Lane<UInt8>(room: EventShape.slots * 2)
  /// Objects a slot listed or named by number, a ring each, and how many those were.
  let recents = Lane<UInt32>(room: EventShape.slots * EventShape.recents)
  let recentCounts = Lane<UInt32>(room: EventShape.slots)
  /// Key listed last through each register.
  let listed = Lane<UInt64>(room: EventShape.registers)
  /// Up to four shapes that followed each shape on a CPU, the last one lowest.
  private(set) var followers = Lane<UInt64>(room: 256)
  private(set) var objects = Lane<Object>(alignedRoom: 1024)
  /// Chunks of keys, in the order they were first needed.
  private(set) var chunks = Lane<UInt64>(room: 1024)

  /// Room held, in bytes.
  var byteCount: Int {
    4 * (registers.count + rings.count + recents.count + recentCounts.count) + tops.count
      + 8 * (values.count + listed.count + followers.count + chunks.count)
      + MemoryLayout<Slot>.stride * slots.count + MemoryLayout<Object>.stride * objects.count
  }

  /// No followers known.
  static let noFollowers = UInt64.max

  /// Makes room for `shapes` shapes and `objects` objects beside the null one. Room that is not
  /// used costs no memory.
  mutating func reserve(shapes: Int, objects count: Int) {
    if followers.count < shapes + 1 {
      followers.deallocate()
      followers = Lane(room: shapes + 1)
    }
    if objects.count < count + 1 {
      objects.deallocate()
      let room = count + count / 2 + 1
      objects = Lane(alignedRoom: room)
      chunks.deallocate()
      chunks = Lane(room: room)
    }
  }

  /// Begins a block: everything but the followers and objects to come is as at first.
  func begin(time: UInt64) {
    followers[0] = Self.noFollowers
    objects[0] = Object()
    registers.zero(upTo: registers.count)
    values.zero(upTo: values.count)
    slots.fill(Slot(time: time), upTo: slots.count)
    rings.zero(upTo: rings.count)
    tops.zero(upTo: tops.count)
    recentCounts.zero(upTo: recentCounts.count)
    listed.zero(upTo: listed.count)
  }

  func deallocate() {
    registers.deallocate()
    values.deallocate()
    slots.deallocate()
    rings.deallocate()
    tops.deallocate()
    recents.deallocate()
    recentCounts.deallocate()
    listed.deallocate()
    followers.deallocate()
    objects.deallocate()
    chunks.deallocate()
  }

  /// The places of a list that change when a shape comes to its front from one of them.
  static let fronts: Lane<UInt64> = {
    let fronts = Lane<UInt64>(4, repeating: 0)
    for place in 0..<4 { fronts[place] = .max >> UInt64(48 - 16 * place) }
    return fronts
  }()

  /// The list with a shape in front and what is before or at the end of `moved` one place behind.
  ///
  /// A shape beyond what a place can hold leaves an unknown one.
  @inline(__always)
  static func list(_ list: UInt64, _ shape: Int, _ moved: UInt64) -> UInt64 {
    list ^ (list ^ (list &<< 16 | UInt64(truncatingIfNeeded: min(shape, 0xffff)))) & moved
  }

  /// The list with the shape at place `place` (0 … 3) moved to its front.
  @inline(__always)
  static func touch(_ list: UInt64, place: UInt64) -> UInt64 {
    let shape = Int(truncatingIfNeeded: list &>> (place &* 16) & 0xffff)
    return Self.list(list, shape, .max &>> (48 &- 16 &* place))
  }

  /// The list with another shape put in front and the last one dropped.
  @inline(__always)
  static func push(_ list: UInt64, _ shape: UInt64) -> UInt64 {
    Self.list(list, Int(truncatingIfNeeded: shape), .max)
  }

  /// Keeps an object among the recent ones of a slot.
  @inline(__always)
  func keep(_ object: UInt32, _ slot: Int) {
    let count = recentCounts[slot]
    recents[slot &* EventShape.recents &+ Int(count) & (EventShape.recents - 1)] = object
    recentCounts[slot] = count &+ 1
  }

  /// The object kept `back` objects before the last one of a slot, which must be there.
  @inline(__always)
  func recent(_ back: UInt64, _ slot: Int) -> UInt32 {
    let place = Int(recentCounts[slot]) &- 1 &- Int(truncatingIfNeeded: back)
    return recents[slot &* EventShape.recents &+ place & (EventShape.recents - 1)]
  }

  /// Takes the object given back last out of a ring.
  @inline(__always)
  func pop(_ ring: Int) -> UInt32 {
    let place = ring &* EventShape.ringSize &+ Int(tops[ring])
    let object = rings[place]
    rings[place] = 0
    tops[ring] &-= 1
    return object
  }

  /// Puts an object that was given back on a ring.
  @inline(__always)
  func push(_ object: UInt32, _ ring: Int) {
    tops[ring] &+= 1
    rings[ring &* EventShape.ringSize &+ Int(tops[ring])] = object
  }
}
