import TraceFormat

/// Pinners that walk with IRQs off, against tasks that unmap what they walk.
struct GupStress: Workload {
  let name = "gup-stress"
  let summary = "tasks pin pages with IRQs off while others unmap them"

  func start(on machine: Machine) {
    let churn = ChurnMix(
      map: 5, unmap: 5, touch: 2, lookM: 1, lookN: 1, pagesPerTable: 2...8, regionLimit: 4,
      thinkNanoseconds: 50_000...500_000)
    let pin = ChurnMix(
      map: 1, touch: 1, pin: 8, regionLimit: 4, pinsInARow: 4...24,
      thinkNanoseconds: 20_000...200_000)
    for _ in 0..<max(1, machine.cpus.count / 2) {
      machine.spawnProcess(
        "gup", programs: [{ Churn(churn) }, { Churn(pin) }, { Churn(pin) }, { Churn(churn) }])
    }
  }
}
