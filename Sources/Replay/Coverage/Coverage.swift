public import TraceFormat

/// Which orderings of teardown and readers a load has exercised, over any number of traces.
///
/// Two tables of counts: who held a table while a step of its teardown happened, and what readers
/// did in which state of the table. Their size is fixed, whatever is read.
public struct Coverage: Sendable {
  /// A place where something was seen.
  public struct Example: Sendable, Equatable {
    /// The trace, as the user named it.
    public let file: String
    /// The event.
    public let ordinal: Ordinal
  }

  /// How often something was seen, and where first.
  public struct Cell: Sendable, Equatable {
    /// Times.
    public internal(set) var count = 0
    /// The first of them.
    public internal(set) var first: Example?
  }

  /// What was never seen, and could have been.
  public struct Hole: Sendable, Equatable {
    /// The step, or what a reader does.
    public let event: String
    /// Who holds the table, or what state it is in; nil: in no way at all.
    public let during: String?
  }

  /// Traces read.
  public private(set) var traces: [String] = []
  /// Events read.
  public private(set) var events: UInt64 = 0
  /// Kinds that some trace could have shown; what an importer concludes shows no order.
  private(set) var visible = KindSet()
  private var steps = [Cell](
    repeating: Cell(), count: TeardownStep.allCases.count * TableHolder.allCases.count)
  private var readers = [Cell](
    repeating: Cell(), count: ReaderStep.allCases.count * TableState.allCases.count)

  /// Nothing seen yet.
  public init() {}

  /// How often a step happened to a table that was held so.
  public subscript(step: TeardownStep, holder: TableHolder) -> Cell {
    steps[Self.place(step, holder)]
  }

  /// How often readers did this to a table in this state.
  public subscript(step: ReaderStep, state: TableState) -> Cell {
    readers[Self.place(step, state)]
  }

  private static func place(_ step: TeardownStep, _ holder: TableHolder) -> Int {
    Int(step.rawValue) * TableHolder.allCases.count + Int(holder.rawValue)
  }

  private static func place(_ step: ReaderStep, _ state: TableState) -> Int {
    Int(step.rawValue) * TableState.allCases.count + Int(state.rawValue)
  }

  /// Counts a step once for each sort of holder there was.
  mutating func count(_ step: TeardownStep, _ holders: Set<TableHolder>, at ordinal: Ordinal) {
    for holder in TableHolder.allCases where holders.contains(holder) {
      Self.count(&steps[Self.place(step, holder)], traces.last ?? "", ordinal)
    }
  }

  mutating func count(_ step: ReaderStep, _ state: TableState, at ordinal: Ordinal) {
    Self.count(&readers[Self.place(step, state)], traces.last ?? "", ordinal)
  }

  private static func count(_ cell: inout Cell, _ file: String, _ ordinal: Ordinal) {
    cell.count += 1
    if cell.first == nil { cell.first = Example(file: file, ordinal: ordinal) }
  }

  /// Reads a trace to its end.
  public mutating func add(_ source: any EventSource, file: String) throws {
    traces.append(file)
    var observer = CoverageObserver(machine: source.header.machine)
    var batch = EventBatch()
    while try source.next(into: &batch) {
      events += UInt64(batch.events.count)
      observer.take(batch, into: &self)
    }
    // A header is complete only at the end.
    for kind in EventKind.allCases where source.header.capabilities[kind] ?? .inferred != .inferred
    {
      visible.insert(kind)
    }
  }

  /// Whether anything was counted at all.
  public var isEmpty: Bool { (steps + readers).allSatisfy { $0.count == 0 } }

  /// Whether a step ever happened, whoever held the table.
  public func happened(_ step: TeardownStep) -> Bool {
    TableHolder.allCases.contains { self[step, $0].count > 0 }
  }

  /// Whether readers can be seen holding tables.
  public var seesReaders: Bool {
    [EventKind.readerEnter, .readerExit, .readerLoad].allSatisfy(visible.contains)
  }

  private func sees(_ kinds: KindSet) -> Bool { kinds.kinds.allSatisfy(visible.contains) }

  /// Whether the traces can show this holder.
  public func sees(_ holder: TableHolder) -> Bool {
    switch holder {
    case .nobody: true
    case .spins: seesReaders && sees([.lockWait])
    case .holdsLock: seesReaders && sees([.lockAcquire, .lockRelease])
    default: seesReaders
    }
  }

  /// Steps the traces can show.
  public var visibleSteps: [TeardownStep] { TeardownStep.allCases.filter { sees($0.kinds) } }

  /// What readers do, as far as the traces can show it.
  public var visibleReaders: [ReaderStep] { ReaderStep.allCases.filter { sees($0.kinds) } }

  /// What the traces could have shown, a sound kernel could have done, and never happened.
  ///
  /// A step that the kernel did in another of its ways is none, nor is a holder of a step that
  /// never happened at all: that is one hole.
  public var holes: [Hole] {
    var holes: [Hole] = []
    for step in visibleSteps {
      guard happened(step) else {
        if !step.alternatives.contains(where: happened) {
          holes.append(Hole(event: step.name, during: nil))
        }
        continue
      }
      for holder in TableHolder.allCases
      where holder != .nobody && sees(holder) && step.isReachable(with: holder) {
        guard self[step, holder].count == 0 else { continue }
        holes.append(Hole(event: step.name, during: holder.phrase))
      }
    }
    for reader in visibleReaders {
      let states = TableState.allCases.filter { self[reader, $0].count > 0 }
      guard !states.isEmpty else {
        holes.append(Hole(event: "a reader " + reader.name, during: nil))
        continue
      }
      for state in TableState.allCases
      where reader.isReachable(in: state) && self[reader, state].count == 0 && isReached(state) {
        holes.append(Hole(event: "a reader " + reader.name, during: "the table is \(state.name)"))
      }
    }
    return holes
  }

  /// A state that a kernel without RCU callbacks never brings a table into is no hole.
  private func isReached(_ state: TableState) -> Bool {
    switch state {
    case .given, .inGracePeriod: happened(.callRCU)
    default: true
    }
  }
}
