import TraceFormat

/// Processes of three tasks that map, fault, walk and unmap small regions side by side.
struct MunmapChurn: Workload {
  let name = "munmap-churn"
  let summary = "tasks map, fault, walk and unmap regions side by side"

  func start(on machine: Machine) {
    let mix = ChurnMix(
      map: 6, unmap: 4, touch: 6, lookM: 3, lookN: 3, pin: 4, hasHugeRounds: true)
    for process in 0..<max(1, machine.cpus.count / 2) {
      let huge = process == 0 && machine.hasRoomForHugeRounds ? 12 : nil
      machine.spawnProcess(
        "churn",
        programs: [
          { Churn(mix, hugeRoundAfter: huge) }, { Churn(mix) }, { Churn(mix) },
        ])
    }
  }
}
