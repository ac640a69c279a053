import TraceFormat

/// The churn, on CPUs that go offline and come back.
struct CPUHotplug: Workload {
  let name = "cpu-hotplug"
  let summary = "as munmap-churn, while CPUs go offline and come back"

  func start(on machine: Machine) {
    let mix = ChurnMix(
      map: 6, unmap: 5, touch: 6, lookM: 3, lookN: 3, pin: 4, fork: 1,
      thinkNanoseconds: 50_000...800_000)
    for _ in 0..<max(1, machine.cpus.count / 2) {
      machine.spawnProcess("plugged", programs: [{ Churn(mix) }, { Churn(mix) }, { Churn(mix) }])
    }
    guard machine.cpus.count > 1 else { return }
    machine.unfinishedDuties += 1
    machine.spawn("cpuhp", mm: nil, cpu: 0, program: Hotplugger()).isPinned = true
  }
}

/// Takes one CPU after another offline, never CPU 0, a few times at least.
final class Hotplugger: Operation {
  private static let rounds = 6

  private var done = 0

  override func step(_ machine: Machine, _ task: KernelTask) -> Progress {
    if done == Self.rounds { machine.unfinishedDuties -= 1 }
    if machine.isOver, done >= Self.rounds { return .done }
    done += 1
    let cpu = 1 + task.random.below(machine.cpus.count - 1)
    task.call(OfflineCPU(cpu, nanoseconds: task.random.within(200_000...4_000_000)))
    task.call(Sleep(nanoseconds: task.random.within(300_000...3_000_000)))
    return .more
  }
}
