import TraceFormat

/// I24 to I29 and I37: what RCU promises about its callbacks, and the batches they tear down.
extension Oracle {
  static let callbacks: [Question] = [
    ("I24", { $0.callbackOnce() }), ("I25", { $0.callbackAfterGracePeriod() }),
    ("I26", { $0.callbacksInOrder() }), ("I27", { $0.headQueuedOnce() }),
    ("I28", { $0.batchCapacity() }), ("I29", { $0.batchTornDown() }),
    ("I37", { $0.rightContext() }),
  ]

  static let batchFunction = UInt64(CallbackFunction.removeTableBatch.rawValue)

  // MARK: - Heads and runs

  /// The last `call_rcu` of a head.
  func call(_ head: UInt64, before place: Int) -> Int? {
    last(before: place) { $0.kind == .callRCU && $0.object == head }
  }

  /// Where the callback of a `call_rcu` starts, up to the next one of that head.
  func starts(of call: Int, before place: Int) -> [Int] {
    let head = events[call].object
    let next = places(call + 1..<max(place, call + 1)) { $0.kind == .callRCU && $0.object == head }
    return places(call + 1..<(next.first ?? max(place, call + 1))) {
      $0.kind == .callbackStart && $0.object == head
    }
  }

  /// The `cb_start` of the callback in which the event at `place` happened: between start and end
  /// on one (cpu, task). A softirq's callbacks do not nest, so that another start on its CPU ends
  /// it, too; one in a kernel thread may be preempted by another's.
  func run(at place: Int) -> Int? {
    let cpu = events[place].cpu
    let task = events[place].task
    let start = last(before: place) {
      $0.kind == .callbackStart && $0.cpu == cpu && $0.task == task
    }
    guard let start else { return nil }
    let isThread = events[start].context == .kthread
    let isOver = exists(from: start + 1, before: place) {
      guard $0.cpu == cpu else { return false }
      switch $0.kind {
      case .callbackEnd: return $0.task == task
      case .callbackRunEnd: return $0.task == task || !isThread
      case .callbackStart: return !isThread
      default: return false
      }
    }
    return isOver ? nil : start
  }

  /// The `call_rcu` of a run. A second run is I24's, and nobody knows what it runs for.
  func call(ofRun run: Int) -> Int? {
    call(events[run].object, before: run).flatMap { starts(of: $0, before: run).isEmpty ? $0 : nil }
  }

  /// What a run runs: what its `call_rcu` said, or else it itself.
  func function(ofRun run: Int) -> UInt64 {
    call(ofRun: run).map { events[$0].arg0 } ?? events[run].arg0
  }

  // MARK: - Batches

  /// The queue events of the batch that a `call_rcu` closes, in order: what its task queued since
  /// its last batch or the begin or end of a gather, without what fell back.
  func members(of call: Int) -> [Int] { batch(of: events[call].task, before: call) }

  /// The same of a batch that is still open at `place`.
  func batch(of task: UInt32, before place: Int) -> [Int] {
    let edge = last(before: place) {
      guard $0.task == task else { return false }
      return $0.kind == .gatherStart || $0.kind == .gatherFinish
        || $0.kind == .callRCU && $0.arg0 == Self.batchFunction
    }
    return places((edge ?? -1) + 1..<max(place, (edge ?? -1) + 1)) {
      $0.kind == .tableQueueBatch && $0.task == task
    }.filter { queue in
      !exists(from: queue + 1, before: min(place, nextLife(events[queue].object, after: queue))) {
        $0.object == events[queue].object && $0.kind == .tableFallback
          || $0.kind == .callRCU && $0.arg0 != Self.batchFunction && $0.arg0 != 0
            && $0.arg1 == events[queue].object
      }
    }
  }

  /// The `call_rcu` that a table waits for.
  func call(of life: Life) -> Int? {
    places(max(life.born, 0)..<life.now) { $0.kind == .callRCU }.last { call in
      let event = events[call]
      switch event.arg0 {
      case Self.batchFunction:
        return members(of: call).contains { $0 > life.born && events[$0].object == life.pfn }
      case UInt64(CallbackFunction.freeDeferred.rawValue),
        UInt64(CallbackFunction.removeTableOne.rawValue):
        return event.arg1 == life.pfn
      default: return false
      }
    }
  }

  // MARK: - RCU's promises

  /// I24: every head runs exactly once, before rcu_barrier() returns.
  private func callbackOnce() -> [Breach] {
    var result: [Breach] = []
    for place in all(.callbackStart) {
      let head = events[place].object
      let call = call(head, before: place)
      let before = last(from: call ?? 0, before: place) {
        $0.kind == .callbackStart && $0.object == head
      }
      if let before {
        result.append(Breach(at: place, since: before))
      } else if let call, barrierPassed(after: call, before: place) {
        result.append(Breach(at: place, since: call))
      }
    }
    result += headQueuedOnce()
    if let quiesce = all(.quiesce).last {
      for call in all(.callRCU) where call < quiesce {
        let isLast = self.call(events[call].object, before: events.count) == call
        guard isLast, starts(of: call, before: events.count).isEmpty else { continue }
        result.append(Breach(at: quiesce, since: call))
      }
    }
    return result
  }

  /// An rcu_barrier() began and returned in between, or the trace says so (`quiesce`).
  private func barrierPassed(after call: Int, before place: Int) -> Bool {
    all(.quiesce, .barrierEnd).contains { end in
      guard end > call, end < place else { return false }
      if events[end].kind == .quiesce { return true }
      let start = last(before: end) {
        [.barrierStart, .barrierEnd].contains($0.kind) && $0.task == events[end].task
      }
      return start.map { $0 > call && events[$0].kind == .barrierStart } ?? false
    }
  }

  /// I25: not before a full grace period.
  private func callbackAfterGracePeriod() -> [Breach] {
    all(.callbackStart).compactMap { place in
      guard let call = call(events[place].object, before: place),
        starts(of: call, before: place).isEmpty,
        !gracePeriodPassed(since: call, before: place)
      else { return nil }
      return Breach(at: place, since: call)
    }
  }

  /// I26: in the order of one CPU's calls, unless they were moved.
  private func callbacksInOrder() -> [Breach] {
    all(.callbackStart).compactMap { place in
      guard let call = call(events[place].object, before: place),
        starts(of: call, before: place).isEmpty, !isMoved(call, before: place)
      else { return nil }
      let overtook = all(.callRCU).contains { other in
        guard other > call, events[other].cpu == events[call].cpu,
          let start = starts(of: other, before: place).first
        else { return false }
        return !isMoved(other, before: start)
      }
      return overtook ? Breach(at: place, since: call) : nil
    }
  }

  private func isMoved(_ call: Int, before start: Int) -> Bool {
    exists(from: call, before: start) {
      $0.kind == .callbacksSpliced && $0.arg0 == UInt64(events[call].cpu)
    }
  }

  /// I27: not given to call_rcu again before it started.
  private func headQueuedOnce() -> [Breach] {
    all(.callRCU).compactMap { place in
      guard let before = call(events[place].object, before: place),
        starts(of: before, before: place).isEmpty
      else { return nil }
      return Breach(at: place, since: before)
    }
  }

  // MARK: - Batches

  /// I28: at most MAX_TABLE_BATCH, and a full batch is flushed before its task goes on.
  private func batchCapacity() -> [Breach] {
    let capacity = machine.batchCapacity ?? .max
    var result = all(.callRCU).filter {
      events[$0].arg0 == Self.batchFunction && events[$0].arg1 > capacity
    }.map { Breach(at: $0, since: $0) }
    for place in all(.batchAdd) where events[place].arg1 &+ 1 >= capacity {
      if events[place].arg1 >= capacity {
        result.append(Breach(at: place, since: place))
        continue
      }
      let next = places(place + 1..<events.count) {
        if [.callRCU, .batchNew].contains($0.kind) { return $0.object == events[place].arg0 }
        return $0.task == events[place].task && [.task, .unknown].contains($0.context)
          && [.tableUnlink, .tableQueueBatch, .gatherFinish].contains($0.kind)
      }.first
      guard let next, ![.callRCU, .batchNew].contains(events[next].kind) else { continue }
      result.append(Breach(at: next, since: place))
    }
    return result
  }

  /// I29: exactly the tables of the batch, in order, then its page, once.
  private func batchTornDown() -> [Breach] {
    freesInBatches() + leftBehind() + pagesFreed()
  }

  /// Since when a batch is open: its first queueing.
  private func opened(_ call: Int) -> Int { members(of: call).first ?? call }

  private func freesInBatches() -> [Breach] {
    all(.tableFree).compactMap { place in
      let life = life(at: place)
      guard path(life) == .tableQueueBatch, !isFreed(life), let own = call(of: life),
        let run = run(at: place), function(ofRun: run) == Self.batchFunction,
        let running = call(ofRun: run)
      else { return nil }
      let since = min(opened(own), opened(running))
      if own != running {
        // Somebody else's reference, dropped after its own callback (E15).
        if !starts(of: own, before: place).isEmpty { return nil }
        return Breach(at: place, since: since)
      }
      // Its head may be in use again by then.
      let next = places(running + 1..<place) {
        [.callRCU, .batchNew].contains($0.kind) && $0.object == events[run].object
      }.first
      let pageFreed = exists(from: running, before: next ?? place) {
        $0.kind == .batchFree && $0.object == events[run].object
      }
      if pageFreed { return Breach(at: place, since: run) }
      let members = members(of: own)
      let mine = members.last { events[$0].object == life.pfn }!
      let isLate = members.contains {
        $0 > mine && isTorn($0, of: own, before: place) && !hasLeft($0, own, before: place)
      }
      return isLate ? Breach(at: place, since: since) : nil
    }
  }

  /// The teardown of the member that was queued at `queue` began inside its callback.
  private func isTorn(_ queue: Int, of call: Int, before place: Int) -> Bool {
    let pfn = events[queue].object
    return (queue + 1..<max(place, queue + 1)).contains { step in
      [.tableDestruct, .tablePut, .tableFree].contains(events[step].kind)
        && events[step].object == pfn && life(pfn, at: step).born < queue
        && run(at: step).flatMap { self.call(ofRun: $0) } == call
    }
  }

  /// Callbacks that ended and left tables of their batch behind.
  private func leftBehind() -> [Breach] {
    all(.callbackEnd).compactMap { end in
      guard let start = run(at: end), let call = call(ofRun: start),
        call < start, events[call].arg0 == Self.batchFunction,
        starts(of: call, before: end) == [start]
      else { return nil }
      let members = members(of: call)
      guard UInt64(members.count) == events[call].arg1, !members.isEmpty else { return nil }
      // A table that left the batch when RCU had it already: whose it is, nobody knows.
      if members.contains(where: { hasLeft($0, call, before: end) }) { return nil }
      let left = members.filter { queue in
        guard !isTorn(queue, of: call, before: end) else { return false }
        // Freed later by whoever held it (E15).
        return !exists(from: start, before: nextLife(events[queue].object, after: queue)) {
          $0.kind == .tableFree && $0.object == events[queue].object
        }
      }
      guard !left.isEmpty else { return nil }
      let owed = members.allSatisfy { owesDestructor(life(events[$0].object, at: $0)) }
      if owed || !all(.tablePut).isEmpty { return Breach(at: end, since: members[0]) }
      guard let quiesce = all(.quiesce).last, quiesce > end else { return nil }
      return Breach(at: quiesce, since: members[0])
    }
  }

  /// The table queued at `queue` fell back, or was given a callback of its own, when RCU had its
  /// batch already.
  private func hasLeft(_ queue: Int, _ call: Int, before place: Int) -> Bool {
    exists(from: call, before: min(place, nextLife(events[queue].object, after: queue))) {
      $0.kind == .tableFallback && $0.object == events[queue].object
        || $0.kind == .callRCU && $0.arg0 > Self.batchFunction
          && $0.arg1 == events[queue].object
    }
  }

  private func nextLife(_ pfn: UInt64, after place: Int) -> Int {
    places(place..<events.count) { $0.kind == .tableAlloc && $0.object == pfn }.first
      ?? events.count
  }

  /// The batch page, freed twice.
  private func pagesFreed() -> [Breach] {
    all(.batchFree).compactMap { place in
      let head = events[place].object
      let before = places(0..<place) {
        [.batchFree, .batchNew, .callRCU, .callbackStart].contains($0.kind) && $0.object == head
      }.last {
        // A callback that runs again is I24's, and one of unknown origin.
        events[$0].kind != .callbackStart || call(ofRun: $0) == nil
      }
      guard let before, events[before].kind == .batchFree else { return nil }
      // A head that nobody was seen to use is nobody's batch.
      let isUsed = exists(from: 0, before: before) {
        [.callRCU, .callbackStart].contains($0.kind) && $0.object == head
      }
      guard isUsed else { return nil }
      return Breach(at: place, since: before)
    }
  }

  // MARK: - Contexts

  /// I37: callbacks in softirq or thread; nobody waits where waiting is forbidden.
  private func rightContext() -> [Breach] {
    all(.callbackStart, .ipiSyncStart, .synchronizeStart).compactMap { place in
      let event = events[place]
      let here = Breach(at: place, since: place)
      let sections = openSections(of: event.task, before: place)
      // Of two at once the one with interrupts off says more.
      let blind = sections.last {
        events[$0].arg0 == UInt64(ReaderClass.gupFast.rawValue)
      }
      switch event.kind {
      case .callbackStart:
        return [.task, .hardirq].contains(event.context) ? here : nil
      case .ipiSyncStart:
        if [.hardirq, .softirq].contains(event.context) { return here }
        return blind.map { Breach(at: place, since: $0) }
      default:
        if [.hardirq, .softirq].contains(event.context) { return here }
        if let run = run(at: place) { return Breach(at: place, since: run) }
        if let section = blind ?? sections.last { return Breach(at: place, since: section) }
        return heldLock(of: event.task, before: place).map { Breach(at: place, since: $0) }
      }
    }
  }
}
