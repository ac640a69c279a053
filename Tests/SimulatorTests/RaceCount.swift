import TraceFormat

/// Counts readers that touch what is dead, straight from the events (kernel-facts §6).
struct RaceCount {
  /// I18: content of a freed table.
  var content = 0
  /// I20: lock or unlock of a freed lock.
  var deadLock = 0
  /// I21: lock freed while held or waited for.
  var heldAtFree = 0
  /// I22a, I22b: page or lock handed out again under an open section.
  var pageReallocated = 0
  var lockReallocated = 0
  /// Classes of the sections that did any of this.
  var classes: Set<UInt64> = []

  var all: [Int] { [content, deadLock, heldAtFree, pageReallocated, lockReallocated] }

  private struct Loaded {
    let pfn: UInt64
    let tableLife: Int
    let lock: UInt64?
    let lockLife: Int
  }

  private struct Section {
    let readerClass: UInt64
    var loaded: [Loaded] = []
  }

  private var tableLife: [UInt64: Int] = [:]
  private var liveTables: Set<UInt64> = []
  private var lockLife: [UInt64: Int] = [:]
  private var lockOfTable: [UInt64: UInt64] = [:]
  private var ownerOfLock: [UInt64: UInt64] = [:]
  private var users: [UInt64: Set<UInt64>] = [:]
  private var sections: [UInt64: Section] = [:]

  init(_ events: [Event]) { for event in events { take(event) } }

  private mutating func take(_ event: Event) {
    switch event.kind {
    case .readerEnter: sections[event.object] = Section(readerClass: event.arg0)
    case .readerExit: sections[event.object] = nil
    case .readerLoad:
      let lock = lockOfTable[event.object]
      sections[event.arg0]?.loaded.append(
        Loaded(
          pfn: event.object, tableLife: tableLife[event.object] ?? 0, lock: lock,
          lockLife: lock.flatMap { lockLife[$0] } ?? 0))
    case .readerAccess: takeAccess(event)
    case .tableAlloc:
      noteReallocation(event.object)
      tableLife[event.object, default: 0] += 1
      liveTables.insert(event.object)
    case .pageReuse: noteReallocation(event.object)
    case .tableFree:
      liveTables.remove(event.object)
      lockOfTable[event.object] = nil
    case .lockAlloc, .lockFree, .lockWait, .lockAcquire, .lockRelease: takeLock(event)
    default: break
    }
  }

  private mutating func takeAccess(_ event: Event) {
    guard let section = sections[event.arg0],
      let loaded = section.loaded.last(where: { $0.pfn == event.object })
    else { preconditionFailure("access without load") }
    if tableLife[event.object] != loaded.tableLife || !liveTables.contains(event.object) {
      content += 1
      classes.insert(section.readerClass)
    }
  }

  private mutating func noteReallocation(_ pfn: UInt64) {
    for section in sections.values where section.loaded.contains(where: { $0.pfn == pfn }) {
      pageReallocated += 1
      classes.insert(section.readerClass)
    }
  }

  private mutating func takeLock(_ event: Event) {
    let lock = event.object
    switch event.kind {
    case .lockAlloc:
      for section in sections.values where section.loaded.contains(where: { $0.lock == lock }) {
        lockReallocated += 1
        classes.insert(section.readerClass)
      }
      lockLife[lock, default: 0] += 1
      lockOfTable[event.arg0] = lock
      ownerOfLock[lock] = event.arg0
    case .lockFree:
      if users[lock]?.isEmpty == false { heldAtFree += 1 }
      ownerOfLock[lock] = nil
    default:
      let section = sections[event.arg0]
      let loaded = section?.loaded.last { $0.pfn == event.arg1 }
      if ownerOfLock[lock] != event.arg1 || loaded.map({ $0.lockLife != lockLife[lock] }) ?? false {
        deadLock += 1
        if let section { classes.insert(section.readerClass) }
      }
      let user = UInt64(event.task)
      if event.kind == .lockRelease {
        users[lock]?.remove(user)
      } else {
        users[lock, default: []].insert(user)
      }
    }
  }
}
