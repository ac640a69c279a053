/// One split lock: memory of the `page->ptl` slab that stays a lock word whoever owns it.
///
/// A reader may keep and take the lock after it was freed: the word then belongs to nobody, or
/// to another table. It always becomes free again, because whoever took it gives it back.
final class Lock {
  let address: UInt64
  var isHeld = false

  init(address: UInt64) { self.address = address }
}

/// The slab of split locks, last freed first handed out.
struct LockSlab {
  static let objectBytes: UInt64 = 64
  static let objectsPerPage = Int(4096 / objectBytes)

  private var free: [Lock] = []
  private(set) var live = 0

  /// Whether a page is needed before the next allocation.
  var isExhausted: Bool { free.isEmpty }

  /// Adds a page of objects.
  mutating func grow(pageAddress: UInt64) {
    for index in (0..<Self.objectsPerPage).reversed() {
      free.append(Lock(address: pageAddress + UInt64(index) * Self.objectBytes))
    }
  }

  /// Takes an object and initialises the lock in it: unlocked, whatever it was before.
  mutating func allocate() -> Lock {
    let lock = free.removeLast()
    lock.isHeld = false
    live += 1
    return lock
  }

  /// Gives the object back; the word in it stays as it is.
  mutating func release(_ lock: Lock) {
    live -= 1
    free.append(lock)
  }
}

/// Addresses of objects whose memory is not modelled (mm_structs, kernel stacks), reused last
/// freed first.
struct AddressPool {
  private var free: [UInt64] = []
  private var next: UInt64
  private let stride: UInt64

  init(base: UInt64, stride: UInt64) {
    next = base
    self.stride = stride
  }

  mutating func allocate() -> UInt64 {
    if let address = free.popLast() { return address }
    defer { next += stride }
    return next
  }

  mutating func release(_ address: UInt64) { free.append(address) }
}
