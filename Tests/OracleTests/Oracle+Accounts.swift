import TraceFormat

/// I30 and I33 to I36: what must balance, and what must be gone.
extension Oracle {
  static let accounts: [Question] = [
    ("I30", { $0.gatherComplete() }), ("I33", { $0.statistic() }), ("I34", { $0.tableBytes() }),
    ("I35", { $0.lockBelongs() }), ("I36", { $0.leaks() }),
  ]

  /// I30: nothing pending where a gather ends.
  private func gatherComplete() -> [Breach] {
    all(.gatherFinish).flatMap { place -> [Breach] in
      let event = events[place]
      let start = last(before: place) {
        [.gatherStart, .gatherFinish].contains($0.kind) && $0.object == event.object
      }
      guard let start, events[start].kind == .gatherStart, events[start].task == event.task else {
        return []
      }
      var result: [Breach] = []
      let pending = batch(of: event.task, before: place)
      if let first = pending.first, events[first].arg0 == event.object, first > start {
        result.append(Breach(at: place, since: first))
      }
      let page = last(from: start, before: place) {
        $0.kind == .tableQueuePage && $0.arg0 == event.object && $0.task == event.task
      }
      if let page,
        !places(page..<place, { $0.kind == .flushEnd && $0.task == event.task })
          .contains(where: { isInside($0, start) })
      {
        result.append(Breach(at: place, since: page))
      }
      let raised = places(start..<place) {
        $0.kind == .mmFlushPending && $0.task == event.task
      }.filter { isInside($0, start) }.reduce(Int64(0)) { $0 + Int64(bitPattern: events[$1].arg0) }
      if raised != 0 { result.append(Breach(at: place, since: start)) }
      return result
    }
  }

  /// What a task does belongs to the gather it started last, until that is finished.
  private func isInside(_ place: Int, _ start: Int) -> Bool {
    last(before: place) {
      [.gatherStart, .gatherFinish].contains($0.kind) && $0.task == events[start].task
    } == start
  }

  /// I33: up at the constructor, down by as much at the destructor, nothing left at quiesce.
  private func statistic() -> [Breach] {
    var result: [Breach] = []
    var sum: [(at: Int, pages: Int64)] = []
    for place in all(.tableConstruct) {
      let pages = Int64(bitPattern: events[place].arg1)
      if !isKernel(life(at: place)), !events[place].flags.contains(.kernelTable) {
        sum.append((place, pages))
      }
      if pages <= 0 { result.append(Breach(at: place, since: place)) }
    }
    for place in all(.tableDestruct) {
      let life = life(at: place)
      let pages = Int64(bitPattern: events[place].arg1)
      guard !isKernel(life) else { continue }
      if owesDestructor(life) {
        let constructor = constructor(life)!
        sum.append((place, pages))
        if pages != -Int64(bitPattern: events[constructor].arg1) {
          result.append(Breach(at: place, since: constructor))
        }
      } else if isBorn(life) {
        sum.append((place, pages))
      }
    }
    if let quiesce = all(.quiesce).last,
      sum.reduce(0, { $0 + ($1.at < quiesce ? $1.pages : 0) }) != 0
    {
      result.append(Breach(at: quiesce, since: all(.tableAlloc, .tableConstruct).first ?? -1))
    }
    return result
  }

  /// I34: by one page at a time, never negative, 0 when the mm is freed.
  private func tableBytes() -> [Breach] {
    var result: [Breach] = []
    for place in all(.mmBytes, .mmFree) {
      let event = events[place]
      let born = last(before: place) { $0.kind == .mmNew && $0.object == event.object }
      let freed = last(from: born ?? 0, before: place) {
        $0.kind == .mmFree && $0.object == event.object
      }
      let bytes = places((born ?? 0)..<place) {
        $0.kind == .mmBytes && $0.object == event.object
      }.reduce(Int64(0)) { $0 + Int64(bitPattern: events[$1].arg0) }
      if event.kind == .mmFree {
        if let born, freed == nil, bytes != 0 { result.append(Breach(at: place, since: born)) }
        continue
      }
      let delta = Int64(bitPattern: event.arg0)
      let here = Breach(at: place, since: place)
      if abs(delta) != 4096 { result.append(here) }
      if [.p4d, .pgd].contains(event.level) { result.append(here) }
      if [.softirq, .hardirq].contains(event.context) { result.append(here) }
      if let freed {
        result.append(Breach(at: place, since: freed))
      } else if let born, delta < 0, bytes + delta < 0 {
        result.append(Breach(at: place, since: born))
      }
    }
    return result
  }

  /// I35: one table at a time, freed once, none left at quiesce.
  private func lockBelongs() -> [Breach] {
    var result: [Breach] = []
    for place in all(.lockAlloc, .lockFree) {
      let event = events[place]
      let lock = lockLife(event.object, at: place)
      if event.kind == .lockAlloc {
        guard lock.born >= 0, freed(lock) == nil else { continue }
        result.append(Breach(at: place, since: lock.born))
      } else if let free = freed(lock) {
        result.append(Breach(at: place, since: free))
      } else if lock.born >= 0, event.arg0 != 0, events[lock.born].arg0 != 0,
        event.arg0 != events[lock.born].arg0
      {
        result.append(Breach(at: place, since: lock.born))
      }
    }
    guard let quiesce = all(.quiesce).last else { return result }
    for address in Set(all(.lockAlloc).map { events[$0].object }).sorted() {
      let lock = lockLife(address, at: events.count)
      guard lock.born < quiesce, freed(lock) == nil else { continue }
      result.append(Breach(at: quiesce, since: lock.born))
    }
    return result
  }

  /// I36: every user table and every batch page is freed at quiesce.
  private func leaks() -> [Breach] {
    guard let quiesce = all(.quiesce).last else { return [] }
    var result: [Breach] = []
    for pfn in Set(all(.tableAlloc).map { events[$0].object }).sorted() {
      let life = life(pfn, at: events.count)
      guard life.born < quiesce, !isFreed(life), !isKernel(life) else { continue }
      result.append(Breach(at: quiesce, since: life.born))
    }
    for page in Set(all(.batchNew).map { events[$0].object }).sorted() {
      let new = last(before: events.count) { $0.kind == .batchNew && $0.object == page }!
      let isFreed = exists(from: new, before: events.count) {
        $0.kind == .batchFree && $0.object == page
      }
      if !isFreed, new < quiesce { result.append(Breach(at: quiesce, since: new)) }
    }
    return result
  }
}
