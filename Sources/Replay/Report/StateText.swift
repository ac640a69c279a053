public import TraceFormat

/// The machine at one instant, as text: tables by phase, batches, callbacks, readers, locks.
public struct StateText {
  private let state: Resolver
  private let header: TraceHeader
  private let names: (UInt32) -> String?
  /// Objects listed per heading; the rest are counted.
  private let limit: Int

  /// A view of `state`.
  public init(
    _ state: Resolver, header: TraceHeader, limit: Int, names: @escaping (UInt32) -> String?
  ) {
    self.state = state
    self.header = header
    self.names = names
    self.limit = limit
  }

  /// The lines.
  public var lines: [String] {
    tables + batches + callbacks + gracePeriod + readers + locks + holes
  }

  private func list<T>(_ title: String, _ items: [T], _ line: (T) -> String) -> [String] {
    var lines = ["\(title): \(Figures.count(items.count))"]
    lines += items.prefix(limit).map { "  " + line($0) }
    if items.count > limit { lines.append("  … and \(Figures.count(items.count - limit)) more") }
    return lines
  }

  /// `0x88fb5#1 pte`.
  static func name(_ table: TableLife) -> String {
    "\(Figures.hex(table.pfn))#\(table.generation)"
      + (table.level == .unknown ? "" : " \(table.level.name)")
  }

  private var tables: [String] {
    var byPhase: [[TableLife]] = Array(repeating: [], count: Phase.allCases.count)
    for table in state.tables {
      let phase = state.phase(of: table)
      if phase != .freed { byPhase[phase.rawValue].append(table) }
    }
    var lines = ["live tables: \(Figures.count(byPhase.reduce(0) { $0 + $1.count }))"]
    for phase in Phase.allCases where !byPhase[phase.rawValue].isEmpty {
      let found = byPhase[phase.rawValue].sorted { $0.firstAt < $1.firstAt }
      lines += list(phase.name, found) { table in
        var text = Self.name(table)
        if table.mm != 0 { text += " mm=\(Figures.hex(table.mm))" }
        if table.destructAt != .none { text += " destructed #\(table.destructAt)" }
        if table.lockFreeAt != .none { text += " ptlock freed #\(table.lockFreeAt)" }
        text += " since #\(since(table))"
        if table.openLoads > 0 { text += " readers inside: \(table.openLoads)" }
        return text
      }.map { "  " + $0 }
    }
    return lines
  }

  private func since(_ table: TableLife) -> Ordinal {
    [
      table.firstAt, table.allocAt, table.constructAt, table.installAt, table.unlinkAt,
      table.queueAt, table.fallbackAt, table.destructAt,
    ].max() ?? table.firstAt
  }

  private var batches: [String] {
    let open = state.openBatches.sorted { $0.key < $1.key }
    return list("batches being filled", open) { task, slot in
      let batch = state.callbacks[Int(slot)]
      return "by \(name(task)): \(batch.members) tables since #\(batch.openedAt), gather "
        + Figures.hex(batch.gather)
    }
  }

  private var callbacks: [String] {
    let waiting = state.callbacks.filter { $0.queuedAt != .none && $0.runs == 0 }
      .sorted { $0.queuedAt < $1.queuedAt }
    let running = state.running.enumerated().compactMap { cpu, here in here.map { (cpu, $0) } }
    return list("callbacks waiting", waiting) { callback in
      "\(Figures.hex(callback.head))#\(callback.generation) \(callback.function.name) "
        + load(callback) + " call_rcu #\(callback.queuedAt) on cpu\(callback.cpu): "
        + waitsFor(callback)
    }
      + list("callbacks running", running) { cpu, here in
        let head = here.slot < 0 ? "?" : Figures.hex(state.callbacks[Int(here.slot)].head)
        return "\(head) on cpu\(cpu) in \(name(here.task))"
      }
  }

  private func load(_ callback: CallbackLife) -> String {
    callback.function == .removeTableBatch
      ? "\(callback.load) tables" : "table \(Figures.hex(callback.load))"
  }

  private func waitsFor(_ callback: CallbackLife) -> String {
    let clock = state.gracePeriods
    if clock.lastCompletedStart > callback.queuedAt { return "its grace period is over, may run" }
    if let seq = clock.currentSeq, clock.currentStart > callback.queuedAt {
      return "waits for the end of grace period \(seq)"
    }
    if let seq = clock.currentSeq {
      return "waits for the grace period after \(seq), which began before it"
    }
    return "waits for a grace period to begin"
  }

  private var gracePeriod: [String] {
    let clock = state.gracePeriods
    if let seq = clock.currentSeq {
      return ["grace period \(seq) in progress since #\(clock.currentStart)"]
    }
    let last = clock.lastCompletedStart
    return [
      "no grace period in progress"
        + (last == .none ? ", none is over" : "; the last one that is over began at #\(last)")
    ]
  }

  private var readers: [String] {
    list("readers inside", state.openSections) { section in
      let tables = section.loads.map { "\(Figures.hex($0.pfn))#\($0.generation)" }
      return "section \(section.key)#\(section.generation) class \(section.readerClass.name) "
        + "on cpu\(section.cpu) in \(name(section.task)) since #\(section.since)"
        + (tables.isEmpty ? "" : ", loaded " + tables.joined(separator: " "))
    }
  }

  private var locks: [String] {
    let held = state.locks.filter { $0.heldSince != .none || $0.waiters > 0 }
      .sorted { max($0.heldSince, $0.waitingSince) < max($1.heldSince, $1.waitingSince) }
    return list("locks held or waited for", held) { lock in
      var text = "\(Figures.hex(lock.address))#\(lock.generation)"
      if lock.pfn != 0 { text += " of table \(Figures.hex(lock.pfn))#\(lock.tableGeneration)" }
      if lock.heldSince != .none {
        text += " held by \(name(lock.holder)) on cpu\(lock.holderCPU) since #\(lock.heldSince)"
      }
      if lock.waiters > 0 { text += ", \(lock.waiters) spinning" }
      if lock.freed { text += ", FREED at #\(lock.freeAt)" }
      return text
    }
  }

  private var holes: [String] {
    guard state.holes.any else { return [] }
    return state.holes.cleanSince == .max
      ? ["inside a hole of the recording: this state may be incomplete"]
      : ["the recording has holes; complete since #\(state.holes.cleanSince)"]
  }

  private func name(_ task: UInt32) -> String { (names(task) ?? "task") + "-\(task)" }
}
