import TraceFormat

/// I01 to I09, I31, I32, I39, I40: what may happen to a table, and when.
extension Oracle {
  static let life: [Question] = [
    ("I01", { $0.deadIsDead() }), ("I02", { $0.constructedOnce() }),
    ("I03", { $0.publishedComplete() }), ("I04", { $0.queuedUnlinked() }),
    ("I05", { $0.queuedOnce() }), ("I06", { $0.destructedOnce() }),
    ("I07", { $0.destructedBeforeFree() }), ("I08", { $0.freedOnce() }),
    ("I09", { $0.freedByItsFunction() }), ("I31", { $0.childrenFirst() }),
    ("I32", { $0.levelsAndEntries() }), ("I39", { $0.deposits() }),
    ("I40", { $0.reclaimedEmpty() }),
  ]

  /// I01: nothing happens to a page between its free and its next allocation. A second free is
  /// I08's, a destructor I07's.
  private func deadIsDead() -> [Breach] {
    all(
      .tableConstruct, .tableInstall, .tableUnlink, .tableQueueBatch, .tableQueuePage,
      .tableFallback, .tableDeposit, .tableWithdraw, .tableDefer, .tableZero
    ).compactMap { place in
      places(life(at: place), .tableFree).last.map { Breach(at: place, since: $0) }
    }
  }

  /// I02: exactly one constructor before the first install, at levels that have one.
  private func constructedOnce() -> [Breach] {
    all(.tableInstall, .tableConstruct).compactMap { place in
      let life = life(at: place)
      if events[place].kind == .tableConstruct {
        guard !isFreed(life), let before = constructor(life) else { return nil }
        let isPublished = !places(life, .tableInstall).isEmpty
        // Once it has been in use and was destructed, it is I06 that counts.
        if isPublished, !owesDestructor(life) { return nil }
        return Breach(at: place, since: before)
      }
      guard isBorn(life), places(life, .tableInstall).isEmpty, constructor(life) == nil,
        !isKernel(life), !events[place].flags.contains(.kernelTable)
      else { return nil }
      let told = events[place].level == .unknown ? level(life) : events[place].level
      return hasConstructor(told, before: place) ? Breach(at: place, since: life.born) : nil
    }
  }

  /// Learnt from the trace: PTE tables always have one; another level, once a table of it was
  /// constructed.
  private func hasConstructor(_ level: TableLevel, before place: Int) -> Bool {
    level == .pte
      || exists(from: 0, before: place) { $0.kind == .tableConstruct && $0.level == level }
      || all(.tableInstall).contains {
        guard $0 < place else { return false }
        let life = life(at: $0)
        let told = events[$0].level == .unknown ? self.level(life) : events[$0].level
        return isBorn(life) && places(life, .tableInstall).isEmpty && constructor(life) != nil
          && told == level && told != .unknown
      }
  }

  /// I03: cleared, locked, constructed: all before an entry first points at the table.
  private func publishedComplete() -> [Breach] {
    var result: [Breach] = []
    for place in all(.tableInstall) {
      let life = life(at: place)
      guard isBorn(life), places(life, .tableInstall).isEmpty, places(life, .tableZero).isEmpty,
        !isKernel(life), !events[place].flags.contains(.kernelTable)
      else { continue }
      result.append(Breach(at: place, since: life.born))
    }
    for place in all(.tableZero, .lockAlloc, .tableConstruct) {
      let event = events[place]
      let life = life(event.kind == .lockAlloc ? event.arg0 : event.object, at: place)
      guard isBorn(life), !isFreed(life), !isKernel(life),
        let first = places(life, .tableInstall).first
      else { continue }
      switch event.kind {
      case .tableZero:
        // The first clearing came too late: said at the install. One more destroys entries.
        guard !places(life, .tableZero).isEmpty, entry(life) != nil else { continue }
      case .lockAlloc:
        guard locks(of: life).isEmpty else { continue }
      default:
        guard constructor(life) == nil else { continue }
      }
      result.append(Breach(at: place, since: first))
    }
    return result
  }

  /// Places of the `ptl_alloc` and `ptl_free` that name a table in this life.
  func locks(of life: Life) -> [Int] {
    places(max(life.born, 0)..<life.now) {
      ($0.kind == .lockAlloc || $0.kind == .lockFree) && $0.arg0 == life.pfn
    }
  }

  /// I04: no entry points at a table when it is queued.
  private func queuedUnlinked() -> [Breach] {
    all(.tableQueueBatch, .tableQueuePage, .tableDefer).compactMap { place in
      let life = life(at: place)
      guard queue(life) == nil, !isFreed(life), !isKernel(life),
        let entry = entry(life)
      else { return nil }
      return Breach(at: place, since: entry)
    }
  }

  /// I05: queued once, and never installed after that.
  private func queuedOnce() -> [Breach] {
    all(.tableQueueBatch, .tableQueuePage, .tableDefer, .tableInstall).compactMap { place in
      let life = life(at: place)
      guard !isFreed(life), let queue = queue(life) else { return nil }
      return Breach(at: place, since: queue)
    }
  }

  /// I06: one destructor per constructor.
  private func destructedOnce() -> [Breach] {
    var result: [Breach] = []
    for place in all(.tableDestruct) {
      let life = life(at: place)
      if let before = destructor(life) {
        result.append(Breach(at: place, since: before))
      } else if constructor(life) == nil, isBorn(life) {
        result.append(Breach(at: place, since: life.born))
      }
    }
    for place in all(.tableAlloc) {
      let life = life(at: place)
      guard owesDestructor(life), !isKernel(life) else { continue }
      result.append(Breach(at: place, since: constructor(life)!))
    }
    return result
      + leftAtQuiesce { life in
        owesDestructor(life) && !isKernel(life) ? constructor(life) : nil
      }
  }

  /// What is left of the last lives at the end, and should have been gone at the last `quiesce`.
  private func leftAtQuiesce(_ since: (Life) -> Int?) -> [Breach] {
    guard let quiesce = all(.quiesce).last else { return [] }
    let pages = Set(events.filter { Self.isAboutTable($0) }.map(\.object))
    return pages.sorted().compactMap { pfn in
      since(life(pfn, at: events.count)).flatMap {
        $0 < quiesce ? Breach(at: quiesce, since: $0) : nil
      }
    }
  }

  /// I07: a constructed table is destructed before it is freed.
  private func destructedBeforeFree() -> [Breach] {
    all(.tableFree, .tableDestruct).compactMap { place in
      let life = life(at: place)
      if events[place].kind == .tableFree {
        guard !isFreed(life), owesDestructor(life), !isKernel(life) else { return nil }
        return Breach(at: place, since: constructor(life)!)
      }
      guard let free = places(life, .tableFree).last, destructor(life) == nil else { return nil }
      return Breach(at: place, since: free)
    }
  }

  /// I08: freed once before it is allocated again.
  private func freedOnce() -> [Breach] {
    all(.tableFree, .tableAlloc).compactMap { place in
      let life = life(at: place)
      if events[place].kind == .tableFree {
        return places(life, .tableFree).last.map { Breach(at: place, since: $0) }
      }
      return isBorn(life) && !isFreed(life) ? Breach(at: place, since: life.born) : nil
    }
  }

  /// I09: not by a function for data pages.
  private func freedByItsFunction() -> [Breach] {
    all(.tableFree).compactMap { place in
      let isForData = [
        FreeFunction.freePageAndSwapCache, .freePagesAndSwapCache,
      ].contains { UInt64($0.rawValue) == events[place].arg0 }
      return isForData && !isFreed(life(at: place)) ? Breach(at: place, since: place) : nil
    }
  }

  /// I31: what hangs below an upper table is unlinked before that is unlinked and queued.
  private func childrenFirst() -> [Breach] {
    var result: [Breach] = []
    for place in all(.tableQueueBatch, .tableQueuePage, .tableDefer, .tableFree) {
      let life = life(at: place)
      // Decided where it is queued first.
      guard isBorn(life), level(life) != .pte, events[place].level != .pte, !isFreed(life),
        events[place].kind != .tableFree || path(life) == nil,
        !children(life).isEmpty
      else { continue }
      // Some child or other has been there ever since: which, a hole may hide.
      let since = (0..<place).last { now in
        children(Life(pfn: life.pfn, born: life.born, now: now)).isEmpty
      }
      result.append(Breach(at: place, since: since ?? life.born))
    }
    for place in all(.tableUnlink) {
      guard let upper = upper(of: place), upper != events[place].object else { continue }
      let life = life(upper, at: place)
      guard isBorn(life), !isFreed(life), !places(life, .tableInstall).isEmpty,
        entry(life) == nil,
        let unlink = places(life, .tableInstall, .tableUnlink).last,
        events[unlink].kind == .tableUnlink
      else { continue }
      result.append(Breach(at: place, since: unlink))
    }
    return result
  }

  /// Page of the table whose entry an install or unlink changed.
  private func upper(of place: Int) -> UInt64? { machine.linearMap?.page(of: events[place].arg1) }

  /// Installs in entries of this table that still point at something.
  private func children(_ life: Life) -> [Int] {
    places(max(life.born, 0)..<life.now) { $0.kind == .tableInstall }.filter { place in
      guard upper(of: place) == life.pfn, events[place].object != life.pfn else { return false }
      return !exists(from: place + 1, before: life.now) {
        [.tableUnlink, .tableInstall].contains($0.kind) && $0.arg1 == events[place].arg1
          && $0.object == events[place].object
      }
    }
  }

  /// I32: only levels of the paging mode, and one entry at a time (E7 apart).
  private func levelsAndEntries() -> [Breach] {
    let names = (machine.levels ?? []) + [TableLevel.unknown.name]
    var result = all(
      .tableAlloc, .tableInstall, .tableQueueBatch, .tableQueuePage, .tableFree
    ).filter { !names.contains(events[$0].level.name) }.map { Breach(at: $0, since: $0) }
    for place in all(.tableInstall) where !events[place].flags.contains(.shared) {
      // On a freed table it is I01's.
      guard !isFreed(life(at: place)), let entry = entry(life(at: place)) else { continue }
      result.append(Breach(at: place, since: entry))
    }
    return result
  }

  /// The deposit under which a table lies.
  private func deposit(_ life: Life) -> Int? {
    let last = places(life, .tableDeposit, .tableWithdraw).last
    return last.flatMap { events[$0].kind == .tableDeposit ? $0 : nil }
  }

  /// I39: constructed and not installed when deposited; withdrawn once, and before anything else.
  private func deposits() -> [Breach] {
    var result: [Breach] = []
    for place in all(.tableDeposit) {
      let life = life(at: place)
      guard isBorn(life) else { continue }
      if let deposit = deposit(life) {
        result.append(Breach(at: place, since: deposit))
      } else if let entry = entry(life) {
        result.append(Breach(at: place, since: entry))
      } else if let destructor = destructor(life) {
        result.append(Breach(at: place, since: destructor))
      } else if constructor(life) == nil {
        result.append(Breach(at: place, since: life.born))
      }
    }
    for place in all(.tableWithdraw) {
      let life = life(at: place)
      let deposits = places(life, .tableDeposit)
      guard isBorn(life) || !deposits.isEmpty, deposit(life) == nil else { continue }
      result.append(Breach(at: place, since: places(life, .tableWithdraw).last ?? life.born))
    }
    for place in all(
      .tableInstall, .tableQueueBatch, .tableQueuePage, .tableDefer, .tableDestruct, .tableFree)
    {
      let life = life(at: place)
      guard !isFreed(life), let deposit = deposit(life) else { continue }
      result.append(Breach(at: place, since: deposit))
    }
    return result
      + leftAtQuiesce { life in isFreed(life) ? nil : deposit(life) }
  }

  /// I40: empty, and both locks held by who reclaims.
  private func reclaimedEmpty() -> [Breach] {
    all(.tableReclaim).flatMap { place in
      var result: [Breach] = []
      let event = events[place]
      if event.arg1 != 0 { result.append(Breach(at: place, since: place)) }
      let life = life(at: place)
      if let lock = lock(of: life), freed(lock) == nil, holder(lock) != event.task {
        result.append(Breach(at: place, since: lock.born))
      }
      if event.arg0 != 0 {
        let upper = lockLife(event.arg0, at: place)
        if upper.isSeen, holder(upper) != event.task {
          result.append(Breach(at: place, since: upper.born))
        }
      }
      return result
    }
  }
}
