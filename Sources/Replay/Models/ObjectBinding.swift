import TraceFormat

/// The kind of object a model describes: one instance of the model for each of them.
public enum ObjectBinding: String, Sendable, CaseIterable {
  /// A page table, by (pfn, generation).
  case table
  /// A ptlock that is an object of its own, by (address, generation).
  case lock
  /// A use of an rcu_head, by (address, generation).
  case callback
  /// A reader section, by (section, generation).
  case reader
  /// An address space, by (address, generation).
  case mm
}

extension ObjectBinding {
  /// Events that concern such an object.
  ///
  /// Besides those that name it, a table is concerned by what happens to its lock, to the batch or
  /// callback it waits for, by readers of it, by invalidations of its mm between its unlink and the
  /// first complete one, by the fallback it goes through, and by the first grace period that begins
  /// after it became unreachable. docs/MODELS.md has the whole list.
  public var events: KindSet {
    switch self {
    case .table: Self.ofTable
    case .lock: Self.ofTable
    case .callback:
      [
        .callRCU, .callbackStart, .callbackEnd, .batchFree, .gracePeriodStart, .gracePeriodEnd,
        .tableDestruct, .tablePut, .tableFree, .lockFree,
      ]
    case .reader:
      [
        .readerEnter, .readerExit, .readerLoad, .readerAccess, .lockWait, .lockAcquire,
        .lockRelease, .tableUnlink, .tableQueueBatch, .tableQueuePage, .tableFallback, .tableDefer,
        .tableDestruct, .tablePut, .tableFree, .tableAlloc, .pageReuse, .lockFree,
      ]
    case .mm:
      [
        .mmNew, .mmExit, .mmFree, .mmBytes, .flushStart, .flushEnd, .flushAck, .gatherStart,
        .gatherFinish, .batchFail, .readerEnter, .tableAlloc, .tableConstruct, .tableInstall,
        .tableUnlink, .tableQueueBatch, .tableQueuePage, .tableFallback, .tableDefer,
        .tableDestruct, .tablePut, .tableFree, .tableDeposit, .tableWithdraw, .intentMap,
        .intentUnmap, .intentFork, .intentExit, .intentAdvise, .intentWalk, .intentPin,
      ]
    }
  }

  /// Events about a table itself.
  static let tableKinds: KindSet = [
    .tableAlloc, .tableConstruct, .tableInstall, .tableUnlink, .tableQueueBatch, .tableQueuePage,
    .tableFallback, .tableDestruct, .tablePut, .tableFree, .tableDeposit, .tableWithdraw,
    .tableDefer, .pageReuse, .batchAdd, .readerLoad, .readerAccess,
  ]

  private static let ofTable = tableKinds.union([
    .lockAlloc, .lockFree, .lockWait, .lockAcquire, .lockRelease, .callRCU, .callbackStart,
    .callbackEnd, .batchFree, .gracePeriodStart, .gracePeriodEnd, .flushStart, .flushEnd,
    .ipiSyncStart, .ipiSyncEnd, .synchronizeStart, .synchronizeEnd,
  ])

  /// The event that starts a life of such an object.
  var birth: EventKind {
    switch self {
    case .table: .tableAlloc
    case .lock: .lockAlloc
    case .callback: .callRCU
    case .reader: .readerEnter
    case .mm: .mmNew
    }
  }

  /// The event after which nothing happens to such an object any more.
  var death: EventKind {
    switch self {
    case .table: .tableFree
    case .lock: .lockFree
    case .callback: .callbackEnd
    case .reader: .readerExit
    case .mm: .mmFree
    }
  }

  /// Events that name such an object.
  private var own: KindSet {
    switch self {
    case .table: Self.tableKinds
    case .lock: [.lockAlloc, .lockFree, .lockWait, .lockAcquire, .lockRelease]
    case .callback: [.callRCU, .callbackStart, .callbackEnd, .batchFree]
    case .reader: [.readerEnter, .readerExit]
    case .mm: [.mmNew, .mmExit, .mmFree, .mmBytes]
    }
  }

  /// The binding that fits a model which says nothing: the object whose birth it names, else the
  /// one it names an own event of; the first in the order of the cases that can see every event.
  static func inferred(from events: [KindSet]) -> ObjectBinding? {
    let fitting = allCases.filter { binding in
      events.allSatisfy { !$0.isDisjoint(from: binding.events) }
    }
    return fitting.first { binding in events.contains { $0.contains(binding.birth) } }
      ?? fitting.first { binding in events.contains { !$0.isDisjoint(from: binding.own) } }
      ?? fitting.first
  }
}

extension KindSet {
  /// Whether no kind is in both.
  func isDisjoint(from other: KindSet) -> Bool { kinds.allSatisfy { !other.contains($0) } }
}
