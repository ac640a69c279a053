public import TraceFormat

/// Where in its life a table is.
public enum Phase: Int, Sendable, CaseIterable {
  case allocated
  case constructed
  case installed
  case unlinked
  case deposited
  case queuedInBatch
  case waitingForGracePeriod
  case inPageGather
  case fallingBack
  case deferred
  case destructed
  case freed

  /// In words.
  public var name: String {
    switch self {
    case .allocated: "allocated"
    case .constructed: "constructed"
    case .installed: "installed"
    case .unlinked: "unlinked"
    case .deposited: "deposited"
    case .queuedInBatch: "queued, batch still open"
    case .waitingForGracePeriod: "waiting for its callback"
    case .inPageGather: "in the page gather"
    case .fallingBack: "on the no-memory fallback"
    case .deferred: "deferred, waiting for its own callback"
    case .destructed: "destructed, not queued"
    case .freed: "freed"
    }
  }
}

extension Resolver {
  /// The phase of a table's current life.
  public func phase(of table: TableLife) -> Phase {
    if table.isFreed { return .freed }
    switch table.path {
    case .batch:
      guard table.callback >= 0,
        callbacks[Int(table.callback)].serial == table.callbackSerial
      else { return .waitingForGracePeriod }
      return callbacks[Int(table.callback)].queuedAt == .none
        ? .queuedInBatch : .waitingForGracePeriod
    case .page: return .inPageGather
    case .fallback: return .fallingBack
    case .deferred: return .deferred
    case .none: break
    }
    if table.destructAt != .none { return .destructed }
    if table.installed { return .installed }
    if table.unlinkAt != .none { return .unlinked }
    if table.deposited { return .deposited }
    if table.isConstructed { return .constructed }
    return table.bornInTrace ? .allocated : .installed
  }

  /// The current life at a page, if the trace has mentioned it.
  public func table(pfn: UInt64) -> TableLife? {
    let slot = tableSlots.find(pfn)
    return slot < 0 ? nil : tables[Int(slot)]
  }

  /// Sections that are open, in the order in which they began.
  public var openSections: [OpenSection] {
    let open = openReaders.members.map { sections[Int($0)] }
    return open.sorted { $0.openedAt < $1.openedAt }.map { section in
      OpenSection(
        key: section.key, generation: section.generation, readerClass: section.readerClass,
        cpu: section.cpu, task: section.task, since: section.openedAt,
        loads: section.loads.map { ($0.pfn, $0.tableGeneration) })
    }
  }
}

/// A reader inside its section.
public struct OpenSection: Sendable {
  /// Section number.
  public let key: UInt64
  /// Which use of that number.
  public let generation: UInt32
  /// Class of the reader.
  public let readerClass: ReaderClass
  /// CPU it began on.
  public let cpu: UInt16
  /// Task.
  public let task: UInt32
  /// Where it began.
  public let since: Ordinal
  /// Tables it has loaded.
  public let loads: [(pfn: UInt64, generation: UInt32)]
}
