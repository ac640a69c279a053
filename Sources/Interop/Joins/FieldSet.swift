/// A set of keys.
struct FieldSet: ExpressibleByArrayLiteral, Equatable {
  private var bits: UInt64 = 0

  init(arrayLiteral keys: FieldKey...) {
    for key in keys { bits |= 1 &<< UInt64(key.rawValue) }
  }

  /// Every key.
  static var all: FieldSet {
    var set = FieldSet()
    set.bits = .max
    return set
  }

  @inline(__always)
  var isEmpty: Bool { bits == 0 }

  @inline(__always)
  func contains(_ key: FieldKey) -> Bool { bits & (1 &<< UInt64(key.rawValue)) != 0 }

  @inline(__always)
  mutating func insert(_ key: FieldKey) { bits |= 1 &<< UInt64(key.rawValue) }

  @inline(__always)
  mutating func remove(_ key: FieldKey) { bits &= ~(1 &<< UInt64(key.rawValue)) }

  @inline(__always)
  mutating func formUnion(_ other: FieldSet) { bits |= other.bits }
}

extension Probe {
  /// The keys the joins ask for. Asking for another one is an error that a debug build finds.
  var joinedFields: FieldSet {
    switch self {
    case .pageAlloc: [.pfn, .page, .order, .migratetype, .gfp]
    case .pageFree: [.pfn, .order]
    case .slabAlloc: [.ptr, .name, .callSite]
    case .slabFree: [.ptr, .name]
    case .construct: [.folio, .idx, .val, .ra]
    case .destruct: [.folio, .idx, .val]
    case .install: [.pte, .pmd, .old, .mm]
    case .tableFree, .tablePut: [.page, .folio]
    case .pteAlloc, .pmdAlloc, .pudAlloc, .p4dAlloc: [.mm, .slot, .pmd]
    case .pteAllocReturn, .pmdAllocReturn, .pudAllocReturn, .p4dAllocReturn: [.ret, .installed]
    case .lockAlloc: [.ptdesc]
    case .lockFree: [.ptdesc, .ptl]
    case .queueTable: [.table, .ra, .tlb, .mm]
    case .queuePage: [.table, .page, .ra, .tlb, .mm]
    case .tableOne: [.table]
    case .allocFailure: [.ret]
    case .gather, .gatherFull, .gatherVMA, .gatherFinish: [.tlb, .mm]
    case .freeRange: [.tlb]
    case .flush: [.mm, .start, .end, .size]
    case .flushReturn, .flushHere: [.mm]
    case .syncCall: [.function]
    case .callRCU, .callRCUTracepoint: [.function, .head, .nr]
    case .batchCallback: [.head, .nr]
    case .deferFree: [.pgtable, .mm]
    case .freeNow, .oneCallback: [.head]
    case .invokeCallback: [.function, .head]
    case .gpInitReturn: [.seq, .ret]
    case .gpCleanup, .quiescent: [.seq]
    case .gpTracepoint: [.seq, .gpEvent]
    case .pteLock, .pteMap: [.pmd, .pmdv]
    case .pgdAlloc, .exitMM: [.mm]
    case .pgdFree: [.mm, .virt]
    case .ignored, .marker, .freePTE, .freePMD, .freePUD, .freeP4D, .freeRangeReturn, .flushSend,
      .flushTracepoint, .sync, .syncReturn, .syncAck, .syncRCU, .syncRCUReturn,
      .batchCallbackReturn, .freeNowReturn, .oneCallbackReturn, .runStart, .runEnd,
      .runStartTracepoint, .runEndTracepoint, .gupFast, .gupFastReturn, .pteLockReturn:
      []
    }
  }

  /// The keys the survey asks for; nil where it only counts the lines.
  var surveyedFields: FieldSet? {
    switch self {
    case .pageAlloc, .pageFree: [.page, .pfn]
    case .construct, .destruct: [.folio, .idx]
    case .install: [.pmd, .pte]
    case .queueTable, .queuePage: [.table, .page]
    case .tableFree, .tablePut: [.page, .folio]
    case .freePMD, .freePUD: [.virt]
    case .batchCallback: [.head]
    case .batchCallbackReturn: []
    case .slabAlloc, .slabFree: [.ptr, .name, .callSite]
    case .callRCU, .callRCUTracepoint, .invokeCallback: [.function, .head]
    case .pteLock: [.pmd, .pmdv]
    default: nil
    }
  }

  /// ``joinedFields`` and ``surveyedFields`` by the index of ``NameTable/entries``.
  static let joinedByName = NameTable.shared.probes.map(\.joinedFields)
  static let surveyedByName = NameTable.shared.probes.map(\.surveyedFields)
}
