import ArgumentParser
import Simulator
import TraceFormat

/// `tracetool record`: run the simulator, write what it saw.
struct Record: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Simulate a kernel at one stage of the patch series and record it.",
    discussion: """
      A stage is a label, a kernel version or a commit of the series. The same arguments always \
      make the same file. To compare two stages, record both with the same workload and seed. \
      Ctrl-C ends a recording early: the file is complete up to there, and says so.

      EXAMPLES:
        tracetool record --stage S1.sbi --workload munmap-churn --seed 7 -o a.ptt
        tracetool record --stage v6.14 --cpus 8 --mode sv57 --events 1000000 -o a.ptt
        tracetool record --stage deab5a355e52 --workload reclaim-race -o a.ptt
        tracetool record -q --stage S4 -o - | tracetool info -
        tracetool record --list-stages
      """)

  @Option(
    help: ArgumentHelp(
      "Stage, kernel version or commit; --list-stages shows them.", valueName: "LABEL"))
  var stage = "S4"

  @Option(help: ArgumentHelp("What runs; --list-workloads shows them.", valueName: "NAME"))
  var workload = "munmap-churn"

  @Option(help: ArgumentHelp("CPUs, 1 to 64.", valueName: "N"))
  var cpus = 4

  @Option(help: ArgumentHelp("Seed of every choice.", valueName: "S"))
  var seed: UInt64 = 1

  @Option(help: ArgumentHelp("Go on until about this many events.", valueName: "N"))
  var events = 20_000

  @Option(help: "Paging mode.")
  var mode = Mode.sv39

  @Flag(help: "The ptlock lies in the page descriptor, as in builds without lock debugging.")
  var embeddedPtlock = false

  @Option(
    name: [.short, .customLong("output")],
    help: ArgumentHelp("The trace file to write; - is stdout.", valueName: "FILE"))
  var output: String?

  @Flag(help: "List the stages and end.")
  var listStages = false

  @Flag(help: "List the workloads and end.")
  var listWorkloads = false

  @OptionGroup var writing: WritingOptions
  @OptionGroup var verbosity: VerbosityOptions

  /// The simulator's paging modes as words of the command line.
  enum Mode: String, ExpressibleByArgument, CaseIterable {
    case sv39
    case sv48
    case sv57

    /// The mode itself.
    var pagingMode: PagingMode {
      switch self {
      case .sv39: .sv39
      case .sv48: .sv48
      case .sv57: .sv57
      }
    }
  }

  func validate() throws {
    if listStages || listWorkloads { return }
    guard output != nil else {
      throw ValidationError("record needs a file to write: -o FILE, or -o - for stdout")
    }
    _ = try simulation()
  }

  func run() throws {
    if listStages || listWorkloads { return try printLists() }
    let simulation = try simulation()
    var header = simulation.header()
    header.producer = toolProducer
    let path = output ?? "-"
    StreamStop.arm()
    let writer = try TraceWriter(path: path, header: header, options: writing.writerOptions)
    var isInterrupted = false
    do {
      isInterrupted = try !run(simulation, into: writer, path)
      ProgressBar.clear()
      if isInterrupted {
        header.remarks.append("the recording was interrupted after \(writer.eventCount) events")
      }
      try writer.finish(header: header)
    } catch {
      writer.abandon()
      throw error
    }
    verbosity.note(
      "\(path): \(writer.eventCount) events of \(header.workload ?? workload) on "
        + "\(header.stage ?? stage), \(cpus) CPUs, seed \(seed); \(writer.byteCount) bytes"
        + (isInterrupted ? "; interrupted" : ""))
    if isInterrupted { throw ExitCode(interruptedExitCode) }
  }

  /// Records; false if an interrupt ended it.
  private func run(
    _ simulation: Simulation, into writer: TraceWriter, _ path: String
  ) throws -> Bool {
    let sink = StoppableSink(writer)
    do {
      if let bar = ProgressBar("record \(path)", .events, verbosity) {
        try simulation.run(into: WatchedSink(sink, bar, total: UInt64(max(0, events))))
      } else {
        try simulation.run(into: sink)
      }
      return true
    } catch is StoppableSink.Stopped {
      return false
    }
  }

  /// What was asked for; anything wrong with it is a usage error.
  private func simulation() throws -> Simulation {
    do {
      var options = SimulationOptions(stage: try Stage(named: stage), workload: workload)
      options.cpus = cpus
      options.seed = seed
      options.events = events
      options.mode = mode.pagingMode
      options.splitPtlock = !embeddedPtlock
      return try Simulation(options)
    } catch {
      throw ValidationError("\(error)")
    }
  }

  private func printLists() throws {
    let output = try TextOutput.open(output ?? "-")
    if listStages {
      for stage in Stage.all + Stage.variants {
        try output.writeLine(stage.label.padding(to: 10) + stage.summary)
      }
    }
    if listWorkloads {
      for name in Workloads.names {
        try output.writeLine(name.padding(to: 18) + (Workloads.summary(of: name) ?? ""))
      }
    }
    try output.close()
  }
}
