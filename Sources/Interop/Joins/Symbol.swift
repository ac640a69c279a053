import TraceFormat

/// Kernel symbols by a hash of their name, so that no text is kept per line.
enum Symbol {
  /// FNV-1a over `start..<end` of `bytes`.
  static func hash(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> UInt64 {
    hash(bytes, start, end) { _ in false }
  }

  /// Hash of the symbol that starts at `start`: up to `+`, a blank, `)` or `/`.
  static func hashName(_ bytes: Span<UInt8>, _ start: Int, _ limit: Int) -> UInt64 {
    hash(bytes, start, limit) { $0 == 0x2B || $0 == 0x20 || $0 == 0x29 || $0 == 0x2F }
  }

  /// The same up to the first byte that ends it, in one go.
  @inline(__always)
  private static func hash(
    _ bytes: Span<UInt8>, _ start: Int, _ limit: Int, until isEnd: (UInt8) -> Bool
  ) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    var at = start
    while at < limit, !isEnd(bytes[at]) {
      hash = (hash ^ UInt64(bytes[at])) &* 0x0000_0100_0000_01b3
      at += 1
    }
    return hash ^ (hash >> 29)
  }

  private static func of(_ name: String) -> UInt64 {
    let bytes = Array(name.utf8)
    return hash(bytes.span, 0, bytes.count)
  }

  static let removeTableBatch = of("tlb_remove_table_rcu")
  static let freeNow = of("pte_free_now")
  static let removeTableOne = of("__tlb_remove_table_one_rcu")
  static let lockAlloc = of("ptlock_alloc")
  static let lockCache = of("page->ptl")
  static let freeRange = of("free_pgd_range")
  /// Where PT_RECLAIM frees an empty PTE table, by what the compiler left of the call chain.
  private static let reclaimers: [(UInt64, UInt8)] = [
    (of("__zap_vma_range"), 1), (of("zap_pte_range"), 1), (of("zap_pmd_range"), 1),
    (of("unmap_page_range"), 1), (of("free_pte"), 1),
  ]
  static let syncHandler = of("tlb_remove_table_smp_sync")
  static let gpStart = of("start")
  static let gpEnd = of("end")
  static let gpCPUEnd = of("cpuend")
  static let gpCPUQS = of("cpuqs")
  private static let constructors: [(UInt64, UInt8)] = [
    (of("__pte_alloc"), 1), (of("__pmd_alloc"), 2), (of("__pud_alloc"), 3), (of("__p4d_alloc"), 4),
    (of("pgd_alloc"), 5), (of("mm_init"), 5),
  ]
  private static let queuers: [(UInt64, UInt8)] = [
    (of("___pte_free_tlb"), 1), (of("___pmd_free_tlb"), 2), (of("___pud_free_tlb"), 3),
    (of("___p4d_free_tlb"), 4),
  ]
  private static let freers: [(UInt64, UInt8)] = [
    (of("___free_pages"), 1), (of("__free_pages"), 1), (of("pagetable_free"), 1),
    (of("free_page_and_swap_cache"), 2), (of("free_pages_and_swap_cache"), 3),
    (of("__folio_put"), 4),
  ]

  /// What a callback of this symbol does.
  static func callback(_ symbol: UInt64?) -> CallbackFunction {
    switch symbol {
    case removeTableBatch: .removeTableBatch
    case freeNow: .freeDeferred
    case removeTableOne: .removeTableOne
    default: .other
    }
  }

  /// Level (raw) of the table whose constructor is called from this symbol; 0 if it does not say.
  static func constructorLevel(_ symbol: UInt64) -> UInt8 { find(symbol, in: constructors) }
  /// Level (raw) of the table that is queued from this symbol; 0 if it does not say.
  static func queueLevel(_ symbol: UInt64) -> UInt8 { find(symbol, in: queuers) }
  /// Raw `FreeFunction` of this symbol; 0 if it is none.
  static func freeFunction(_ symbol: UInt64) -> UInt8 { find(symbol, in: freers) }

  /// Whether a table queued from this symbol is one that madvise frees.
  static func isReclaim(_ symbol: UInt64) -> Bool { find(symbol, in: reclaimers) != 0 }

  private static func find(_ symbol: UInt64, in list: [(UInt64, UInt8)]) -> UInt8 {
    for (name, value) in list where name == symbol { return value }
    return 0
  }
}
