import Simulator
import Testing
import TraceFormat

@Suite struct SimulationTests {
  @Test(arguments: Workloads.names)
  func theSeedDecidesEverything(workload: String) throws {
    let stage = try Stage(named: "S3.sbi")
    let first = try simulate(stage, workload, seed: 7)
    let again = try simulate(stage, workload, seed: 7)
    let other = try simulate(stage, workload, seed: 8)
    #expect(first.events == again.events)
    #expect(first.events != other.events)
  }

  @Test func headerSaysWhatTheMachineIs() throws {
    var options = SimulationOptions(stage: try Stage(named: "S3"), workload: "fork-exit")
    options.seed = 42
    options.mode = .sv57
    let header = try Simulation(options).header()
    #expect(header.source == "simulator")
    #expect(header.stage == "S3.sbi")
    #expect(header.workload == "fork-exit")
    #expect(header.seed == 42)
    #expect(header.cpus == 4)
    #expect(header.clock == .nanoseconds("simulated"))
    #expect(header.options["mode"] == "sv57")
    #expect(header.capabilities.kinds.values.allSatisfy { $0 == .sure })
    #expect(header.capabilities[.readerAccess] == .sure)
    #expect(header.capabilities[.tablePut] == nil)
    #expect(header.capabilities[.loss] == nil)
  }

  @Test(arguments: Workloads.names)
  func everyEmittedKindIsDeclared(workload: String) throws {
    for stage in Stage.all {
      let trace = try simulate(stage, workload, events: 2_000)
      let kinds = Set(trace.events.map(\.kind))
      #expect(kinds.allSatisfy { trace.header.capabilities[$0] == .sure })
    }
  }

  @Test func timeNeverGoesBackAndTasksHaveNames() throws {
    let trace = try simulate(Stage(named: "S1.ipi"), "fork-exit")
    #expect(zip(trace.events, trace.events.dropFirst()).allSatisfy { $0.time <= $1.time })
    for task in Set(trace.events.map(\.task)) where task != 0 {
      #expect(trace.taskName(task) != nil, "pid \(task)")
    }
    #expect(trace.taskName(1) == "init")
  }

  @Test func grantedGracePeriodsCountFromBelowZero() throws {
    let trace = try simulate(Stage(named: "S4"), "fork-exit")
    let starts = trace.events.filter { $0.kind == .gracePeriodStart }.map(\.object)
    let ends = trace.events.filter { $0.kind == .gracePeriodEnd }.map(\.object)
    #expect(starts.first == UInt64(bitPattern: -300 << 2 | 1))
    #expect(Array(starts.prefix(ends.count)) == ends)
    #expect(zip(starts, starts.dropFirst()).allSatisfy { $1 == $0 &+ 4 })
  }

  @Test func callbacksRunInSoftirqOnTheQueueingCPU() throws {
    let trace = try simulate(Stage(named: "S3.sbi"), "munmap-churn")
    var queuedOn: [UInt64: UInt16] = [:]
    var inside: [UInt16: UInt64] = [:]
    var destructedInside = 0
    for event in trace.events {
      switch event.kind {
      case .callRCU: queuedOn[event.object] = event.cpu
      case .callbackStart:
        #expect(queuedOn[event.object] == event.cpu && event.context == .softirq)
        inside[event.cpu] = event.object
      case .callbackEnd: inside[event.cpu] = nil
      case .tableDestruct where event.context == .softirq:
        #expect(inside[event.cpu] != nil)
        destructedInside += 1
      default: break
      }
    }
    #expect(destructedInside > 50)
  }

  @Test func wrongOptionsAreRefused() throws {
    let stage = try Stage(named: "S4")
    var options = SimulationOptions(stage: stage, workload: "nothing")
    let error = #expect(throws: TraceError.self) { try Simulation(options) }
    #expect(error?.hint.contains("munmap-churn") == true)
    options.workload = "munmap-churn"
    for cpus in [0, -1, 65] {
      options.cpus = cpus
      #expect(throws: TraceError.self) { try Simulation(options) }
    }
    #expect(throws: TraceError.self) { try simulate(stage, "reclaim-race", cpus: 1) }
  }

  @Test func whatTheSinkThrowsEndsTheRun() throws {
    final class FullSink: EventSink {
      var left = 100
      func append(_ event: Event) throws {
        left -= 1
        if left < 0 { throw TraceError(file: "sink", what: "is full") }
      }
      func setTaskName(_ name: String, of task: UInt32) {}
      func addString(_ text: String) -> UInt64 { 0 }
    }
    let simulation = try Simulation(
      SimulationOptions(stage: try Stage(named: "S4"), workload: "fork-exit"))
    #expect(throws: TraceError.self) { try simulation.run(into: FullSink()) }
  }
}
