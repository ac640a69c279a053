import Glibc

/// A run of plain values in memory that does not move: what the block kernels work on.
///
/// One of the files that may use unsafe constructs. An array would be checked for other owners at
/// each change and for its bounds at each access; here the bounds are the caller's duty, hoisted
/// out of its loops, and checked only in debug builds. Whoever allocates a lane frees it.
@safe struct Lane<Element: BitwiseCopyable> {
  private let base: UnsafeMutablePointer<Element>
  /// Number of elements.
  let count: Int

  /// Allocates `count` elements, all `value`.
  init(_ count: Int, repeating value: Element) {
    unsafe base = UnsafeMutablePointer<Element>.allocate(capacity: max(count, 1))
    unsafe base.initialize(repeating: value, count: count)
    self.count = count
  }

  /// Allocates room for `count` elements that must be written before they are read.
  init(room count: Int) {
    unsafe base = UnsafeMutablePointer<Element>.allocate(capacity: max(count, 1))
    self.count = count
  }

  /// Allocates room for `count` elements that begins where a cache line does.
  init(alignedRoom count: Int) {
    let bytes = max(count, 1) * MemoryLayout<Element>.stride
    unsafe base = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
      .bindMemory(to: Element.self, capacity: max(count, 1))
    self.count = count
  }

  /// The elements of a buffer somebody else owns and keeps in place.
  init(_ buffer: UnsafeMutableBufferPointer<Element>) {
    unsafe base = buffer.baseAddress ?? UnsafeMutablePointer<Element>(bitPattern: 64)!
    count = buffer.count
  }

  /// The first `length` elements; somebody else owns them.
  func prefix(_ length: Int) -> Lane {
    assert(length <= count, "lane")
    return unsafe Lane(UnsafeMutableBufferPointer(start: base, count: length))
  }

  /// The elements from number `start` on; somebody else owns them.
  @inline(__always)
  func from(_ start: Int) -> Lane {
    assert(start >= 0 && start <= count, "lane")
    return unsafe Lane(UnsafeMutableBufferPointer(start: base + start, count: count &- start))
  }

  /// Gives the memory back.
  func deallocate() { unsafe base.deallocate() }

  @inline(__always)
  subscript(index: Int) -> Element {
    get {
      assert(index >= 0 && index < count, "lane")
      return unsafe base[index]
    }
    nonmutating _modify {
      assert(index >= 0 && index < count, "lane")
      yield &(unsafe base[index])
    }
  }

  /// Makes the first `end` elements `value`.
  func fill(_ value: Element, upTo end: Int) {
    assert(end <= count, "lane")
    unsafe base.update(repeating: value, count: end)
  }

  /// Makes the first `end` elements zero bytes.
  func zero(upTo end: Int) {
    assert(end <= count, "lane")
    unsafe memset(base, 0, end * MemoryLayout<Element>.stride)
  }

  /// Copies elements from another lane.
  func copy(from other: Lane<Element>, count copied: Int, to start: Int = 0) {
    assert(copied <= other.count && start + copied <= count, "lane")
    unsafe (base + start).update(from: other.base, count: copied)
  }

  /// The first `length` elements as a buffer, for libzstd and for files.
  func withBuffer<R>(_ length: Int, _ body: (UnsafeMutableBufferPointer<Element>) throws -> R)
    rethrows -> R
  {
    assert(length <= count, "lane")
    return try unsafe body(UnsafeMutableBufferPointer(start: base, count: length))
  }
}

extension Lane where Element == BlockState.Object {
  /// The object that way 1, 2 or 3 leads to from object `index`; for way 0 something else.
  @inline(__always)
  func link(_ index: Int, _ way: UInt8) -> UInt32 {
    assert(index >= 0 && index < count, "lane")
    let place = BlockState.Object.linkOffset + Int(way & 3) * 4
    return unsafe UnsafeRawPointer(base + index).load(fromByteOffset: place, as: UInt32.self)
  }
}

extension Lane where Element == Event {
  /// Writes all words of an event but the first, which is its time. The fifth has the generation
  /// below the task, the last is made of ``Event/lastWord(_:context:level:flags:)``.
  ///
  /// A store for each field would be ten. Nothing is written that is no event: kind, context and
  /// level come from values that were checked.
  @inline(__always)
  func store(
    _ index: Int, object: UInt64, arg0: UInt64, arg1: UInt64, _ fifth: UInt64,
    _ sixth: UInt64
  ) {
    assert(index >= 0 && index < count, "lane")
    let place = unsafe UnsafeMutableRawPointer(base + index)
    unsafe place.storeBytes(of: object, toByteOffset: 8, as: UInt64.self)
    unsafe place.storeBytes(of: arg0, toByteOffset: 16, as: UInt64.self)
    unsafe place.storeBytes(of: arg1, toByteOffset: 24, as: UInt64.self)
    unsafe place.storeBytes(of: fifth, toByteOffset: 32, as: UInt64.self)
    unsafe place.storeBytes(of: sixth, toByteOffset: 40, as: UInt64.self)
  }
}

extension Event {
  /// Whether events are what ``Lane/store(_:object:arg0:arg1:_:_:)`` takes them for: six words
  /// without gaps, the level in the byte that holds its raw value.
  static let isSixWords =
    MemoryLayout<Event>.stride == 48 && MemoryLayout<Event>.offset(of: \.object) == 8
    && MemoryLayout<Event>.offset(of: \.arg0) == 16
    && MemoryLayout<Event>.offset(of: \.arg1) == 24
    && MemoryLayout<Event>.offset(of: \.generation) == 32
    && MemoryLayout<Event>.offset(of: \.task) == 36
    && MemoryLayout<Event>.offset(of: \.cpu) == 40
    && MemoryLayout<Event>.offset(of: \.level) == 44
    && TableLevel.allCases.allSatisfy {
      unsafe unsafeBitCast($0, to: UInt8.self) == $0.rawValue
    }

  /// Where the level stands in the last word.
  static let levelShift: UInt64 = 32

  /// The last of the six words of an event, with CPU 0.
  static func lastWord(
    _ kind: EventKind, context: ExecutionContext, level: UInt8, flags: EventFlags
  ) -> UInt64 {
    var event = Event(kind, time: 0, context: context, flags: flags)
    // The last two bytes of the word are no part of the event.
    let word = unsafe withUnsafeBytes(of: &event) { bytes in
      let low = unsafe bytes.loadUnaligned(fromByteOffset: 40, as: UInt32.self)
      let high = unsafe bytes.loadUnaligned(fromByteOffset: 44, as: UInt16.self)
      return UInt64(low) | UInt64(high) << 32
    }
    return word | UInt64(level) << levelShift
  }
}

/// Whoever hands a lane to another thread does not touch it until it comes back.
extension Lane: @unchecked Sendable where Element: Sendable {}

extension Lane where Element == UInt8 {
  /// Appends the first `length` bytes to an array.
  func append(_ length: Int, to bytes: inout [UInt8]) {
    unsafe withBuffer(length) { unsafe bytes.append(contentsOf: $0) }
  }

  /// Begins with the bytes of an array.
  func copy(from bytes: [UInt8]) {
    assert(bytes.count <= count, "lane")
    unsafe bytes.withUnsafeBufferPointer { buffer in
      if let start = buffer.baseAddress { unsafe base.update(from: start, count: buffer.count) }
    }
  }

  /// The eight bytes from `index` on, lowest first.
  @inline(__always)
  func load64(_ index: Int) -> UInt64 {
    assert(index >= 0 && index + 8 <= count, "lane")
    return unsafe UInt64(
      littleEndian: UnsafeRawPointer(base + index).loadUnaligned(as: UInt64.self))
  }

  /// Writes eight bytes, lowest first.
  @inline(__always)
  func store64(_ value: UInt64, _ index: Int) {
    assert(index >= 0 && index + 8 <= count, "lane")
    unsafe UnsafeMutableRawPointer(base + index).storeBytes(
      of: value.littleEndian, as: UInt64.self)
  }
}
