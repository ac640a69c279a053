/// What a ``HistoryKeeper`` holds of TLB invalidations, by mm: those under way, the one over that
/// began last, and the last acknowledgement of each CPU.
///
/// They outlive the mm: its tables may be freed when its address has become that of another one.
struct FlushHistory {
  typealias Item = TraceHistory.Item

  /// One invalidation.
  fileprivate struct Flush {
    let start: Item
    var aim: Item?
    var end: Item?

    var items: [Item] { [start] + [aim, end].compactMap(\.self) }
  }

  /// The invalidations of one mm.
  fileprivate struct Space {
    var open: [Flush] = []
    var last: Flush?
    var acknowledged: [Item] = []
  }

  /// Invalidations of one mm that are under way: more means that their ends are not recorded.
  fileprivate static let openLimit = 8

  private var spaces: [UInt64: Space] = [:]

  /// Number of mms of which something is held.
  var count: Int { spaces.count }

  /// Everything that is held, in no order.
  var items: [Item] {
    spaces.values.flatMap { space in
      space.open.flatMap(\.items) + (space.last?.items ?? []) + space.acknowledged
    }
  }

  /// The invalidation of an mm that is over and began last.
  func last(of mm: UInt64) -> [Item] { spaces[mm]?.last?.items ?? [] }

  /// Takes a `tlb_flush_…` event.
  mutating func take(_ item: Item) {
    let event = item.event
    switch event.kind {
    case .flushStart: spaces[event.object, default: Space()].start(item)
    case .flushAck: spaces[event.object, default: Space()].acknowledge(item)
    case .flushCPUs: spaces[event.object]?.aim(item)
    case .flushEnd: spaces[event.object]?.end(item)
    default: break
    }
  }
}

extension FlushHistory.Space {
  mutating func start(_ item: TraceHistory.Item) {
    open.removeAll { $0.start.event.task == item.event.task }
    if open.count == FlushHistory.openLimit { open.removeFirst() }
    open.append(.init(start: item))
  }

  mutating func aim(_ item: TraceHistory.Item) {
    guard let place = open.firstIndex(where: { $0.start.event.task == item.event.task }) else {
      return
    }
    open[place].aim = item
  }

  mutating func acknowledge(_ item: TraceHistory.Item) {
    acknowledged.removeAll { $0.event.cpu == item.event.cpu }
    acknowledged.append(item)
  }

  mutating func end(_ item: TraceHistory.Item) {
    guard let place = open.firstIndex(where: { $0.start.event.task == item.event.task }) else {
      return
    }
    var flush = open.remove(at: place)
    flush.end = item
    guard flush.start.ordinal > last?.start.ordinal ?? 0 || last == nil else { return }
    last = flush
  }
}
