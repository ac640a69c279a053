/// The identity space an event's `object` lives in. An identity is (space, key, generation).
public enum ObjectSpace: UInt8, Sendable, Hashable, BitwiseCopyable {
  /// No object.
  case none = 0
  /// Page tables, by pfn.
  case table = 1
  /// Split locks, by address.
  case lock = 2
  /// RCU callback heads, by address.
  case callback = 3
  /// Reader sections.
  case reader = 4
  /// Address spaces.
  case mm = 5
  /// mmu_gathers.
  case gather = 6
  /// Grace periods, by gp_seq (no generations).
  case gracePeriod = 7
}

/// How an `arg` of an event is to be read and printed.
public enum ArgumentType: UInt8, Sendable {
  /// Not used; is zero.
  case none
  /// An unsigned number.
  case count
  /// A two's complement number.
  case signed
  /// A time in units of the trace's clock.
  case time
  /// A kernel address or other opaque 64-bit value, printed in hexadecimal.
  case address
  /// A page frame number.
  case pfn
  /// A ``FreeFunction``.
  case freeFunction
  /// A ``CallbackFunction``.
  case callbackFunction
  /// A ``ReaderClass``.
  case readerClass
  /// A ``FlushRoute``.
  case flushRoute
}

/// One argument of an event kind.
public struct EventArgument: Sendable {
  /// The key printed before the value.
  public let name: String
  /// How to read the value.
  public let type: ArgumentType

  init(_ name: String, _ type: ArgumentType) {
    self.name = name
    self.type = type
  }

  /// Unused.
  public static let none = EventArgument("", .none)
}

/// What the fields of an ``Event`` mean for one kind.
public struct EventFields: Sendable {
  /// The kind's name in every text form of a trace.
  public let name: String
  /// The space of `object`.
  public let space: ObjectSpace
  /// The key printed before `object`; empty where the kind has none.
  public let objectName: String
  /// Meaning of `arg0`.
  public let arg0: EventArgument
  /// Meaning of `arg1`.
  public let arg1: EventArgument
  /// Whether the event starts a new generation of `object`.
  public let startsGeneration: Bool

  init(
    _ name: String, _ space: ObjectSpace = .none, _ objectName: String = "",
    _ arg0: EventArgument = .none, _ arg1: EventArgument = .none, startsGeneration: Bool = false
  ) {
    self.name = name
    self.space = space
    self.objectName = objectName
    self.arg0 = arg0
    self.arg1 = arg1
    self.startsGeneration = startsGeneration
  }
}

extension EventKind {
  /// The kind's name in every text form of a trace (`pt_dtor`, `call_rcu` …).
  public var name: String { fields.name }

  /// The kind with this name, if any.
  public init?(name: String) {
    guard let kind = Self.byName[name] else { return nil }
    self = kind
  }

  /// What the fields of an event of this kind mean.
  public var fields: EventFields { Self.table[Int(rawValue)]! }

  private static let byName = Dictionary(
    uniqueKeysWithValues: EventKind.allCases.map { ($0.name, $0) })

  private static let table: [EventFields?] = {
    var table = [EventFields?](repeating: nil, count: 256)
    for kind in EventKind.allCases { table[Int(kind.rawValue)] = kind.describe() }
    return table
  }()

  private func describe() -> EventFields {
    describeTables() ?? describeGather() ?? describeRCU() ?? describeRest()
  }

  private func describeTables() -> EventFields? {
    let mm = EventArgument("mm", .address)
    let slot = EventArgument("slot", .address)
    let nr = EventArgument("nr", .signed)
    let fn = EventArgument("fn", .freeFunction)
    let order = EventArgument("order", .count)
    let gather = EventArgument("gather", .address)
    let section = EventArgument("section", .count)
    let pfn = EventArgument("pfn", .pfn)
    switch self {
    case .tableAlloc:
      return .init("pt_alloc", .table, "pfn", mm, order, startsGeneration: true)
    case .tableConstruct: return .init("pt_ctor", .table, "pfn", mm, nr)
    case .tableZero: return .init("pt_zero", .table, "pfn")
    case .tableInstall: return .init("pt_install", .table, "pfn", mm, slot)
    case .tableUnlink: return .init("pt_unlink", .table, "pfn", mm, slot)
    case .tableQueueBatch: return .init("pt_queue_table", .table, "pfn", gather, mm)
    case .tableQueuePage: return .init("pt_queue_page", .table, "pfn", gather, mm)
    case .tableFallback: return .init("pt_fallback", .table, "pfn", gather)
    case .tableDestruct: return .init("pt_dtor", .table, "pfn", .none, nr)
    case .tablePut: return .init("pt_put", .table, "pfn", fn)
    case .tableFree: return .init("pt_free", .table, "pfn", fn, order)
    case .tableDeposit: return .init("pt_deposit", .table, "pfn", mm, slot)
    case .tableWithdraw: return .init("pt_withdraw", .table, "pfn", mm, slot)
    case .tableDefer: return .init("pt_defer", .table, "pfn", mm)
    case .pageReuse: return .init("page_reuse", .table, "pfn", .none, order)
    case .tableTypeClear: return .init("pt_type_clear", .table, "pfn")
    case .tableReclaim:
      return .init(
        "pt_reclaim", .table, "pfn", .init("pmd_lock", .address), .init("present", .count))
    case .lockAlloc: return .init("ptl_alloc", .lock, "ptl", pfn, startsGeneration: true)
    case .lockFree: return .init("ptl_free", .lock, "ptl", pfn)
    case .lockWait: return .init("ptl_wait", .lock, "ptl", section, pfn)
    case .lockAcquire: return .init("ptl_lock", .lock, "ptl", section, pfn)
    case .lockRelease: return .init("ptl_unlock", .lock, "ptl", section, pfn)
    default: return nil
    }
  }

  private func describeGather() -> EventFields? {
    let mm = EventArgument("mm", .address)
    let start = EventArgument("start", .address)
    let size = EventArgument("size", .address)
    switch self {
    case .gatherStart:
      return .init("gather_start", .gather, "gather", mm, .init("fullmm", .count))
    case .gatherFinish: return .init("gather_finish", .gather, "gather", mm)
    case .batchNew:
      return .init(
        "batch_new", .callback, "batch", .init("pfn", .pfn), .init("gather", .address))
    case .batchAdd:
      return .init("batch_add", .table, "pfn", .init("batch", .address), .init("idx", .count))
    case .batchFree: return .init("batch_free", .callback, "batch", .init("pfn", .pfn))
    case .batchFail: return .init("batch_fail", .gather, "gather", mm)
    case .flushStart: return .init("tlb_flush_start", .mm, "mm", start, size)
    case .flushEnd: return .init("tlb_flush_end", .mm, "mm", start, size)
    case .flushAck: return .init("tlb_flush_ack", .mm, "mm")
    case .flushCPUs:
      return .init(
        "tlb_flush_cpus", .mm, "mm", .init("cpus", .address), .init("via", .flushRoute))
    case .ipiSyncStart:
      return .init("ipi_sync_start", .none, "", .init("cpus", .address))
    case .ipiSyncAck: return .init("ipi_sync_ack")
    case .ipiSyncEnd: return .init("ipi_sync_end")
    default: return nil
    }
  }

  private func describeRCU() -> EventFields? {
    let function = EventArgument("func", .callbackFunction)
    // Tables in the batch, or the pfn of the one table a callback of its own is for.
    let load = EventArgument("load", .count)
    switch self {
    case .callRCU:
      return .init("call_rcu", .callback, "head", function, load, startsGeneration: true)
    case .callbackStart: return .init("cb_start", .callback, "head", function, load)
    case .callbackEnd: return .init("cb_end", .callback, "head", function)
    case .gracePeriodStart: return .init("gp_start", .gracePeriod, "seq")
    case .gracePeriodEnd: return .init("gp_end", .gracePeriod, "seq")
    case .quiescentState: return .init("rcu_qs", .gracePeriod, "seq")
    case .callbackRunStart: return .init("rcu_batch_start")
    case .callbackRunEnd: return .init("rcu_batch_end")
    case .barrierStart: return .init("rcu_barrier_start")
    case .barrierEnd: return .init("rcu_barrier_end")
    case .synchronizeStart: return .init("synchronize_rcu_start")
    case .synchronizeEnd: return .init("synchronize_rcu_end")
    case .callbacksSpliced: return .init("rcu_splice", .none, "", .init("dead_cpu", .count))
    default: return nil
    }
  }

  private func describeRest() -> EventFields {
    let mm = EventArgument("mm", .address)
    let section = EventArgument("section", .count)
    let addr = EventArgument("addr", .address)
    let len = EventArgument("len", .address)
    switch self {
    case .readerEnter:
      return .init(
        "rd_enter", .reader, "section", .init("class", .readerClass), mm, startsGeneration: true)
    case .readerExit:
      return .init("rd_exit", .reader, "section", .init("class", .readerClass))
    case .readerLoad: return .init("rd_load", .table, "pfn", section, .init("slot", .address))
    case .readerAccess: return .init("rd_access", .table, "pfn", section, .init("write", .count))
    case .readerRecheck:
      return .init("rd_recheck", .table, "pfn", section, .init("unchanged", .count))
    case .readerPin: return .init("rd_pin", .table, "pfn", section)
    case .hardwareLoad:
      return .init("hw_load", .table, "pfn", mm, .init("slot", .address))
    case .hardwareAccess: return .init("hw_access", .table, "pfn", mm, addr)
    case .mmNew: return .init("mm_new", .mm, "mm", startsGeneration: true)
    case .mmExit: return .init("mm_exit", .mm, "mm")
    case .mmFree: return .init("mm_free", .mm, "mm")
    case .mmBytes: return .init("mm_bytes", .mm, "mm", .init("delta", .signed))
    case .mmFlushPending:
      return .init("mm_flush_pending", .mm, "mm", .init("delta", .signed))
    case .quiesce: return .init("quiesce")
    case .loss:
      return .init("loss", .none, "cause", .init("count", .count), .init("since", .time))
    case .lossEnd: return .init("loss_end", .none, "cause")
    case .mark: return .init("mark", .none, "string")
    case .intentMap: return .init("intent_map", .mm, "mm", addr, len)
    case .intentUnmap: return .init("intent_unmap", .mm, "mm", addr, len)
    case .intentFork: return .init("intent_fork", .mm, "mm", .init("child", .address))
    case .intentExit: return .init("intent_exit", .mm, "mm")
    case .intentAdvise: return .init("intent_advise", .mm, "mm", addr, len)
    case .intentWalk:
      return .init("intent_walk", .mm, "mm", addr, .init("class", .readerClass))
    case .intentPin: return .init("intent_pin", .mm, "mm", addr)
    default: preconditionFailure("no fields for event kind \(rawValue)")
    }
  }
}
