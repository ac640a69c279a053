import TraceFormat

/// Parents that fork; children that fault a little and exit.
struct ForkExit: Workload {
  let name = "fork-exit"
  let summary = "parents fork, children fault a little and exit"

  func start(on machine: Machine) {
    let mix = ChurnMix(
      map: 3, unmap: 1, touch: 4, lookM: 1, lookN: 1, pin: 2, fork: 8, tablesPerRegion: 1...4,
      regionLimit: 5)
    for _ in 0..<max(1, machine.cpus.count / 2) {
      machine.spawnProcess("forker", programs: [{ Churn(mix) }])
    }
  }
}
