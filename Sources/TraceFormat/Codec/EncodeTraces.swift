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
  /// Tasks in the order they were listed.
  let tasks: Lane<UInt32>
  /// Register of each field of each kind; 0 = none yet.
  let roles = Lane<UInt8>(room: 768)
  let valueRoles = Lane<UInt8>(room: 768)
  /// Number of the last shape of each kind, + 1.
  let lastShapes = Lane<Int>(room: 256)
  /// Hashes and numbers of the objects that the events of a window name, three for each event:
  /// arg0, arg1, object.
  let tags = Lane<UInt64>(room: 3 * Self.window)
  let numbers = Lane<UInt32>(room: 3 * Self.window)
  let touched = Lane<UInt32>(room: 1)

  /// Events whose objects are looked up together.
  static let window = 128

  init(capacity: Int) {
    objects = Lane(room: 3 * capacity + 1)
    starts = Lane(room: 3 * capacity + 1)
    tasks = Lane(room: capacity)
  }

  func begin() {
    objects[0] = Object()
    roles.zero(upTo: roles.count)
    valueRoles.zero(upTo: valueRoles.count)
    lastShapes.zero(upTo: lastShapes.count)
  }

  func deallocate() {
    objects.deallocate()
    starts.deallocate()
    tasks.deallocate()
    roles.deallocate()
    valueRoles.deallocate()
    lastShapes.deallocate()
    tags.deallocate()
    numbers.deallocate()
    touched.deallocate()
  }
}
