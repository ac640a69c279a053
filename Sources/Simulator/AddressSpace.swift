import TraceFormat

/// A mapped address range (a VMA), page aligned.
struct Region: Equatable {
  let start: UInt64
  let end: UInt64
}

/// One mm: its page-table tree, its regions and its mmap_lock.
final class AddressSpace {
  let address: UInt64
  let mode: PagingMode
  let root: Table
  let mmapLock = ReadWriteSemaphore()
  /// Regions in address order.
  private(set) var regions: [Region] = []
  /// Tasks running in it (mm_users).
  var users = 0
  /// CPUs it ever ran on; with ASIDs they stay (kernel-facts §1.2).
  var cpuMask: UInt64 = 0
  /// Gathers in progress (tlb_flush_pending).
  var flushesPending = 0
  /// pgtables_bytes.
  var tableBytes = 0

  init(address: UInt64, mode: PagingMode, root: Table) {
    self.address = address
    self.mode = mode
    self.root = root
  }

  /// The lowest installed table on the way to an address.
  func lowestTable(at address: UInt64) -> Table {
    var table = root
    for level in mode.levels {
      guard let child = table.child(level: level, at: address) else { return table }
      table = child
    }
    return table
  }

  func pteTable(at address: UInt64) -> Table? {
    let table = lowestTable(at: address)
    return table.level == .pte ? table : nil
  }

  /// The PMD table on the way to an address, if there is one.
  func pmdTable(at address: UInt64) -> Table? {
    let table = lowestTable(at: address)
    return table.level == .pmd ? table : table.level == .pte ? table.parent : nil
  }

  /// The region an address lies in.
  func region(at address: UInt64) -> Region? {
    regions.first { $0.start <= address && address < $0.end }
  }

  /// PMD tables that intersect a range.
  func pmdTables(from start: UInt64, to end: UInt64) -> [Table] {
    var tables: [Table] = []
    root.visitBelow(from: start, to: end) { if $0.level == .pmd { tables.append($0) } }
    return tables
  }

  func isMapped(_ address: UInt64) -> Bool {
    regions.contains { $0.start <= address && address < $0.end }
  }

  func isFree(from start: UInt64, to end: UInt64) -> Bool {
    !regions.contains { $0.start < end && $0.end > start }
  }

  func insert(_ region: Region) {
    let index = regions.firstIndex { $0.start > region.start } ?? regions.count
    regions.insert(region, at: index)
  }

  func remove(_ region: Region) { regions.removeAll { $0 == region } }

  func removeAllRegions() { regions.removeAll() }

  /// PTE tables that intersect a range.
  func pteTables(from start: UInt64, to end: UInt64) -> [Table] {
    var tables: [Table] = []
    root.visitBelow(from: start, to: end) { if $0.level == .pte { tables.append($0) } }
    return tables
  }

  /// Tables of a range no region needs any more, children before parents (floor and ceiling of
  /// `free_pgd_range`).
  func unneededTables(from start: UInt64, to end: UInt64) -> [Table] {
    var tables: [Table] = []
    root.visitBelow(from: start, to: end) {
      if isFree(from: $0.base, to: $0.end) { tables.append($0) }
    }
    return tables
  }

  /// Picks a free place for `bytes`, aligned to `alignment`, in one of a few gigabytes spread
  /// over the mode's upper levels; nil if none was found.
  func findPlace(
    bytes: UInt64, alignment: UInt64, gigabytes: ClosedRange<Int> = 1...5,
    random: inout SplitMix64
  ) -> UInt64? {
    for _ in 0..<16 {
      var start = UInt64(random.within(gigabytes)) << 30
      if mode != .sv39 { start += UInt64(random.below(3)) << 39 }
      if mode == .sv57 { start += UInt64(random.below(2)) << 48 }
      start += (random.next() & (1 << 30 - 1)) & ~(alignment - 1)
      if start + bytes <= mode.userTop, isFree(from: start, to: start + bytes) { return start }
    }
    return nil
  }
}
