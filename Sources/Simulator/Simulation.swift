public import TraceFormat

/// What to simulate.
public struct SimulationOptions: Sendable {
  /// The patch version.
  public var stage: Stage
  /// Name of the workload.
  public var workload: String
  /// Number of CPUs, 1 to 64.
  public var cpus = 4
  /// Seed of every choice.
  public var seed: UInt64 = 1
  /// The workload goes on until about this many events have been emitted.
  public var events = 20_000
  /// Paging mode.
  public var mode = PagingMode.sv39
  /// Whether the ptlock is an object of its own (ALLOC_SPLIT_PTLOCKS); no lock events if not.
  public var splitPtlock = true

  /// Options with everything but stage and workload at its default.
  public init(stage: Stage, workload: String) {
    self.stage = stage
    self.workload = workload
  }
}

/// One run of the simulated machine: a header and the events that follow from the options.
public struct Simulation {
  private let options: SimulationOptions
  private let workload: any Workload

  /// Checks the options.
  ///
  /// - Throws: ``TraceError`` for an unknown workload, and for numbers out of range.
  public init(_ options: SimulationOptions) throws(TraceError) {
    guard (1...64).contains(options.cpus) else {
      throw TraceError(
        file: "simulator", what: "cannot simulate \(options.cpus) CPUs", hint: "use 1 to 64")
    }
    guard options.events >= 0 else {
      throw TraceError(
        file: "simulator", what: "cannot emit \(options.events) events", hint: "use 0 or more")
    }
    self.options = options
    workload = try Workloads.named(options.workload)
  }

  /// What the trace says about itself.
  public func header() -> TraceHeader {
    var header = TraceHeader(
      source: "simulator", producer: "tracetool", cpus: options.cpus,
      clock: .nanoseconds("simulated"))
    header.stage = options.stage.label
    header.arch = "riscv64"
    header.workload = workload.name
    header.seed = options.seed
    header.options = [
      "events": String(options.events), "mode": options.mode.rawValue,
      "split_ptlock": options.splitPtlock ? "yes" : "no",
      "transport": options.stage.transport.rawValue,
    ]
    var machine = MachineFacts()
    machine.levels = ([.pgd] + options.mode.levels).map(\.name)
    machine.linearMap = PageAllocator.linearMap
    machine.batchCapacity = UInt64(TableBatch.capacity)
    machine.observesContext = true
    machine.observesEnqueue = true
    machine.observesFreeFunction = true
    header.machine = machine
    for kind in EventKind.allCases where isVisible(kind) {
      header.capabilities[kind] = .sure
    }
    return header
  }

  /// Runs to the end; the last event is `quiesce`.
  ///
  /// - Throws: what the sink throws, and ``TraceError`` where the workload cannot run on so few
  ///   CPUs.
  public func run(into sink: any EventSink) throws {
    let machine = Machine(
      stage: options.stage, mode: options.mode, cpus: options.cpus, seed: options.seed,
      targetEvents: options.events, splitPtlock: options.splitPtlock,
      schedule: RandomSchedule(seed: options.seed), sink: sink)
    try machine.run(workload)
  }

  /// The machine sees whatever it does; the rest belongs to live sources and to recordings.
  private func isVisible(_ kind: EventKind) -> Bool {
    switch kind {
    case .tablePut, .loss, .lossEnd, .mark: false
    case .tableReclaim: options.stage.ptReclaim
    case .lockAlloc, .lockFree, .lockWait, .lockAcquire, .lockRelease: options.splitPtlock
    default: true
    }
  }
}

extension Machine {
  /// Runs a workload from its first task to `quiesce`.
  func run(_ workload: any Workload) throws {
    spawnReaper()
    actor = Actor(cpu: 0, task: 1, context: .task)
    try workload.start(on: self)
    try run()
  }
}
