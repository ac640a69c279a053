/// How the objects of a block are named: the part encoder and decoder share.
///
/// Each block lists its objects in the order they first occur. An event names an object by its
/// place in a short list of those its CPU touched last in that space (0…7), as the next new one
/// (``newObject``), or by the distance of its number to the one named last by this field of this
/// kind (``explicit`` and up).
struct ReferenceModel {
  /// Objects remembered for each CPU and space.
  static let recentCount = 8
  /// Token of an object that is new in this block.
  static let newObject: UInt64 = 8
  /// First token of the explicit form.
  static let explicit: UInt64 = 9
  /// CPUs that have lists of their own; higher ones share them.
  private static let cpuCount = 64
  private static let spaceCount = 8
  private static let empty = UInt32.max

  /// The lists, by CPU and space. Inline, as all state that changes with every event: an array
  /// would be checked for other owners at each change.
  private var recent = InlineArray<4096, UInt32>(repeating: Self.empty)
  /// Number named last, by field (object, arg0, arg1) and raw kind.
  private var last = InlineArray<768, UInt32>(repeating: 0)

  /// Forgets everything: a block begins.
  mutating func reset() {
    self = ReferenceModel()
  }

  /// Where the list of a space and CPU begins.
  @inline(__always)
  static func list(_ space: ObjectSpace, _ cpu: UInt16) -> Int {
    ((Int(cpu) & (cpuCount - 1)) * spaceCount + Int(space.rawValue)) * recentCount
  }

  /// The object at a place of a list; nil where the list is shorter.
  @inline(__always)
  func recentObject(_ list: Int, _ place: Int) -> Int? {
    let object = recent[list + place]
    return object == Self.empty ? nil : Int(object)
  }

  /// Puts an object at the front of a list; those before `place` move down over it.
  @inline(__always)
  mutating func touch(_ list: Int, _ object: Int, from place: Int) {
    var index = list + place
    while index > list {
      recent[index] = recent[index - 1]
      index -= 1
    }
    recent[list] = UInt32(truncatingIfNeeded: object)
  }

  /// Notes the object a field of a kind named, and returns the one it named before.
  @inline(__always)
  mutating func exchangeLast(_ field: Int, _ object: Int) -> Int {
    let before = last[field]
    last[field] = UInt32(truncatingIfNeeded: object)
    return Int(before)
  }

  /// The object a field of a kind named last.
  @inline(__always)
  func lastObject(_ field: Int) -> Int { Int(last[field]) }
}
