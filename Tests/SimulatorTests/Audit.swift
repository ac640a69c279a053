import TraceFormat

/// What a run must add up to, counted straight from the events: naive on purpose, and sharing
/// nothing with the checker.
struct Audit {
  var complaints: [String] = []
  var counts: [EventKind: Int] = [:]
  var fallbacks = 0
  /// Lives that never were reachable (E1), and parents freed before a child (E14).
  var neverInstalled = 0
  var parentFreedFirst = 0
  private var tables: [UInt64: TableLife] = [:]
  private var locks: [UInt64: UInt64] = [:]
  private var heldLocks: [String: Int] = [:]
  private var bytes: [UInt64: Int64] = [:]
  private var callbacks: [UInt64: CallbackLife] = [:]
  private var batches: [UInt64: Int] = [:]
  private var sections: Set<UInt64> = []
  private var gracePeriods: [(start: Int, end: Int)] = []
  private var openGracePeriod: Int?

  private struct TableLife {
    var constructed = 0
    var installed = 0
    var everInstalled = false
    var queued = false
    var parent: UInt64?
    var level: TableLevel
  }

  private struct CallbackLife {
    var called: Int
    var load: UInt64
  }

  init(_ events: [Event]) {
    for (index, event) in events.enumerated() { take(event, index) }
    if events.last?.kind != .quiesce { complain("does not end with quiesce", events.count) }
    if !tables.isEmpty { complain("\(tables.count) tables left", events.count) }
    if !locks.isEmpty { complain("\(locks.count) locks left", events.count) }
    if !heldLocks.isEmpty { complain("held locks left", events.count) }
    if !callbacks.isEmpty { complain("callbacks left", events.count) }
    if !batches.isEmpty { complain("batches left", events.count) }
    if !sections.isEmpty { complain("sections left", events.count) }
    if bytes.contains(where: { $0.value != 0 }) { complain("mm bytes left", events.count) }
  }

  private mutating func complain(_ text: String, _ index: Int) {
    if complaints.count < 20 { complaints.append("#\(index) \(text)") }
  }

  private mutating func take(_ event: Event, _ index: Int) {
    counts[event.kind, default: 0] += 1
    takeTable(event, index)
    takeLock(event, index)
    takeCallback(event, index)
    switch event.kind {
    case .mmBytes: bytes[event.object, default: 0] += Int64(bitPattern: event.arg0)
    case .mmFree: if bytes[event.object] ?? 0 != 0 { complain("mm_free with bytes", index) }
    case .readerEnter:
      if !sections.insert(event.object).inserted { complain("nested section", index) }
    case .readerExit:
      if sections.remove(event.object) == nil { complain("exit without enter", index) }
    case .gracePeriodStart:
      if openGracePeriod != nil { complain("two grace periods at a time", index) }
      openGracePeriod = index
    case .gracePeriodEnd:
      guard let start = openGracePeriod else { return complain("end without start", index) }
      gracePeriods.append((start, index))
      openGracePeriod = nil
    default: break
    }
  }

  private mutating func takeTable(_ event: Event, _ index: Int) {
    let pfn = event.object
    switch event.kind {
    case .tableAlloc:
      if tables[pfn] != nil { complain("alloc of a live table", index) }
      tables[pfn] = TableLife(level: event.level)
    case .tableConstruct:
      tables[pfn]?.constructed += 1
      if tables[pfn]?.constructed != 1 { complain("constructed twice", index) }
    case .tableInstall:
      tables[pfn]?.installed += 1
      tables[pfn]?.everInstalled = true
      tables[pfn]?.parent = Self.page(ofSlot: event.arg1)
      if tables[Self.page(ofSlot: event.arg1)] == nil { complain("installed nowhere", index) }
      if tables[pfn]?.installed != 1 { complain("installed twice", index) }
    case .tableUnlink:
      tables[pfn]?.installed -= 1
      if tables[pfn]?.installed != 0 { complain("unlinked, not installed", index) }
      // The one quadratic thing: nobody may still hang below it.
      if tables.contains(where: { $0.value.parent == pfn && $0.value.installed > 0 }) {
        complain("unlinked before a child", index)
      }
    case .tableQueueBatch, .tableQueuePage:
      if tables[pfn]?.installed != 0 { complain("queued while installed", index) }
      if tables[pfn]?.queued != false { complain("queued twice", index) }
      tables[pfn]?.queued = true
    case .tableFallback: fallbacks += 1
    case .tableDestruct:
      tables[pfn]?.constructed -= 1
      if tables[pfn]?.constructed != 0 { complain("destructed, not constructed", index) }
    case .tableFree:
      guard let life = tables.removeValue(forKey: pfn) else {
        return complain("double free", index)
      }
      if life.constructed != 0 { complain("freed before the destructor", index) }
      if life.installed != 0 { complain("freed while installed", index) }
      if !life.everInstalled, life.level != .pgd { neverInstalled += 1 }
      // The PGD goes with the mm, long before what its gather left to RCU.
      if life.level != .pgd, tables.contains(where: { $0.value.parent == pfn }) {
        parentFreedFirst += 1
      }
    default: break
    }
  }

  private static func page(ofSlot slot: UInt64) -> UInt64 {
    (slot - 0xffff_af80_0000_0000) >> 12 + 0x80000
  }

  private mutating func takeLock(_ event: Event, _ index: Int) {
    switch event.kind {
    case .lockAlloc:
      if locks.updateValue(event.arg0, forKey: event.object) != nil {
        complain("alloc of a live lock", index)
      }
    case .lockFree:
      if locks.removeValue(forKey: event.object) != event.arg0 {
        complain("free of a foreign lock", index)
      }
    case .lockAcquire: heldLocks["\(event.object)/\(event.task)", default: 0] += 1
    case .lockRelease:
      let key = "\(event.object)/\(event.task)"
      guard heldLocks[key] == 1 else { return complain("unlock without lock", index) }
      heldLocks[key] = nil
    default: break
    }
  }

  private mutating func takeCallback(_ event: Event, _ index: Int) {
    switch event.kind {
    case .batchNew: batches[event.object] = 0
    case .batchAdd:
      let place = batches[event.arg0]
      if place != Int(event.arg1) { complain("batch_add out of order", index) }
      if event.arg1 >= 509 { complain("batch of more than 509", index) }
      batches[event.arg0] = Int(event.arg1) + 1
    case .batchFree:
      if batches.removeValue(forKey: event.object) == nil { complain("no such batch", index) }
    case .callRCU:
      if callbacks[event.object] != nil { complain("call_rcu of a queued head", index) }
      if event.arg0 == UInt64(CallbackFunction.removeTableBatch.rawValue),
        batches[event.object] != Int(event.arg1)
      {
        complain("call_rcu with a wrong load", index)
      }
      callbacks[event.object] = CallbackLife(called: index, load: event.arg1)
    case .callbackStart:
      guard let life = callbacks[event.object] else { return complain("unknown head", index) }
      if !gracePeriods.contains(where: { $0.start > life.called && $0.end < index }) {
        complain("callback without a grace period", index)
      }
      if life.load != event.arg1 { complain("callback with another load", index) }
    case .callbackEnd:
      if callbacks.removeValue(forKey: event.object) == nil { complain("second end", index) }
    default: break
    }
  }
}
