import TraceFormat

/// What is open now, each member removed without a search.
///
/// A member keeps its own place in the list.
struct OpenList {
  private(set) var members: [Int32] = []

  /// Adds a member; returns its place.
  mutating func add(_ member: Int32) -> Int32 {
    members.append(member)
    return Int32(truncatingIfNeeded: members.count - 1)
  }

  /// Removes the member at a place; returns the one that has that place from now on, if any.
  mutating func remove(at place: Int32) -> Int32? {
    let last = members.removeLast()
    guard Int(place) < members.count else { return nil }
    members[Int(place)] = last
    return last
  }
}

/// Sections that are open and locks that are held, to be asked for by the rare events that must
/// not happen inside either.
extension Resolver {
  /// Members looked at: no machine has more open at a time.
  static let searchLimit = 4096

  mutating func noteOpen(section slot: Int32) {
    sections[Int(slot)].place = openReaders.add(slot)
  }

  mutating func noteClosed(section slot: Int32) {
    let place = sections[Int(slot)].place
    guard place >= 0 else { return }
    sections[Int(slot)].place = -1
    if let moved = openReaders.remove(at: place) { sections[Int(moved)].place = place }
  }

  mutating func noteHeld(lock slot: Int32) {
    guard locks[Int(slot)].place < 0 else { return }
    locks[Int(slot)].place = heldLocks.add(slot)
  }

  mutating func noteReleased(lock slot: Int32) {
    let place = locks[Int(slot)].place
    guard place >= 0 else { return }
    locks[Int(slot)].place = -1
    if let moved = heldLocks.remove(at: place) { locks[Int(moved)].place = place }
  }

  /// Notes what the event's own task is inside of: an open section, a lock it holds, a callback.
  mutating func resolveAtomic(
    _ event: Event, _ resolution: inout Resolution, _ output: inout ResolvedDraft
  ) {
    noteRunning(event, &resolution, &output)
    let open = openReaders.members.prefix(Self.searchLimit).filter {
      sections[Int($0)].task == event.task
    }
    // Of two at once the one with IRQs off says more, and the later one: less lies in between.
    func opened(_ slot: Int32) -> (Int, Ordinal) {
      let section = sections[Int(slot)]
      return (section.readerClass == .gupFast ? 1 : 0, section.openedAt)
    }
    if let slot = open.max(by: { opened($0) < opened($1) }) {
      note(section: slot, load: nil, &resolution, &output)
    }
    let held = heldLocks.members.prefix(Self.searchLimit).filter {
      locks[Int($0)].holder == event.task
    }.max { locks[Int($0)].heldSince < locks[Int($1)].heldSince }
    note(lock: held ?? -1, &resolution, &output)
  }
}
