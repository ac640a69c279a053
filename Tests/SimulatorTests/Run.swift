import Simulator
import TraceFormat

/// Runs the simulator into memory.
func simulate(
  _ stage: Stage, _ workload: String, seed: UInt64 = 1, events: Int = 5_000, cpus: Int = 4,
  mode: PagingMode = .sv39, splitPtlock: Bool = true
) throws -> EventArray {
  var options = SimulationOptions(stage: stage, workload: workload)
  options.seed = seed
  options.events = events
  options.cpus = cpus
  options.mode = mode
  options.splitPtlock = splitPtlock
  let simulation = try Simulation(options)
  let trace = EventArray(header: simulation.header())
  try simulation.run(into: trace)
  return trace
}
