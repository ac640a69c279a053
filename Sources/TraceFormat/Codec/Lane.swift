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
