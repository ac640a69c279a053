import TraceFormat

/// One page table, from its allocation until the last reference to it is gone.
///
/// Outlives its page: a reader that still holds it after the free is exactly what the simulator
/// is there to show.
final class Table {
  /// A data page mapped by a PTE table.
  struct Leaf {
    let index: Int
    let pfn: UInt64
  }

  /// A huge page mapped by an entry of a PMD table.
  struct HugePage {
    let index: Int
    let pfn: UInt64
    /// Waits for a split, or for the end of the mapping.
    let deposited: Table
  }

  let pfn: UInt64
  let level: TableLevel
  /// First address the table covers; changes when the table is moved (mremap).
  private(set) var base: UInt64
  /// Its split lock; nil where the level has none. Embedded locks have no address.
  let lock: Lock?
  /// The table whose entry points here; nil while not installed.
  private(set) var parent: Table?
  /// Lower tables, by entry; empty for a PTE table.
  private var children: [Table?]
  private var childCount = 0
  /// Mapped pages of a PTE table.
  private(set) var leaves: [Leaf] = []
  /// Huge pages that entries of a PMD table map, each with the PTE table deposited for it.
  private(set) var hugePages: [HugePage] = []

  init(pfn: UInt64, level: TableLevel, base: UInt64, lock: Lock?) {
    self.pfn = pfn
    self.level = level
    self.base = base
    self.lock = lock
    children = level == .pte ? [] : Array(repeating: nil, count: 512)
  }

  /// Address range the table covers; the PGD covers everything.
  var end: UInt64 { level == .pgd ? .max : base + 1 << level.spanShift }

  /// Index of the entry for a child of level `level` at `address`.
  static func entry(for level: TableLevel, at address: UInt64) -> Int {
    Int(address >> level.spanShift & 511)
  }

  /// Address of the entry that points, or would point, at a child.
  func slot(of child: Table) -> UInt64 {
    PageAllocator.linear(pfn) + UInt64(Self.entry(for: child.level, at: child.base)) * 8
  }

  func child(level: TableLevel, at address: UInt64) -> Table? {
    children[Self.entry(for: level, at: address)]
  }

  func install(_ child: Table) {
    children[Self.entry(for: child.level, at: child.base)] = child
    childCount += 1
    child.parent = self
  }

  /// Clears the entry that points here.
  func unlink() {
    guard let parent else { preconditionFailure("unlinking a table that is not installed") }
    parent.children[Self.entry(for: level, at: base)] = nil
    parent.childCount -= 1
    self.parent = nil
  }

  /// The huge page mapped at an address.
  func hugePage(at address: UInt64) -> HugePage? {
    guard !hugePages.isEmpty else { return nil }
    let index = Self.entry(for: .pte, at: address)
    return hugePages.first { $0.index == index }
  }

  /// Maps a huge page at an address whose entry is empty.
  func mapHuge(_ pfn: UInt64, at address: UInt64, depositing table: Table) {
    hugePages.append(
      HugePage(index: Self.entry(for: .pte, at: address), pfn: pfn, deposited: table))
  }

  /// Clears the entry that maps a huge page.
  func unmapHuge(at address: UInt64) -> HugePage? {
    let index = Self.entry(for: .pte, at: address)
    guard let place = hugePages.firstIndex(where: { $0.index == index }) else { return nil }
    return hugePages.remove(at: place)
  }

  /// Removes and returns every mapped page.
  func unmapAll() -> [UInt64] {
    defer { leaves = [] }
    return leaves.map(\.pfn)
  }

  /// Says that a table that is not installed now covers another range.
  func move(to base: UInt64) {
    precondition(parent == nil, "moving a table that is installed")
    self.base = base
  }

  func hasLeaf(at address: UInt64) -> Bool {
    let index = Int(address >> 12 & 511)
    return leaves.contains { $0.index == index }
  }

  func map(_ pfn: UInt64, at address: UInt64) {
    leaves.append(Leaf(index: Int(address >> 12 & 511), pfn: pfn))
  }

  /// Removes and returns one mapped page of an address range.
  func unmapOne(from start: UInt64, to end: UInt64) -> UInt64? {
    for index in leaves.indices.reversed() {
      let address = base + UInt64(leaves[index].index) << 12
      guard address >= start, address < end else { continue }
      let pfn = leaves[index].pfn
      leaves.swapAt(index, leaves.count - 1)
      leaves.removeLast()
      return pfn
    }
    return nil
  }

  /// Visits the tables below that intersect an address range, children before parents.
  func visitBelow(from start: UInt64, to end: UInt64, _ body: (Table) -> Void) {
    guard childCount > 0 else { return }
    for case let child? in children where child.base < end && child.end > start {
      child.visitBelow(from: start, to: end, body)
      body(child)
    }
  }
}
