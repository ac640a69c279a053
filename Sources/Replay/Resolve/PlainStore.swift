import Glibc

/// Plain values in memory of their own: an array that asks who else holds it only when told to.
///
/// One of the files that may use unsafe constructs. The resolver changes a dozen fields of a life
/// for every event; an array would look for other owners at each of them. Here whoever is going to
/// change elements says so once (``own()``), and every index is checked all the same. What has
/// grown large moves by having its pages mapped elsewhere, so that it is never there twice.
@safe public struct PlainStore<Element: BitwiseCopyable>: @unchecked Sendable {
  /// What the copies of a store share until one of them is going to change.
  @safe private final class Memory {
    fileprivate(set) var base: UnsafeMutableRawPointer

    init(_ base: UnsafeMutableRawPointer) { unsafe self.base = base }

    deinit { unsafe free(base) }
  }

  private var memory: Memory?
  private var base = unsafe UnsafeMutablePointer<Element>(bitPattern: 64)!
  private var capacity = 0
  /// Number of elements.
  public private(set) var count = 0

  /// An empty store.
  public init() {}

  /// So many elements, all `value`.
  init(repeating value: Element, count: Int) {
    reserve(count)
    unsafe base.initialize(repeating: value, count: count)
    self.count = count
  }

  /// Whoever is going to change elements, and may not be the only owner, says so before.
  mutating func own() {
    guard capacity > 0, !isKnownUniquelyReferenced(&memory) else { return }
    move(to: capacity)
  }

  /// Makes room for so many elements in all.
  mutating func reserve(_ wanted: Int) {
    if wanted > capacity { move(to: wanted) }
  }

  /// Adds an element; the store has to have one owner.
  @inline(__always)
  mutating func append(_ element: Element) {
    if count == capacity { grow() }
    unsafe (base + count).initialize(to: element)
    count += 1
  }

  /// Adds a copy of an element of another store.
  @inline(__always)
  mutating func append(copyOf index: Int, in other: borrowing PlainStore) {
    precondition(UInt(bitPattern: index) < UInt(bitPattern: other.count), "store: no such element")
    if count == capacity { grow() }
    unsafe (base + count).initialize(from: other.base + index, count: 1)
    count += 1
  }

  /// Adds copies of elements of an array.
  mutating func append(contentsOf elements: [Element], _ places: Range<Int>) {
    reserve(count + places.count)
    unsafe elements.withUnsafeBufferPointer { source in
      precondition(places.upperBound <= source.count, "store: no such elements")
      guard let start = source.baseAddress, !places.isEmpty else { return }
      unsafe (base + count).initialize(from: start + places.lowerBound, count: places.count)
    }
    count += places.count
  }

  /// Forgets all elements and keeps their memory.
  mutating func removeAll() { count = 0 }

  private mutating func grow() { move(to: Swift.max(16, capacity * 2)) }

  /// Takes memory for `size` elements, of which there are not more.
  private mutating func move(to size: Int) {
    let bytes = size * MemoryLayout<Element>.stride
    let own = isKnownUniquelyReferenced(&memory) ? memory : nil
    guard let moved = unsafe own.map({ unsafe realloc($0.base, bytes) }) ?? malloc(bytes) else {
      fatalError("out of memory: \(bytes) bytes")
    }
    let start = unsafe moved.assumingMemoryBound(to: Element.self)
    if let own {
      unsafe own.base = moved
    } else {
      unsafe start.initialize(from: base, count: count)
      memory = unsafe Memory(moved)
    }
    unsafe base = start
    capacity = size
  }
}

extension PlainStore: RandomAccessCollection {
  public var startIndex: Int { 0 }
  public var endIndex: Int { count }

  /// The element at an index, which must exist; to change it takes the one owner.
  @inline(__always)
  public subscript(index: Int) -> Element {
    unsafeAddress {
      precondition(UInt(bitPattern: index) < UInt(bitPattern: count), "store: no such element")
      return unsafe UnsafePointer(base + index)
    }
    unsafeMutableAddress {
      precondition(UInt(bitPattern: index) < UInt(bitPattern: count), "store: no such element")
      return unsafe base + index
    }
  }

  /// Part of the elements, where they lie; not to be kept.
  func run(_ places: Range<Int>) -> PlainRun<Element> {
    precondition(places.lowerBound >= 0 && places.upperBound <= count, "store: no such elements")
    return unsafe PlainRun(base + places.lowerBound, places.count)
  }
}

/// Elements of a ``PlainStore``, where they lie: to be gone through, and not to be kept any longer
/// than the store is left as it is.
@safe public struct PlainRun<Element: BitwiseCopyable>: RandomAccessCollection {
  private let base: UnsafePointer<Element>
  /// Number of elements.
  public let count: Int

  fileprivate init(_ base: UnsafePointer<Element>, _ count: Int) {
    unsafe self.base = base
    self.count = count
  }

  public var startIndex: Int { 0 }
  public var endIndex: Int { count }

  /// The element at an index, which must exist.
  @inline(__always)
  public subscript(index: Int) -> Element {
    precondition(UInt(bitPattern: index) < UInt(bitPattern: count), "run: no such element")
    return unsafe base[index]
  }
}
