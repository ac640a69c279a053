import TraceFormat

/// Looks at the state before each event of a trace, and says what ordering it is.
struct CoverageObserver {
  private var state: Resolver
  private var single = EventBatch()
  private var resolved = ResolvedBatch()

  init(machine: MachineFacts?) {
    state = Resolver(machine: machine)
    single.events = [Event(.quiesce, time: 0)]
  }

  mutating func take(_ batch: EventBatch, into coverage: inout Coverage) {
    for (index, event) in batch.events.enumerated() {
      single.events[0] = event
      single.firstOrdinal = batch.firstOrdinal + UInt64(index)
      // An event that was concluded shows no order.
      if !event.flags.contains(.inferred) { look(at: event, &coverage) }
      state.resolve(single, into: &resolved)
    }
  }

  private func look(at event: Event, _ coverage: inout Coverage) {
    switch event.kind {
    case .tableUnlink: one(event.object, event, .unlink, &coverage)
    case .tableQueueBatch: one(event.object, event, .queueBatch, &coverage)
    case .tableQueuePage: one(event.object, event, .queuePage, &coverage)
    case .tableDefer: one(event.object, event, .deferred, &coverage)
    case .tableFallback: one(event.object, event, .fallback, &coverage)
    case .tableDestruct: late(event, .earlyDestructor, .destructor, &coverage)
    case .tableFree: late(event, .earlyFree, .free, &coverage)
    case .lockFree: lock(event, &coverage)
    case .tableAlloc, .pageReuse:
      guard let table = table(event.object), state.tables[table].isFreed else { return }
      coverage.count(.pageAgain, holders(of: table, event), at: ordinal)
    case .lockAlloc: lockAgain(event, &coverage)
    case .flushStart: held(event, .flushStart, &coverage) { $0.mm == event.object }
    case .flushEnd: held(event, .flushEnd, &coverage) { $0.mm == event.object }
    case .ipiSyncStart: held(event, .syncStart, &coverage) { $0.path == .fallback }
    case .ipiSyncEnd: held(event, .syncEnd, &coverage) { $0.path == .fallback }
    case .gracePeriodStart: held(event, .gracePeriodStart, &coverage) { _ in true }
    case .gracePeriodEnd: ended(event, &coverage)
    case .callRCU: called(event, &coverage)
    case .callbackStart: started(event, &coverage)
    default: reader(event, &coverage)
    }
  }

  private var ordinal: Ordinal { Ordinal(single.firstOrdinal) }

  private func table(_ pfn: UInt64) -> Int? {
    let slot = state.tableSlots.find(pfn)
    return slot < 0 ? nil : Int(slot)
  }

  // MARK: - Steps of one table

  private func one(
    _ pfn: UInt64, _ event: Event, _ step: TeardownStep, _ coverage: inout Coverage
  ) {
    guard let table = table(pfn) else { return }
    coverage.count(step, holders(of: table, event), at: ordinal)
  }

  /// Only tables on their way out owe a grace period.
  private func late(
    _ event: Event, _ early: TeardownStep, _ late: TeardownStep, _ coverage: inout Coverage
  ) {
    guard let table = table(event.object), isLeaving(state.tables[table]),
      !state.tables[table].isFreed
    else { return }
    coverage.count(
      hasWaited(state.tables[table]) ? late : early, holders(of: table, event), at: ordinal)
  }

  private func lock(_ event: Event, _ coverage: inout Coverage) {
    let slot = state.lockSlots.find(event.object, in: state.locks)
    let owner = slot < 0 ? nil : table(state.locks[Int(slot)].pfn)
    guard let table = event.arg0 != 0 ? table(event.arg0) : owner,
      isLeaving(state.tables[table])
    else { return }
    let hasWaited = hasWaited(state.tables[table])
    coverage.count(hasWaited ? .lockFree : .earlyLockFree, holders(of: table, event), at: ordinal)
  }

  private func lockAgain(_ event: Event, _ coverage: inout Coverage) {
    let slot = state.lockSlots.find(event.object, in: state.locks)
    guard slot >= 0, state.locks[Int(slot)].freed else { return }
    let lock = state.locks[Int(slot)]
    coverage.count(.lockAgain, lock.openLoads > 0 ? [.mayLock] : [.nobody], at: ordinal)
  }

  // MARK: - Steps that concern many tables

  /// A step for every table that waits for it: those that readers hold are found through the
  /// readers, of which there are never many; all others count as one that nobody holds.
  private func held(
    _ event: Event, _ step: TeardownStep, _ coverage: inout Coverage,
    _ concerns: (TableLife) -> Bool
  ) {
    var seen: Set<Int32> = []
    for section in state.openReaders.members.prefix(Resolver.searchLimit) {
      for load in state.sections[Int(section)].loads {
        let life = state.tables[Int(load.table)]
        guard life.generation == load.tableGeneration, isLeaving(life), !life.isFreed,
          concerns(life), seen.insert(load.table).inserted
        else { continue }
        coverage.count(step, holders(of: Int(load.table), event), at: ordinal)
      }
    }
    guard seen.isEmpty else { return }
    let isLate = state.openReaders.members.contains {
      state.sections[Int($0)].task != event.task
    }
    coverage.count(step, isLate ? [.lateSection] : [.nobody], at: ordinal)
  }

  private func ended(_ event: Event, _ coverage: inout Coverage) {
    let start = state.gracePeriods.currentStart
    guard start != .none else { return }
    held(event, .gracePeriodEnd, &coverage) {
      $0.unreachableSince != .none && $0.unreachableSince < start
    }
  }

  private func called(_ event: Event, _ coverage: inout Coverage) {
    let function = event.callbackFunction
    switch function {
    case .other: return
    case .removeTableBatch:
      guard let batch = state.openBatches[event.task] else { return }
      held(event, .callRCU, &coverage) { $0.callback == batch }
    case .freeDeferred, .removeTableOne: one(event.arg1, event, .callRCU, &coverage)
    }
  }

  private func started(_ event: Event, _ coverage: inout Coverage) {
    let slot = state.callbackSlots.find(event.object)
    guard slot >= 0, state.callbacks[Int(slot)].function != .other else { return }
    let serial = state.callbacks[Int(slot)].serial
    held(event, .callbackStart, &coverage) { $0.callback == slot && $0.callbackSerial == serial }
  }

  // MARK: - Readers

  private func reader(_ event: Event, _ coverage: inout Coverage) {
    let step: ReaderStep
    var pfn = event.object
    switch event.kind {
    case .readerLoad: step = .load
    case .readerAccess: step = event.arg1 == 0 ? .access : .write
    case .readerRecheck: step = event.arg1 == 0 ? .changed : .same
    case .readerPin: step = .pin
    case .hardwareLoad: step = .hardwareLoad
    case .hardwareAccess: step = .hardwareAccess
    case .lockWait, .lockAcquire, .lockRelease:
      // Of the locks that are taken for other reasons nobody says which table they are for.
      guard event.arg0 != 0 else { return }
      pfn = event.arg1
      step = event.kind == .lockWait ? .wait : event.kind == .lockAcquire ? .lock : .unlock
    default: return
    }
    guard let table = table(pfn) else { return }
    coverage.count(step, self.state(of: state.tables[table]), at: ordinal)
  }

  // MARK: - What is known of a table

  private func isLeaving(_ life: TableLife) -> Bool {
    life.path != .none || life.unlinkAt != .none
  }

  private func hasWaited(_ life: TableLife) -> Bool {
    let since = life.unreachableSince
    return since != .none && state.gracePeriods.lastCompletedStart > since
  }

  private func state(of life: TableLife) -> TableState {
    if life.isFreed { return .freed }
    if isLeaving(life), life.destructAt != .none || life.lockFreeAt != .none { return .destructed }
    guard isLeaving(life) else { return life.installed ? .live : .fresh }
    guard life.path != .none else { return .unlinked }
    if hasWaited(life) { return .waited }
    if life.callback >= 0, state.callbacks[Int(life.callback)].serial == life.callbackSerial {
      let queuedAt = state.callbacks[Int(life.callback)].queuedAt
      if queuedAt != .none {
        return state.gracePeriods.currentStart > queuedAt ? .inGracePeriod : .given
      }
    }
    let flush = state.flushing.view(mm: life.mm, since: life.unreachableSince)
    return flush.isComplete ? .flushed : .queued
  }

  /// Who holds a table besides the task of the event itself: a task that reclaims a table is a
  /// reader of it, too.
  private func holders(of table: Int, _ event: Event) -> Set<TableHolder> {
    let life = state.tables[table]
    var holders: Set<TableHolder> = []
    var isLate = false
    for section in state.openReaders.members.prefix(Resolver.searchLimit) {
      let reader = state.sections[Int(section)]
      guard reader.task != event.task else { continue }
      let loads = reader.loads.filter {
        Int($0.table) == table && $0.tableGeneration == life.generation
      }
      for load in loads { holders.insert(hold(of: reader, load)) }
      if loads.isEmpty, isLeaving(life), reader.openedAt > life.unreachableSince { isLate = true }
    }
    if isLate { holders.insert(.lateSection) }
    return holders.isEmpty ? [.nobody] : holders
  }

  private func hold(of reader: SectionLife, _ load: SectionLife.Load) -> TableHolder {
    switch reader.readerClass {
    case .gupFast: return .interruptsOff
    case .map: return .content
    default: break
    }
    guard load.lock >= 0, state.locks[Int(load.lock)].generation == load.lockGeneration else {
      return .mayLock
    }
    let lock = state.locks[Int(load.lock)]
    if lock.heldSince != .none, lock.holder == reader.task { return .holdsLock }
    if let waiting = state.waiting[reader.task], waiting.lock == load.lock { return .spins }
    return .mayLock
  }
}
