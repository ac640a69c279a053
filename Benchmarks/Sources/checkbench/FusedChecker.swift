import TraceFormat

/// The practical limit: nine checks fused by hand into one switch over one table, as the peers'
/// `ptcheck.c` has them, over the same batches of events the judge gets. No lives, no evidence, no
/// losses, no exemptions: it counts.
struct FusedChecker {
  /// `pfn << 12 | state bits`, place of the unlink, batch: 16 bytes a page.
  private struct Entry {
    var key: UInt64 = 0
    var unlinkedAt: UInt32 = 0
    var batch: UInt32 = 0
  }

  private static let constructed: UInt64 = 2
  private static let unlinked: UInt64 = 4
  private static let queued: UInt64 = 8
  private static let destructed: UInt64 = 16
  private static let freed: UInt64 = 32
  private static let synced: UInt64 = 64

  private var table: [Entry]
  private var mask: Int
  private var pages = 0
  private var ended: [Bool] = Array(repeating: false, count: 4096)
  private var enteredAt = [UInt32](repeating: 0, count: 65_536)
  private var gracePeriodStart: UInt32 = 0
  private var lastGracePeriod: UInt32 = 0
  private var place: UInt32 = 0
  private(set) var counts = NineCounts()

  init() {
    mask = (1 << 16) - 1
    table = Array(repeating: Entry(), count: mask + 1)
  }

  private static func hash(_ pfn: UInt64) -> Int {
    let mixed = pfn &* 0x9E37_79B9_7F4A_7C15
    return Int(truncatingIfNeeded: (mixed ^ (mixed >> 29)) & 0x7FFF_FFFF)
  }

  /// Place of the entry of a page, or of the free one where it would be.
  private func find(_ pfn: UInt64) -> Int {
    var place = Self.hash(pfn) & mask
    while table[place].key != 0, table[place].key >> 12 != pfn { place = (place + 1) & mask }
    return place
  }

  private mutating func grow() {
    let old = table
    mask = mask * 2 + 1
    table = Array(repeating: Entry(), count: mask + 1)
    for entry in old where entry.key != 0 { table[find(entry.key >> 12)] = entry }
  }

  private func hasEnded(_ batch: UInt32) -> Bool {
    Int(batch) < ended.count && ended[Int(batch)]
  }

  mutating func take(_ batch: EventBatch) {
    let events = batch.events.span
    for index in events.indices { take(events[index]) }
  }

  private mutating func take(_ event: Event) {
    place &+= 1
    switch event.kind {
    case .gracePeriodStart: gracePeriodStart = place
    case .gracePeriodEnd: lastGracePeriod = gracePeriodStart
    case .readerEnter: enteredAt[Int(event.cpu)] = place
    case .callbackEnd:
      let number = Int(truncatingIfNeeded: event.object & 0xFFF_FFFF)
      while number >= ended.count { ended += Array(repeating: false, count: ended.count) }
      ended[number] = true
    case .tableAlloc:
      var at = find(event.object)
      if table[at].key == 0 {
        pages += 1
        if pages * 2 > mask {
          grow()
          at = find(event.object)
        }
      } else if table[at].key & Self.freed == 0 {
        counts.allocOfLive += 1
        if table[at].key & Self.queued != 0, hasEnded(table[at].batch) { counts.leak += 1 }
      }
      table[at] = Entry(key: event.object << 12 | 1)
    case .tableConstruct: mark(event.object, Self.constructed)
    case .tableUnlink:
      let at = find(event.object)
      guard table[at].key != 0 else { return }
      table[at].key |= Self.unlinked
      table[at].unlinkedAt = place
    case .tableQueueBatch:
      let at = find(event.object)
      guard table[at].key != 0 else { return }
      table[at].key |= Self.queued
      table[at].batch = UInt32(truncatingIfNeeded: event.arg0)
    case .ipiSyncEnd: mark(event.object, Self.synced)
    case .tableDestruct:
      let at = find(event.object)
      guard table[at].key != 0 else { return }
      if isEarly(table[at]) { counts.dtorBeforeGP += 1 }
      table[at].key |= Self.destructed
    case .tableFree:
      let at = find(event.object)
      let state = table[at].key
      guard state != 0 else { return }
      if state & Self.freed != 0 {
        counts.doubleFree += 1
        return
      }
      if isEarly(table[at]) { counts.freeBeforeGP += 1 }
      if state & Self.destructed == 0 { counts.freeWithoutDtor += 1 }
      table[at].key |= Self.freed
    case .readerAccess:
      let entry = table[find(event.object)]
      if entry.key & Self.freed != 0 {
        counts.useAfterFree += 1
      } else if event.arg0 != 0, entry.key & Self.unlinked != 0,
        enteredAt[Int(event.cpu)] > entry.unlinkedAt
      {
        counts.staleAccess += 1
      }
    case .lockAcquire, .lockRelease:
      if table[find(event.arg1)].key & (Self.freed | Self.destructed) != 0 {
        counts.lockAfterDtor += 1
      }
    default: break
    }
  }

  private mutating func mark(_ pfn: UInt64, _ bit: UInt64) {
    let at = find(pfn)
    if table[at].key != 0 { table[at].key |= bit }
  }

  /// Unlinked, and no grace period has begun and ended since.
  private func isEarly(_ entry: Entry) -> Bool {
    entry.key & Self.unlinked != 0 && entry.key & Self.synced == 0
      && lastGracePeriod <= entry.unlinkedAt
  }

  mutating func finish() {
    for entry in table
    where entry.key != 0 && entry.key & Self.freed == 0 && entry.key & Self.queued != 0
      && hasEnded(entry.batch)
    { counts.leak += 1 }
  }
}

/// The peers' nine counts, by their names.
struct NineCounts: Equatable {
  var dtorBeforeGP = 0
  var freeBeforeGP = 0
  var doubleFree = 0
  var useAfterFree = 0
  var leak = 0
  var freeWithoutDtor = 0
  var allocOfLive = 0
  var staleAccess = 0
  var lockAfterDtor = 0

  /// As `ptcheck` prints them.
  var text: String {
    "dtor_before_gp=\(dtorBeforeGP) free_before_gp=\(freeBeforeGP) double_free=\(doubleFree) "
      + "use_after_free=\(useAfterFree) leak=\(leak) free_without_dtor=\(freeWithoutDtor) "
      + "alloc_of_live=\(allocOfLive) stale_access=\(staleAccess) ptl_after_dtor=\(lockAfterDtor)"
  }
}
