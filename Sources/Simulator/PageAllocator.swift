import TraceFormat

/// Pages by number, last freed first handed out, so that a dangling reference meets a new owner.
struct PageAllocator {
  /// First page of the simulated RAM (0x8400_0000).
  private static let base: UInt64 = 0x84000
  /// The linear map.
  static let linearMap = MachineFacts.LinearMap(address: 0xffff_af80_0000_0000, pfn: 0x80000)
  /// struct page array.
  private static let vmemmap: UInt64 = 0xffff_8d80_0000_0000

  private var free: [[UInt64]] = Array(repeating: [], count: 4)
  private var next = base
  /// Whether the page was a table when it was last freed, by page from `base`.
  private var wasTable: [Bool] = []

  /// Takes 2^order pages; `reused` says that the first one was a table in its last life.
  mutating func allocate(order: Int = 0) -> (pfn: UInt64, reused: Bool) {
    guard let pfn = free[order].popLast() else {
      let pfn = next
      next += 1 << UInt64(order)
      wasTable.append(contentsOf: repeatElement(false, count: 1 << order))
      return (pfn, false)
    }
    let index = Int(pfn - Self.base)
    let reused = wasTable[index]
    wasTable[index] = false
    return (pfn, reused)
  }

  /// Gives pages back.
  mutating func release(_ pfn: UInt64, order: Int = 0, table: Bool = false) {
    wasTable[Int(pfn - Self.base)] = table
    free[order].append(pfn)
  }

  /// Address of a page in the linear map.
  static func linear(_ pfn: UInt64) -> UInt64 {
    linearMap.address + (pfn - linearMap.pfn) << 12
  }

  /// Address of the rcu_head inside a page's ptdesc.
  static func ptdescHead(_ pfn: UInt64) -> UInt64 { vmemmap + pfn << 6 + 8 }
}
