import TraceFormat

/// A second opinion on a trace, naive on purpose.
///
/// Written from the statements of kernel-facts §6 and docs/INVARIANTS.md, docs/VERDICTS.md and
/// docs/EVENTS.md. It keeps no state: every question is answered by looking at the events again,
/// so it takes quadratic time and more, and knows nothing that the events do not say. It shares
/// nothing with the judge but the type of an event.
///
/// It takes every kind to be recorded surely, and no event to be inferred: what a source may miss
/// is decided in one place of the judge (`Court`), which has its own tests.
struct Oracle {
  /// Events of the trace.
  let events: [Event]
  /// What the header says of the machine.
  let machine: MachineFacts
  /// The grace periods that are certain: where each began, and where it was over.
  private(set) var gracePeriods: [(start: Int, end: Int)] = []
  /// Where events of which CPU are missing; a hole that nothing closes lasts to the end.
  private var holes: [(cpu: UInt16, from: Int, to: Int)] = []

  init(events: [Event], machine: MachineFacts) {
    self.events = events
    self.machine = machine
    gracePeriods = findGracePeriods()
    holes = findHoles()
  }

  /// A place where a promise was broken.
  struct Breach: Hashable {
    /// The event that shows it.
    var at: Int
    /// The earlier event it rests on: whatever is missing in between may excuse it. -1 = the start.
    var since: Int
    /// Only what is missing on the CPU of `at` may excuse it.
    var sameCPU = false
  }

  /// What one invariant amounts to.
  struct Opinion: Equatable {
    /// Places of the certain breaches, in order; one place twice if two promises broke there.
    var violations: [Int] = []
    /// Breaches that a hole in the recording may excuse.
    var undecided = 0
  }

  /// How to find the breaches of one invariant.
  typealias Question = (id: String, ask: @Sendable (Oracle) -> [Breach])

  /// Every invariant this oracle has an opinion on.
  static let questions: [Question] =
    life + waiting + callbacks + readers + accounts

  /// The opinion on one of them.
  func opinion(_ ask: (Oracle) -> [Breach]) -> Opinion {
    var opinion = Opinion()
    for breach in ask(self) {
      if isDoubtful(breach) {
        opinion.undecided += 1
      } else {
        opinion.violations.append(breach.at)
      }
    }
    opinion.violations.sort()
    return opinion
  }

  // MARK: - Holes

  private func findHoles() -> [(cpu: UInt16, from: Int, to: Int)] {
    var holes: [(cpu: UInt16, from: Int, to: Int)] = []
    for (index, event) in events.enumerated() {
      if event.kind == .loss { holes.append((event.cpu, index, .max)) }
      guard event.kind == .lossEnd else { continue }
      if let open = holes.lastIndex(where: { $0.cpu == event.cpu && $0.to == .max }) {
        holes[open].to = index
      } else {
        // Its begin was not recorded: nothing may rest on both sides of its end.
        holes.append((event.cpu, index, index))
      }
    }
    return holes
  }

  private func isDoubtful(_ breach: Breach) -> Bool {
    holes.contains {
      guard $0.from < breach.at, $0.to > max(breach.since, 0) else { return false }
      return !breach.sameCPU || $0.cpu == events[breach.at].cpu || $0.cpu == Event.allCPUs
    }
  }

  // MARK: - Looking at events

  /// Places of the events in `range` for which `matches` is true.
  func places(_ range: Range<Int>, _ matches: (Event) -> Bool) -> [Int] {
    range.filter { matches(events[$0]) }
  }

  /// Places of all events of these kinds.
  func all(_ kinds: EventKind...) -> [Int] {
    events.indices.filter { kinds.contains(events[$0].kind) }
  }

  /// Last place before `end`, not before `start`, for which `matches` is true.
  func last(from start: Int = 0, before end: Int, _ matches: (Event) -> Bool) -> Int? {
    places(max(start, 0)..<max(end, max(start, 0)), matches).last
  }

  /// Whether such a place exists.
  func exists(from start: Int, before end: Int, _ matches: (Event) -> Bool) -> Bool {
    last(from: start, before: end, matches) != nil
  }

  // MARK: - Lives of tables

  /// One life of a page: from its allocation up to, not including, a place in the trace.
  struct Life {
    let pfn: UInt64
    /// `pt_alloc`; -1 where the life began before the recording.
    let born: Int
    /// The place from which it is looked at.
    let now: Int
  }

  /// The life of a page just before `place`; an allocation there begins the next.
  func life(_ pfn: UInt64, at place: Int) -> Life {
    let born = last(before: place) { $0.kind == .tableAlloc && $0.object == pfn }
    return Life(pfn: pfn, born: born ?? -1, now: place)
  }

  /// The life that the table event at `place` is about.
  func life(at place: Int) -> Life { life(events[place].object, at: place) }

  /// Places in a life at which a table event of these kinds happened to it.
  func places(_ life: Life, _ kinds: EventKind...) -> [Int] { places(life, kinds) }

  func places(_ life: Life, _ kinds: [EventKind]) -> [Int] {
    places(max(life.born, 0)..<life.now) { kinds.contains($0.kind) && $0.object == life.pfn }
  }

  func isBorn(_ life: Life) -> Bool { life.born >= 0 }
  func isFreed(_ life: Life) -> Bool { !places(life, .tableFree).isEmpty }
  func constructor(_ life: Life) -> Int? { places(life, .tableConstruct).last }

  /// The first destructor since the last constructor.
  func destructor(_ life: Life) -> Int? {
    places(life, .tableDestruct).first { $0 > constructor(life) ?? -1 }
  }

  /// Constructed, and not destructed since.
  func owesDestructor(_ life: Life) -> Bool {
    constructor(life) != nil && destructor(life) == nil
  }

  /// The table belongs to init_mm, as far as its events have said.
  func isKernel(_ life: Life) -> Bool {
    places(max(life.born, 0)..<life.now) { $0.object == life.pfn && Self.isAboutTable($0) }
      .contains { events[$0].flags.contains(.kernelTable) }
  }

  static func isAboutTable(_ event: Event) -> Bool { isTable[Int(event.kind.rawValue)] }

  private static let isTable = (0..<256).map {
    EventKind(rawValue: UInt8($0))?.fields.space == .table
  }

  /// The level its events have told, `unknown` if none has.
  func level(_ life: Life) -> TableLevel {
    let told = places(max(life.born, 0)..<life.now) {
      $0.object == life.pfn && Self.isAboutTable($0) && $0.level != .unknown
    }
    return told.last.map { events[$0].level } ?? .unknown
  }

  /// The install whose entry points at the table now. A second one is I32's, and from there on
  /// only the last counts; a table that was queued, deposited or freed all the same is said to be
  /// so there, once.
  func entry(_ life: Life) -> Int? {
    let last = places(
      life,
      [.tableInstall, .tableUnlink, .tableDeposit, .tableFree, .tableFallback] + Self.queueKinds
    ).last {
      // A table that was queued falls back out of its batch: that is no queueing.
      events[$0].kind != .tableFallback
        || queue(Life(pfn: life.pfn, born: life.born, now: $0)) == nil
    }
    return last.flatMap { events[$0].kind == .tableInstall ? $0 : nil }
  }

  // MARK: - How a table leaves

  static let queueKinds: [EventKind] = [.tableQueueBatch, .tableQueuePage, .tableDefer]

  /// The event that put the table on its way out: a queueing, or the fallback where none was seen.
  func queue(_ life: Life) -> Int? {
    places(life, Self.queueKinds).last ?? places(life, .tableFallback).last
  }

  /// The event that says on which path it is: the last such.
  func path(_ life: Life) -> EventKind? {
    let kind = places(life, Self.queueKinds + [.tableFallback]).last.map { events[$0].kind }
    return kind == .tableQueueBatch && fallsBack(life) ? .tableFallback : kind
  }

  /// Only a fallback, seen or not, makes a callback of this function for the table.
  private func fallsBack(_ life: Life) -> Bool {
    exists(from: places(life, .tableQueueBatch).last ?? 0, before: life.now) {
      Self.isFallbackCall($0, of: life.pfn)
    }
  }

  static func isFallbackCall(_ event: Event, of pfn: UInt64) -> Bool {
    event.kind == .callRCU && event.arg1 == pfn
      && event.arg0 == UInt64(CallbackFunction.removeTableOne.rawValue)
  }

  /// Since when no new walk can reach the table: its last unlink if that was seen and no install
  /// followed, else where it was queued.
  func unreachable(_ life: Life) -> Int? { lastUnlink(life) ?? queue(life) }

  /// The same where nothing may be assumed: the fallback comes after whatever is asked about, and
  /// so does the deferral.
  func certainlyUnreachable(_ life: Life) -> Int? {
    if let unlink = lastUnlink(life) { return unlink }
    guard let queue = queue(life), events[queue].kind != .tableFallback,
      path(life) != .tableDefer
    else { return nil }
    return queue
  }

  private func lastUnlink(_ life: Life) -> Int? {
    let last = places(life, .tableInstall, .tableUnlink).last
    return last.flatMap { events[$0].kind == .tableUnlink ? $0 : nil }
  }

  // MARK: - Grace periods

  /// A grace period is over at its `gp_end`, or one of a later number; at the latest where another
  /// begins, since they never overlap; or where `synchronize_rcu()` returns.
  private func findGracePeriods() -> [(start: Int, end: Int)] {
    var result: [(start: Int, end: Int)] = []
    for (start, event) in events.enumerated() {
      if event.kind == .synchronizeStart {
        // Returned: the next such event of the task.
        let next = events.indices.first {
          $0 > start && events[$0].task == event.task
            && [.synchronizeStart, .synchronizeEnd].contains(events[$0].kind)
        }
        if let next, events[next].kind == .synchronizeEnd { result.append((start, next)) }
      }
      guard event.kind == .gracePeriodStart, current(before: start) != Self.number(event) else {
        continue
      }
      let end = events.indices.first { isEnd($0, of: event, from: start) }
      if let end { result.append((start, end)) }
    }
    return result
  }

  private static func number(_ event: Event) -> Int64 { Int64(bitPattern: event.object) >> 2 }

  /// Whether the event at `place` says that the grace period `event` is over.
  private func isEnd(_ place: Int, of event: Event, from start: Int) -> Bool {
    guard place > start else { return false }
    switch events[place].kind {
    case .gracePeriodEnd: return Self.number(events[place]) >= Self.number(event)
    case .gracePeriodStart: return Self.number(events[place]) != Self.number(event)
    default: return false
    }
  }

  /// Number of the grace period in progress before `place`.
  private func current(before place: Int) -> Int64? {
    guard let start = last(before: place, { $0.kind == .gracePeriodStart }) else { return nil }
    let number = Self.number(events[start])
    let over = exists(from: start, before: place) {
      $0.kind == .gracePeriodEnd && Self.number($0) >= number
    }
    return over ? nil : number
  }

  /// A grace period began after `since` and was over before `place`.
  func gracePeriodPassed(since: Int, before place: Int) -> Bool {
    gracePeriods.contains { $0.start > since && $0.end < place }
  }
}
