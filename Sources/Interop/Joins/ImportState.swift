import TraceFormat

/// The joins, and second pass of an import: turns recorded events, in order, into events.
///
/// Every handler does one thing to a few small tables: pages by pfn, tasks by pid, CPUs, locks by
/// address, heads by address. What is concluded and not seen is written with `inferred`.
struct ImportState {
  /// Those of a live trace grow.
  var facts: Facts
  let sink: any EventSink
  var events: UInt64 = 0
  var inferred: UInt64 = 0
  var badValues = 0
  /// Locks that were freed though nobody saw them allocated, of tables whose start was seen.
  var locksWithoutAlloc: UInt64 = 0

  var pages = NumberTable<PageRecord>()
  /// Locks by address.
  var locks = NumberTable<LockRecord>()
  /// Locks whose constructor has yet to say whose they are: address → index of the task.
  var pendingLocks = NumberTable<Int>()
  var heads = NumberTable<HeadRecord>()
  var tasks: [TaskRecord] = []
  var taskIndex = NumberTable<Int>()
  /// Number of new names of tasks.
  var renames = 0
  var cpus: [CPURecord] = []
  var syncs = 0
  var runningGP: UInt64?
  var endedGP: UInt64?
  var epoch = 0
  /// A line was met, since the last event, that could not be read.
  var hasUnread = false
  private var nextHole = 0
  /// Pieces of the source met so far.
  var number = 0
  var notes = ImportNotes()
  let probes = NameTable.shared.probes
  let joinedFields = Probe.joinedByName

  /// The event at hand.
  var event = RecordedEvent()
  var task = 0
  var cpu = 0
  var context = ExecutionContext.unknown
  /// The event belongs to the task itself, not to an interrupt on top of it.
  var isTaskWork = true

  init(facts: Facts, sink: any EventSink) {
    self.facts = facts
    self.sink = sink
  }

  /// Writes an event of the line at hand.
  mutating func emit(
    _ kind: EventKind, _ object: UInt64 = 0, _ arg0: UInt64 = 0, _ arg1: UInt64 = 0,
    level: TableLevel = .unknown, flags: EventFlags = []
  ) throws {
    try write(
      Event(
        kind, time: event.time, cpu: event.cpu, task: event.pid, context: context, object: object,
        arg0: arg0, arg1: arg1, level: level, flags: flags))
  }

  /// Writes an event that is complete.
  mutating func write(_ written: Event) throws {
    events += 1
    if written.flags.contains(.inferred) { inferred += 1 }
    try sink.append(written)
  }

  /// A line between the events could not be read: whatever it was about is missing.
  mutating func bridgeUnread() throws {
    hasUnread = false
    try write(
      Event(
        .loss, time: event.time, cpu: Event.allCPUs, context: .unknown,
        object: UInt64(LossCause.unknown.rawValue), arg0: Event.unknownCount))
    try closeHole(of: Event.allCPUs, cause: .unknown)
  }

  /// Takes the event at hand, whose name stands for `probe`.
  mutating func take(_ probe: Probe, text: Span<UInt8>) throws {
    try enter()
    guard probe != .ignored, !facts.ignores(probe) else { return }
    guard !isOtherStatistic(probe) else { return }
    try settle(probe)
    switch probe {
    case .pageAlloc, .pageFree, .slabAlloc, .slabFree, .tableFree, .tablePut:
      try takePage(probe)
    case .construct, .destruct, .install, .lockAlloc, .lockFree, .deferFree:
      try takeTable(probe)
    case .pteAlloc, .pmdAlloc, .pudAlloc, .p4dAlloc: openBracket(probe)
    case .pteAllocReturn, .pmdAllocReturn, .pudAllocReturn, .p4dAllocReturn: try closeBracket()
    case .freePTE, .freePMD, .freePUD, .freeP4D, .queueTable, .queuePage, .tableOne,
      .allocFailure, .gather, .gatherFull, .gatherVMA, .gatherFinish, .freeRange,
      .freeRangeReturn:
      try takeGather(probe)
    case .flush, .flushReturn, .flushHere, .flushSend, .flushTracepoint, .sync, .syncReturn,
      .syncAck, .syncCall, .syncRCU, .syncRCUReturn:
      try takeFlush(probe)
    case .callRCU, .callRCUTracepoint, .batchCallback, .batchCallbackReturn, .freeNow,
      .freeNowReturn, .oneCallback, .oneCallbackReturn, .invokeCallback:
      try takeCallback(probe)
    case .gpInitReturn, .gpCleanup, .gpTracepoint, .quiescent, .runStart, .runEnd,
      .runStartTracepoint, .runEndTracepoint:
      try takeRCU(probe)
    case .gupFast, .gupFastReturn, .pteLock, .pteLockReturn, .pteMap: try takeReader(probe)
    case .pgdAlloc, .pgdFree, .exitMM: try takeMM(probe)
    case .marker: try takeMarker(text)
    case .ignored: break
    }
  }

  /// Writes what begins before the first event.
  mutating func begin() throws { try openHoles(after: 0) }

  /// Writes what is still open after the last event.
  mutating func finish() throws {
    for index in tasks.indices { try settleInstall(of: index, keep: true) }
    for cpu in cpus.indices where cpus[cpu].announced != nil { try announce(cpu) }
    try openHoles(after: Int.max)
  }

  /// Writes the beginnings of the holes that follow line `number`.
  mutating func openHoles(after number: Int) throws {
    while nextHole < facts.holes.count, facts.holes[nextHole].afterLine <= number {
      let hole = facts.holes[nextHole]
      nextHole += 1
      try write(
        Event(
          .loss, time: event.time, cpu: hole.cpu, context: .unknown,
          object: UInt64(hole.cause.rawValue), arg0: hole.count ?? Event.unknownCount))
    }
  }

  /// Writes a hole of `cpu` that began at `since` (0: at its start), where it was not known yet.
  mutating func writeLateLoss(
    of cpu: UInt16, since: UInt64, cause: LossCause, count: UInt64?, time: UInt64
  ) throws {
    try write(
      Event(
        .loss, time: time, cpu: cpu, context: .unknown, object: UInt64(cause.rawValue),
        arg0: count ?? Event.unknownCount, arg1: max(since, 1)))
  }

  /// Time of the last event of each CPU that has one.
  var lastTimes: [(cpu: UInt16, time: UInt64)] {
    cpus.indices.filter { cpus[$0].hasBegun }.map { (UInt16($0), cpus[$0].lastTime) }
  }

  /// Time of the last event of `cpu`, if it has one.
  func lastTime(of cpu: UInt16) -> UInt64? {
    Int(cpu) < cpus.count && cpus[Int(cpu)].hasBegun ? cpus[Int(cpu)].lastTime : nil
  }

  /// Time of the last event of all.
  var lastTime: UInt64 { cpus.map(\.lastTime).max() ?? 0 }

  /// A hole of `cpu` ends here: what was under way on it is forgotten.
  mutating func closeHole(of cpu: UInt16, cause: LossCause) throws {
    epoch += 1
    let isEverywhere = cpu == Event.allCPUs
    for index in tasks.indices where isEverywhere || tasks[index].lastCPU == Int(cpu) {
      try settleInstall(of: index, keep: true)
      try settleLock(of: index, for: 0)
      tasks[index].forget()
    }
    for index in cpus.indices where isEverywhere || index == Int(cpu) {
      if let callback = cpus[index].callback {
        try endCallback(index, callback, inferred: true)
      }
      cpus[index].announced = nil
      cpus[index].runTask = nil
      cpus[index].freedLock = 0
      cpus[index].freeingTable = nil
    }
    try write(
      Event(
        .lossEnd, time: event.time, cpu: cpu, context: .unknown, object: UInt64(cause.rawValue)))
  }
}
