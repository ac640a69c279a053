import TraceFormat

/// Takes a CPU offline for a while: its tasks move, its callbacks are appended to those of the CPU
/// this task runs on (kernel-facts §3 rule 5), and the other CPUs go on without it.
final class OfflineCPU: Operation {
  private enum State {
    case park
    case splice
    case sleep
    case bringUp
  }

  private let cpu: Int
  private let nanoseconds: Int
  private var state = State.park
  private var patience = 2_000

  init(_ cpu: Int, nanoseconds: Int) {
    self.cpu = cpu
    self.nanoseconds = nanoseconds
  }

  override func step(_ machine: Machine, _ task: KernelTask) -> Progress {
    let dead = machine.cpus[cpu]
    switch state {
    case .park:
      guard dead.isOnline, task.cpu != cpu else { return .done }
      patience -= 1
      guard machine.park(dead, movingTasksTo: machine.cpus[task.cpu]) else {
        return patience > 0 ? .more : .done
      }
      state = .splice
    case .splice:
      machine.splice(from: dead)
      state = .sleep
    case .sleep:
      state = .bringUp
      machine.sleep(task, nanoseconds: nanoseconds)
    case .bringUp:
      dead.isOnline = true
      machine.onlineCPUs |= 1 << UInt64(cpu)
      return .done
    }
    return .more
  }
}

extension Machine {
  /// Stops a CPU on which nothing is under way; false if something is.
  func park(_ cpu: CPU, movingTasksTo other: CPU) -> Bool {
    guard cpu.softirq == nil, cpu.interrupts.isEmpty, cpu.isQuiescent, evacuate(cpu, to: other)
    else { return false }
    cpu.isOnline = false
    // Whatever its page walker had cached is gone when the CPU comes back.
    cpu.walker = HardwareWalker()
    onlineCPUs &= ~(1 << UInt64(cpu.id))
    // A CPU that is offline is in a quiescent state.
    rcu.report(cpu.id)
    refresh(cpu)
    return true
  }

  /// Appends the callbacks of a dead CPU to those of the current one.
  func splice(from dead: CPU) {
    precondition(rcu.barrierWaiters.isEmpty, "rcu_barrier() while a CPU dies")
    emit(.callbacksSpliced, 0, UInt64(dead.id))
    cpus[actor.cpu].callbacks.splice(&dead.callbacks)
    refresh(dead)
    refresh(cpus[actor.cpu])
  }
}
