import TraceFormat

/// The churn, with one batch page in five not to be had.
struct MemoryPressure: Workload {
  let name = "memory-pressure"
  let summary = "as munmap-churn, with batch pages that often cannot be had"

  func start(on machine: Machine) {
    machine.batchFailurePermille = 200
    let mix = ChurnMix(
      map: 6, unmap: 5, touch: 4, lookM: 2, lookN: 2, pin: 4, fork: 1, tablesPerRegion: 1...10,
      pagesPerTable: 1...8)
    for _ in 0..<max(1, machine.cpus.count / 2) {
      machine.spawnProcess("pressed", programs: [{ Churn(mix) }, { Churn(mix) }])
    }
  }
}
