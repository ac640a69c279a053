import TraceFormat

/// I18 to I23: what readers may rely on, and what they must do.
extension Oracle {
  static let readers: [Question] = [
    ("I18", { $0.contentAfterFree() }), ("I19", { $0.hardwareAfterFree() }),
    ("I20", { $0.lockAfterFree() }), ("I21", { $0.lockFreedInUse() }),
    ("I22a", { $0.pageReused() }), ("I22b", { $0.lockReused() }),
    ("I23", { $0.entryRechecked() }),
  ]

  // MARK: - Locks

  /// One life of a lock's memory: from its allocation up to, not including, a place.
  struct LockLife {
    let address: UInt64
    /// `ptl_alloc`; -1 where it began before the recording.
    let born: Int
    let now: Int
    /// Whether any event has told of it.
    let isSeen: Bool
  }

  private static let lockKinds: [EventKind] = [
    .lockAlloc, .lockFree, .lockWait, .lockAcquire, .lockRelease,
  ]

  func lockLife(_ address: UInt64, at place: Int) -> LockLife {
    let born = last(before: place) { $0.kind == .lockAlloc && $0.object == address }
    let seen = exists(from: 0, before: place) {
      Self.lockKinds.contains($0.kind) && $0.object == address
    }
    return LockLife(address: address, born: born ?? -1, now: place, isSeen: seen)
  }

  private func places(_ lock: LockLife, _ kinds: EventKind...) -> [Int] {
    places(max(lock.born, 0)..<lock.now) {
      kinds.contains($0.kind) && $0.object == lock.address
    }
  }

  func freed(_ lock: LockLife) -> Int? { places(lock, .lockFree).last }

  /// The place where it was taken, if somebody holds it.
  private func held(_ lock: LockLife) -> Int? {
    let last = places(lock, .lockAcquire, .lockRelease).last
    return last.flatMap { events[$0].kind == .lockAcquire ? $0 : nil }
  }

  func holder(_ lock: LockLife) -> UInt32? { held(lock).map { events[$0].task } }

  /// Where a task took a lock that it still holds.
  func heldLock(of task: UInt32, before place: Int) -> Int? {
    let addresses = Set(places(0..<place) { $0.kind == .lockAcquire }.map { events[$0].object })
    return addresses.compactMap { held(lockLife($0, at: place)) }
      .filter { events[$0].task == task }.max()
  }

  /// The table a lock belongs to: the one it was allocated for, else the one its first free named.
  private func owner(_ lock: LockLife) -> (pfn: UInt64, since: Int)? {
    if lock.born >= 0 { return (events[lock.born].arg0, lock.born) }
    return places(lock, .lockFree).first { events[$0].arg0 != 0 }.map { (events[$0].arg0, $0) }
  }

  /// The table whose lock is freed: named, or else the one it belongs to, if that still lives and
  /// nothing is missing since.
  func table(ofLockFree place: Int) -> UInt64? {
    if events[place].arg0 != 0 { return events[place].arg0 }
    let lock = lockLife(events[place].object, at: place)
    guard let owner = owner(lock), owner.pfn != 0, !isBlind(from: owner.since, to: place),
      life(owner.pfn, at: place).born <= owner.since
    else { return nil }
    return owner.pfn
  }

  private func isBlind(from: Int, to: Int) -> Bool {
    opinion { _ in [Breach(at: to, since: from)] }.undecided > 0
  }

  /// The lock of a table that is not freed.
  func lock(of life: Life) -> LockLife? {
    let alloc = last(from: max(life.born, 0), before: life.now) {
      $0.kind == .lockAlloc && $0.arg0 == life.pfn
    }
    guard let alloc else { return nil }
    let lock = lockLife(events[alloc].object, at: life.now)
    return lock.born == alloc && freed(lock) == nil ? lock : nil
  }

  // MARK: - Sections

  /// The `rd_enter` of a section that is open just before `place`.
  private func enter(_ section: UInt64, at place: Int) -> Int? {
    guard section != 0 else { return nil }
    let last = last(before: place) {
      [.readerEnter, .readerExit].contains($0.kind) && $0.object == section
    }
    return last.flatMap { events[$0].kind == .readerEnter ? $0 : nil }
  }

  /// The `rd_enter`s of all sections that are open.
  private func openSections(before place: Int) -> [Int] {
    all(.readerEnter).filter { $0 < place && enter(events[$0].object, at: place) == $0 }
  }

  func openSections(of task: UInt32, before place: Int) -> [Int] {
    openSections(before: place).filter { events[$0].task == task }
  }

  /// Where a section last loaded a table.
  private func load(_ pfn: UInt64, in section: UInt64, at place: Int) -> Int? {
    guard let enter = enter(section, at: place) else { return nil }
    return last(from: enter, before: place) {
      $0.kind == .readerLoad && $0.object == pfn && $0.arg0 == section
    }
  }

  /// Loads of sections that are still open.
  private func heldLoads(before place: Int) -> [Int] {
    openSections(before: place).flatMap { enter in
      places(enter..<place) {
        $0.kind == .readerLoad && $0.arg0 == events[enter].object
      }
    }
  }

  /// The lock within reach of a load: its reader may take it, and it is the table's own.
  private func reach(_ load: Int) -> LockLife? {
    guard let enter = enter(events[load].arg0, at: load),
      ReaderClass(rawValue: UInt8(truncatingIfNeeded: events[enter].arg0))?.mayTakeLock ?? true
    else { return nil }
    return lock(of: life(events[load].object, at: load))
  }

  // MARK: - The promises

  /// I18: no access to a freed table, nor to one whose page is another table by now.
  private func contentAfterFree() -> [Breach] {
    all(.readerAccess).compactMap { place in
      let life = life(at: place)
      if let load = load(life.pfn, in: events[place].arg0, at: place), load < life.born {
        return Breach(at: place, since: load)
      }
      return places(life, .tableFree).last.map { Breach(at: place, since: $0) }
    }
  }

  /// I19: the same for page walkers, whose pointers live until an invalidation reaches their CPU.
  private func hardwareAfterFree() -> [Breach] {
    all(.hardwareAccess).compactMap { place in
      let life = life(at: place)
      let load = last(before: place) {
        $0.kind == .hardwareLoad && $0.object == life.pfn && $0.cpu == events[place].cpu
      }
      if let load, load < life.born { return Breach(at: place, since: load) }
      return places(life, .tableFree).last.map { Breach(at: place, since: $0) }
    }
  }

  /// I20: no use of a freed ptlock, or of one that is another table's by now.
  private func lockAfterFree() -> [Breach] {
    all(.lockWait, .lockAcquire, .lockRelease).compactMap { place in
      let event = events[place]
      let lock = lockLife(event.object, at: place)
      if let load = load(event.arg1, in: event.arg0, at: place), let meant = reach(load),
        meant.address == lock.address, meant.born != lock.born
      {
        return Breach(at: place, since: load)
      }
      if let free = freed(lock) { return Breach(at: place, since: free) }
      guard lock.born >= 0, event.arg1 != 0, events[lock.born].arg0 != 0,
        events[lock.born].arg0 != event.arg1
      else { return nil }
      return Breach(at: place, since: lock.born)
    }
  }

  /// I21: not freed while somebody holds it or spins on it.
  private func lockFreedInUse() -> [Breach] {
    all(.lockFree).compactMap { place in
      let lock = lockLife(events[place].object, at: place)
      guard freed(lock) == nil else { return nil }
      if let held = held(lock) { return Breach(at: place, since: held) }
      let spinning = places(lock, .lockWait).filter { wait in
        // Until the task takes a lock, or spins on another.
        !exists(from: wait + 1, before: place) {
          [.lockWait, .lockAcquire].contains($0.kind) && $0.task == events[wait].task
        }
      }
      return spinning.last.map { Breach(at: place, since: $0) }
    }
  }

  /// I22a: the page is not handed out again under a reader that loaded the table.
  private func pageReused() -> [Breach] {
    all(.tableAlloc, .pageReuse).compactMap { place in
      let life = life(at: place)
      guard isFreed(life) else { return nil }
      let loads = heldLoads(before: place).filter {
        events[$0].object == life.pfn && $0 > life.born
      }
      return loads.last.map { Breach(at: place, since: $0) }
    }
  }

  /// I22b: nor the lock's memory, under one that may take it.
  private func lockReused() -> [Breach] {
    all(.lockAlloc).compactMap { place in
      let lock = lockLife(events[place].object, at: place)
      guard lock.born >= 0, freed(lock) != nil else { return nil }
      let loads = heldLoads(before: place).filter {
        reach($0).map { $0.address == lock.address && $0.born == lock.born } ?? false
      }
      // That the loaded table has this lock is known since the lock was allocated for it.
      return loads.last.map { _ in Breach(at: place, since: lock.born) }
    }
  }

  /// I23: compared again after the lock and before a write; after a pin and before the end.
  private func entryRechecked() -> [Breach] {
    var result: [Breach] = []
    for place in all(.readerAccess) where events[place].arg1 != 0 {
      let event = events[place]
      guard let load = load(event.object, in: event.arg0, at: place) else { continue }
      let lock = last(from: load, before: place) {
        $0.kind == .lockAcquire && $0.arg0 == event.arg0 && $0.arg1 == event.object
      }
      let compared = last(from: lock ?? load, before: place) {
        $0.kind == .readerRecheck && $0.object == event.object && $0.arg0 == event.arg0
      }
      if let compared {
        guard events[compared].arg1 == 0 else { continue }
        result.append(Breach(at: place, since: compared))
      } else {
        result.append(Breach(at: place, since: lock ?? load))
      }
    }
    for place in all(.readerExit) {
      let section = events[place].object
      guard let enter = enter(section, at: place),
        events[enter].arg0 == UInt64(ReaderClass.gupFast.rawValue)
      else { continue }
      let kept = places(enter..<place) { $0.kind == .readerPin && $0.arg0 == section }
        .filter { pin in
          guard load(events[pin].object, in: section, at: pin) != nil else { return false }
          return !exists(from: pin, before: place) {
            $0.kind == .readerRecheck && $0.object == events[pin].object && $0.arg0 == section
          }
        }
      if let pin = kept.last { result.append(Breach(at: place, since: pin)) }
    }
    return result
  }
}
