import TraceFormat

/// I10 to I17 and I38: what has to be waited for before a table may be torn down and freed.
extension Oracle {
  static let waiting: [Question] = [
    ("I10", { $0.invalidatedBeforeFree() }), ("I11", { $0.invalidatedBeforeRCU() }),
    ("I12", { $0.freedInCallback() }), ("I13", { $0.destructedAfterGracePeriod() }),
    ("I14", { $0.tornDownTogether() }), ("I15", { $0.acknowledged() }),
    ("I16", { $0.fallbackWaits() }), ("I17", { $0.fallbackIsGracePeriod() }),
    ("I38", { $0.typeStays() }),
  ]

  // MARK: - Invalidations

  /// The mm of a table: what its allocation, its last install, or its queueing says.
  private func mm(_ life: Life) -> UInt64 {
    places(max(life.born, 0)..<life.now) {
      $0.object == life.pfn
        && [.tableAlloc, .tableConstruct, .tableInstall, .tableDefer].contains($0.kind)
        && $0.arg0 != 0
        || $0.object == life.pfn
          && [.tableQueueBatch, .tableQueuePage].contains($0.kind) && $0.arg1 != 0
    }.last.map {
      [.tableQueueBatch, .tableQueuePage].contains(events[$0].kind)
        ? events[$0].arg1 : events[$0].arg0
    } ?? 0
  }

  /// Invalidations of an mm that began after `since`: an end belongs to the last start of its task.
  /// `end` is nil for one under way.
  private func flushes(of mm: UInt64, after since: Int, before place: Int)
    -> [(start: Int, end: Int?)]
  {
    places(since + 1..<max(place, since + 1)) { $0.kind == .flushStart && $0.object == mm }
      .compactMap { start in
        let next = places(start + 1..<place) {
          ($0.kind == .flushStart || $0.kind == .flushEnd) && $0.object == mm
            && $0.task == events[start].task
        }.first
        guard let next else { return (start, nil) }
        return events[next].kind == .flushEnd ? (start, next) : nil
      }
  }

  private func isInvalidated(_ mm: UInt64, since: Int, before place: Int) -> Bool {
    flushes(of: mm, after: since, before: place).contains { $0.end != nil }
  }

  /// I10: invalidated between unlink and free.
  private func invalidatedBeforeFree() -> [Breach] {
    all(.tableFree).compactMap { place in
      let life = life(at: place)
      guard !isFreed(life), !isKernel(life), level(life) != .pgd, mm(life) != 0,
        let since = certainlyUnreachable(life)
      else { return nil }
      let isDeposited = !places(life, .tableDeposit).isEmpty
      let wasInstalled = !places(life, .tableInstall).isEmpty
      if path(life) == nil, isDeposited || isBorn(life) && !wasInstalled { return nil }
      guard !isInvalidated(mm(life), since: since, before: place) else { return nil }
      return Breach(at: place, since: since)
    }
  }

  /// I11: invalidated before call_rcu, and before the fallback waits.
  private func invalidatedBeforeRCU() -> [Breach] {
    var result: [Breach] = []
    for place in all(.callRCU) where events[place].arg0 == Self.batchFunction {
      let members = members(of: place)
      guard let last = members.last, events[last].arg1 != 0 else { continue }
      let since = members.compactMap { unreachable(life(events[$0].object, at: $0 + 1)) }.max()!
      guard !isInvalidated(events[last].arg1, since: since, before: place) else { continue }
      result.append(Breach(at: place, since: since))
    }
    for place in all(.tableFree) {
      let life = life(at: place)
      guard !isFreed(life), path(life) == .tableFallback, mm(life) != 0,
        let since = certainlyUnreachable(life)
      else { continue }
      // As it was when it began to wait: what is unlinked later is not invalidated by then.
      let wait = waitOfFallback(life) ?? place
      let then = Life(pfn: life.pfn, born: life.born, now: wait)
      if let before = certainlyUnreachable(then),
        isInvalidated(mm(then), since: before, before: wait)
      {
        continue
      }
      result.append(Breach(at: place, since: since))
    }
    return result
  }

  /// Where the fallback of a table begins to wait for readers: the first step of its task that
  /// does, or the `call_rcu` for that table.
  private func waitOfFallback(_ life: Life) -> Int? {
    guard let fallback = places(life, .tableFallback).last else {
      return last(from: life.born + 1, before: life.now) { Self.isFallbackCall($0, of: life.pfn) }
    }
    return places(fallback + 1..<life.now) {
      let isOfTask =
        [.ipiSyncStart, .synchronizeStart].contains($0.kind)
        && $0.task == events[fallback].task
      let isForTable =
        $0.kind == .callRCU && $0.arg1 == life.pfn
        && $0.arg0 == UInt64(CallbackFunction.removeTableOne.rawValue)
      return isOfTask || isForTable
    }.first { place in
      // From the next fallback of the task on, it waits for that.
      events[place].kind == .callRCU
        || last(from: fallback, before: place) {
          $0.kind == .tableFallback && $0.task == events[fallback].task
        } == fallback
    }
  }

  // MARK: - Grace periods

  /// I12: freed inside a callback that waited.
  private func freedInCallback() -> [Breach] {
    all(.tableFree).compactMap { place in
      let life = life(at: place)
      guard !isFreed(life), path(life) == .tableQueueBatch else { return nil }
      guard let run = run(at: place) else {
        // Held by somebody else's reference (E15).
        if let call = call(of: life), !starts(of: call, before: place).isEmpty { return nil }
        return Breach(at: place, since: queue(life)!)
      }
      return unwaited(run).map { Breach(at: place, since: $0) }
    }
  }

  /// The `call_rcu` of a callback's run that did not wait for a grace period.
  private func unwaited(_ run: Int) -> Int? {
    guard let call = call(ofRun: run) else { return nil }
    return gracePeriodPassed(since: call, before: run) ? nil : call
  }

  /// The first step of a table's destructor, since it was last constructed or given a lock.
  private func teardown(_ life: Life) -> Int? {
    let lock = last(from: max(life.born, 0), before: life.now) {
      $0.kind == .lockAlloc && $0.arg0 == life.pfn
    }
    let freed = places(max(lock ?? life.born, 0)..<life.now) { $0.kind == .lockFree }
      .first { table(ofLockFree: $0) == life.pfn }
    return [freed, destructor(life)].compactMap(\.self).min()
  }

  /// I13: neither destructor nor ptlock free before a grace period that follows the unlink.
  private func destructedAfterGracePeriod() -> [Breach] {
    var result: [Breach] = []
    for place in all(.tableQueueBatch, .tableQueuePage, .tableDefer, .tableFallback) {
      let life = life(at: place)
      guard queue(life) == nil, !isFreed(life), let first = teardown(life) else { continue }
      if isExcused(life, first) { continue }
      result.append(
        Breach(at: place, since: first, sameCPU: isOneStep(life, queue: place)))
    }
    for place in all(.lockFree, .tableDestruct) {
      guard
        let pfn = events[place].kind == .lockFree
          ? table(ofLockFree: place) : events[place].object
      else { continue }
      let life = life(pfn, at: place)
      guard !isFreed(life), teardown(life) == nil else { continue }
      if path(life) == nil {
        // Queued before the recording; its callback shows all the same whether it waited.
        guard let run = run(at: place), function(ofRun: run) == Self.batchFunction,
          let call = unwaited(run)
        else { continue }
        result.append(Breach(at: place, since: call))
      } else if let since = unreachable(life), !gracePeriodPassed(since: since, before: place) {
        result.append(Breach(at: place, since: since))
      }
    }
    return result
  }

  /// A grace period had passed between the unlink and what was done before the queueing.
  private func isExcused(_ life: Life, _ first: Int) -> Bool {
    let then = Life(pfn: life.pfn, born: life.born, now: first)
    guard let unlink = places(then, .tableInstall, .tableUnlink).last,
      events[unlink].kind == .tableUnlink
    else { return false }
    return gracePeriodPassed(since: unlink, before: first)
  }

  /// Destructor and queue are halves of one step: no event of their task or CPU can be missing in
  /// between unless that CPU is blind (docs/VERDICTS.md).
  private func isOneStep(_ life: Life, queue: Int) -> Bool {
    guard let destructor = destructor(life), run(at: destructor) == nil,
      let install = places(life, .tableInstall).first, install < destructor,
      places(life, .tableDeposit).isEmpty
    else { return false }
    return events[destructor].cpu == events[queue].cpu
      && events[destructor].task == events[queue].task && isAdjacent(queue, life.pfn)
  }

  /// I38: the page type is cleared only after a grace period.
  private func typeStays() -> [Breach] {
    var result: [Breach] = []
    for place in all(.tableQueueBatch, .tableQueuePage, .tableDefer, .tableFallback) {
      let life = life(at: place)
      guard queue(life) == nil, !isFreed(life), let clear = typeClear(life) else { continue }
      if isExcused(life, clear) { continue }
      result.append(Breach(at: place, since: clear))
    }
    for place in all(.tableTypeClear) {
      let life = life(at: place)
      guard !isFreed(life), typeClear(life) == nil, let since = unreachable(life),
        path(life) != nil, !gracePeriodPassed(since: since, before: place)
      else { continue }
      result.append(Breach(at: place, since: since))
    }
    return result
  }

  private func typeClear(_ life: Life) -> Int? {
    places(life, .tableTypeClear).first { $0 > constructor(life) ?? -1 }
  }

  /// I14: destructor and free in one activation, next to each other.
  private func tornDownTogether() -> [Breach] {
    all(.tableFree).compactMap { place in
      let life = life(at: place)
      guard !isFreed(life), let destructor = destructor(life) else { return nil }
      let run = run(at: place)
      let destructRun = self.run(at: destructor)
      switch path(life) {
      case .tableQueueBatch, .tableFallback: break
      case nil:
        guard let run, destructRun != nil, function(ofRun: run) == Self.batchFunction else {
          return nil
        }
      default: return nil
      }
      if let queue = queue(life), destructor < queue {
        return Breach(at: place, since: destructor)
      }
      // Dropped by whoever held the last reference (E15).
      if run == nil,
        destructRun != nil || events[destructor].task != events[place].task
      {
        return nil
      }
      guard run != destructRun || !isAdjacent(place, life.pfn) else { return nil }
      let known = run.flatMap { call(ofRun: $0) }
      let since = [destructor, queue(life) ?? -1, known == nil ? nil : run].compactMap(\.self)
        .min()!
      return Breach(at: place, since: since)
    }
  }

  /// Whether what was last torn down in the activation of `place` is the same table.
  private func isAdjacent(_ place: Int, _ pfn: UInt64) -> Bool {
    let here = run(at: place)
    let kinds: [EventKind] = [
      .lockFree, .tableTypeClear, .tableDestruct, .tablePut, .tableFree,
    ]
    let before = places(0..<place) { kinds.contains($0.kind) }.last {
      run(at: $0) == here && (here != nil || events[$0].task == events[place].task)
        && tornDown(at: $0) != nil
    }
    return before.flatMap { tornDown(at: $0) } == pfn
  }

  private func tornDown(at place: Int) -> UInt64? {
    events[place].kind == .lockFree ? table(ofLockFree: place) : events[place].object
  }

  // MARK: - Interrupts

  /// CPUs of `mask` that gave no event of `kind` (of `mm`) in a range.
  private func silent(
    _ mask: UInt64, _ kind: EventKind, of mm: UInt64?, after start: Int, before end: Int
  ) -> [UInt16] {
    (0..<64).filter { mask & (1 << UInt64($0)) != 0 }.map { UInt16($0) }.filter { cpu in
      !exists(from: start + 1, before: end) {
        $0.kind == kind && $0.cpu == cpu && (mm == nil || $0.object == mm)
      }
    }
  }

  /// I15: page path, flush by interrupt: every CPU of the mask acknowledged one.
  private func acknowledged() -> [Breach] {
    all(.tableFree).compactMap { place in
      let life = life(at: place)
      guard !isFreed(life), path(life) == .tableQueuePage, mm(life) != 0,
        let since = certainlyUnreachable(life)
      else { return nil }
      let waits = flushes(of: mm(life), after: since, before: place).compactMap { flush in
        aim(flush, mm(life), before: place).map {
          // What is acknowledged behind its end is for a later one.
          silent($0, .flushAck, of: mm(life), after: flush.start, before: flush.end ?? place)
        }
      }
      guard !waits.isEmpty, !waits.contains([]) else { return nil }
      return Breach(at: place, since: since)
    }
  }

  /// CPUs an invalidation was sent to, if that was by interrupt.
  private func aim(_ flush: (start: Int, end: Int?), _ mm: UInt64, before place: Int) -> UInt64? {
    let aim = last(from: flush.start, before: flush.end ?? place) {
      $0.kind == .flushCPUs && $0.object == mm && $0.task == events[flush.start].task
    }
    guard let aim, events[aim].arg1 == UInt64(FlushRoute.interrupt.rawValue) else { return nil }
    return events[aim].arg0
  }

  /// I16: the fallback waits for every CPU, or for a grace period.
  private func fallbackWaits() -> [Breach] {
    all(.tableFree).compactMap { place in
      let life = life(at: place)
      guard !isFreed(life), path(life) == .tableFallback, let since = certainlyUnreachable(life),
        !gracePeriodPassed(since: since, before: place)
      else { return nil }
      // Without one that was seen, only its callback shows that it fell back, and that is no IPI.
      let isSynced = places(life, .tableFallback).flatMap {
        syncs(ofFallback: $0, before: place)
      }.contains { start, end in
        events[start].arg0 == 0
          ? end != nil
          : silent(events[start].arg0, .ipiSyncAck, of: nil, after: start, before: place).isEmpty
      }
      return isSynced ? nil : Breach(at: place, since: since)
    }
  }

  /// The sync IPIs of a fallback: those its task sends before it falls back again.
  private func syncs(ofFallback fallback: Int, before place: Int) -> [(start: Int, end: Int?)] {
    let task = events[fallback].task
    let next = places(fallback + 1..<place) { $0.kind == .tableFallback && $0.task == task }.first
    return places(fallback + 1..<(next ?? place)) {
      $0.kind == .ipiSyncStart && $0.task == task
    }.map { start in
      (start, places(start..<(next ?? place)) { $0.kind == .ipiSyncEnd && $0.task == task }.first)
    }
  }

  /// I17: the fallback is a grace period.
  private func fallbackIsGracePeriod() -> [Breach] {
    all(.tableFree).compactMap { place in
      let life = life(at: place)
      guard !isFreed(life), path(life) == .tableFallback, let since = certainlyUnreachable(life),
        !gracePeriodPassed(since: since, before: place)
      else { return nil }
      return Breach(at: place, since: since)
    }
  }
}
