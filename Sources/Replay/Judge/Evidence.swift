public import TraceFormat

/// The events that findings rest on, fetched once the findings are known.
///
/// Judging keeps places only; a second pass picks up the few events that will be printed. That
/// keeps a life small while tracing and costs nothing where nothing was found.
public struct Evidence: Sendable {
  private var events: [Ordinal: Event] = [:]
  private var names: [UInt32: String] = [:]

  /// No evidence.
  public init() {}

  /// Places of the events that the findings of `result` rest on, in order.
  public static func places(of result: CheckResult) -> [Ordinal] {
    var wanted: Set<Ordinal> = []
    for judgement in result.judgements {
      for group in judgement.findings {
        for candidate in group.exemplars {
          wanted.formUnion(History(of: candidate).steps.map(\.ordinal))
        }
      }
    }
    return wanted.sorted()
  }

  /// Fetches what the findings of `result` rest on from `source`, which is at its start.
  ///
  /// - Parameter history: what is known of the events before the first one of `source`.
  public init(
    for result: CheckResult, from source: any EventSource, after history: TraceHistory? = nil
  ) throws {
    let wanted = Set(Self.places(of: result))
    guard let last = wanted.max() else { return }
    for item in history?.items ?? [] where wanted.contains(Ordinal(item.ordinal)) {
      events[Ordinal(item.ordinal)] = item.event
      names[item.event.task] = history?.taskNames[item.event.task]
    }
    var batch = EventBatch()
    while try source.next(into: &batch) {
      let first = Ordinal(batch.firstOrdinal)
      for (index, event) in batch.events.enumerated() where wanted.contains(first + Ordinal(index))
      {
        events[first + Ordinal(index)] = event
        if names[event.task] == nil { names[event.task] = source.taskName(event.task) }
      }
      if first + Ordinal(batch.events.count) > last { break }
    }
  }

  /// The event at a place, if it was fetched.
  public subscript(ordinal: Ordinal) -> Event? { events[ordinal] }

  /// Name of the task of a fetched event.
  public func taskName(_ task: UInt32) -> String? { names[task] }
}

/// What is known of the life of the object of a finding, in order.
public struct History: Sendable {
  /// One step.
  public struct Step: Sendable, Hashable {
    /// What happened, as a heading (`allocated`, `queued` …).
    public let role: String
    /// Where.
    public let ordinal: Ordinal
  }

  /// The steps, in the order of the trace.
  public let steps: [Step]

  /// The history that `candidate` saw, its own event last.
  public init(of candidate: Candidate) {
    var found: [Step] = []
    func add(_ role: String, _ ordinal: Ordinal) {
      if ordinal != .none { found.append(Step(role: role, ordinal: ordinal)) }
    }
    if let table = candidate.table {
      add("allocated", table.allocAt)
      add("constructed", table.constructAt)
      add("installed", table.installAt)
      add("unlinked", table.unlinkAt)
      add("ptlock freed", table.lockFreeAt)
      add("destructed", table.destructAt)
      add("queued", table.queueAt)
      add("fell back", table.fallbackAt)
      add("freed", table.freeAt)
    }
    if let lock = candidate.lock, Self.belongs(lock, to: candidate) {
      add("ptlock allocated", lock.allocAt)
      add("ptlock freed", lock.freeAt)
      add("ptlock taken", lock.heldSince)
    }
    if let callback = candidate.callback {
      add("call_rcu", callback.queuedAt)
      add("callback started", callback.startedAt)
    }
    add("since", candidate.since)
    var byPlace: [Ordinal: String] = [:]
    for step in found where step.ordinal != candidate.ordinal {
      if byPlace[step.ordinal] == nil { byPlace[step.ordinal] = step.role }
    }
    steps =
      byPlace.sorted { $0.key < $1.key }.map { Step(role: $0.value, ordinal: $0.key) }
      + [Step(role: "here", ordinal: candidate.ordinal)]
  }

  /// The memory of a table's lock may be another table's lock by now, whose life is not told here.
  private static func belongs(_ lock: LockLife, to candidate: Candidate) -> Bool {
    guard candidate.event.kind.fields.space == .table, let table = candidate.table else {
      return true
    }
    return lock.pfn == table.pfn && lock.tableGeneration == table.generation
  }
}
