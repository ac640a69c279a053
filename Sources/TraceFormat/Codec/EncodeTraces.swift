/// What only the encoder knows about objects, registers and slots.
struct EncodeTraces {
  /// What is known of one object.
  struct Object: BitwiseCopyable {
    /// The slot that kept the object last, and its count then.
    var keptAt: UInt32 = 0
    var keptBy = UInt8.max
    var space: UInt8 = 0
    var marks: UInt8 = 0
  }

  /// Bits of ``Object/marks``.
  enum Mark {
    /// Something is bound to the object.
    static let bound: UInt8 = 1
    /// Its generation is known.
    static let generation: UInt8 = 2
    /// It is a reader section that began or ended in the block.
    static let section: UInt8 = 4
  }

  let objects: Lane<Object>
  /// Generation of each object before the block, where events keep theirs.
  let starts: Lane<UInt32>
  /// How much each event's time is later than that of the event before on its slot.
  let times: Lane<UInt64>
  /// Tasks in the order they were listed.
  let tasks: Lane<UInt32>
  /// Register of each field of each kind; 0 = none yet.
  let roles = Lane<UInt8>(room: 768)
  let valueRoles = Lane<UInt8>(room: 768)
  /// Number of the last shape of each kind, + 1.
  let lastShapes = Lane<Int>(room: 256)
  /// Numbers of the objects that the events of a window name, three for each event: arg0, arg1,
  /// object.
  let numbers = Lane<UInt32>(room: 3 * Self.window)
  /// Those that have to be looked up, and a guess at their numbers. There is room for one more.
  let misses = Lane<Miss>(room: 3 * Self.window + 1)
  let likely = Lane<UInt32>(room: 3 * Self.window)
  let touched = Lane<UInt32>(room: 1)
  /// Where so many objects are looked for first when they get their generations.
  let homes = Lane<Int>(room: Self.window)
  /// Objects looked up a short time ago, by some bits of their hash: two thirds of all that events
  /// name are among them.
  let recent = Lane<Recent>(room: Self.recents)

  /// Events whose objects are looked up together.
  static let window = 64
  private static let recents = 256

  /// An object that has to be looked up: its hash and key, and its place in `numbers`.
  struct Miss: BitwiseCopyable {
    let tag: UInt64
    let key: UInt64
    let place: UInt32
  }

  /// An object that has been looked up. A hash of 0 is none's.
  struct Recent: BitwiseCopyable {
    let tag: UInt64
    let key: UInt64
    let number: UInt32
  }

  /// Where an object is in `recent`, if it is there.
  @inline(__always)
  static func recentPlace(_ tag: UInt64) -> Int { Int(truncatingIfNeeded: tag) & (recents - 1) }

  init(capacity: Int) {
    objects = Lane(room: 3 * capacity + 1)
    starts = Lane(room: 3 * capacity + 1)
    times = Lane(room: capacity)
    tasks = Lane(room: capacity)
  }

  func begin() {
    objects[0] = Object()
    roles.zero(upTo: roles.count)
    valueRoles.zero(upTo: valueRoles.count)
    lastShapes.zero(upTo: lastShapes.count)
    recent.zero(upTo: recent.count)
  }

  func deallocate() {
    objects.deallocate()
    starts.deallocate()
    times.deallocate()
    tasks.deallocate()
    roles.deallocate()
    valueRoles.deallocate()
    lastShapes.deallocate()
    numbers.deallocate()
    misses.deallocate()
    likely.deallocate()
    touched.deallocate()
    homes.deallocate()
    recent.deallocate()
  }
}
