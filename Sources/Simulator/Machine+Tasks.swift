import TraceFormat

/// Creating, waking, moving and ending tasks.
extension Machine {
  /// Starts a user task in `mm` on `cpu`.
  @discardableResult
  func spawn(_ name: String, mm: AddressSpace?, cpu: Int, program: Operation) -> KernelTask {
    let pid = allocatePid()
    let cpu = cpus[cpu].isOnline ? cpu : 0
    createdTasks += 1
    let task = KernelTask(
      pid: pid, name: name, stackAddress: stackAddresses.allocate(), mm: mm, cpu: cpu,
      random: SplitMix64(seed: seed, stream: 100 + createdTasks), program: program)
    mm?.users += 1
    userTasks += 1
    recordName(name, of: pid)
    admit(task)
    return task
  }

  /// Starts pid 1, which waits for the others, empties RCU and declares the end.
  func spawnReaper() {
    let task = KernelTask(
      pid: 1, name: "init", stackAddress: stackAddresses.allocate(), mm: nil, cpu: 0,
      random: SplitMix64(seed: seed, stream: 3), program: Reap())
    recordName("init", of: 1)
    admit(task)
  }

  private func admit(_ task: KernelTask) {
    let cpu = cpus[task.cpu]
    cpu.tasks.append(task)
    cpu.readyCount += 1
    refresh(cpu)
  }

  private func allocatePid() -> UInt32 {
    repeat {
      nextPid = nextPid >= 32767 ? 300 : nextPid + 1
    } while livePids.contains(nextPid)
    livePids.insert(nextPid)
    return nextPid
  }

  func block(_ task: KernelTask) {
    precondition(task.preemptCount == 0 && !task.irqsOff, "sleeping in an atomic section")
    task.state = .blocked
    cpus[task.cpu].readyCount -= 1
    refresh(cpus[task.cpu])
  }

  func wake(_ task: KernelTask) {
    guard task.state == .blocked else { return }
    task.state = .ready
    cpus[task.cpu].readyCount += 1
    refresh(cpus[task.cpu])
  }

  func sleep(_ task: KernelTask, nanoseconds: Int) {
    block(task)
    timers.insert(task, at: clock + UInt64(nanoseconds))
  }

  /// Moves a running task to another CPU, where it goes on.
  func migrate(_ task: KernelTask) {
    guard cpus.count > 1, !task.isPinned, task.preemptCount == 0 else { return }
    let to = cpus[(task.cpu + 1 + random.below(cpus.count - 1)) % cpus.count]
    if to.isOnline { migrate(task, to: to) }
  }

  private func migrate(_ task: KernelTask, to: CPU) {
    let from = cpus[task.cpu]
    from.tasks.removeAll { $0 === task }
    if from.current === task { from.current = nil }
    task.cpu = to.id
    to.tasks.append(task)
    if task.state == .ready {
      from.readyCount -= 1
      to.readyCount += 1
    }
    refresh(from)
    refresh(to)
  }

  /// Moves every task of a CPU to another one; false if one of them cannot leave now.
  func evacuate(_ cpu: CPU, to other: CPU) -> Bool {
    guard cpu.tasks.allSatisfy({ $0.preemptCount == 0 && !$0.irqsOff && !$0.isPinned }) else {
      return false
    }
    for task in cpu.tasks { migrate(task, to: other) }
    return true
  }

  /// Takes a task that has nothing left to do off its CPU.
  func retire(_ task: KernelTask) {
    let cpu = cpus[task.cpu]
    task.state = .exited
    cpu.tasks.removeAll { $0 === task }
    cpu.readyCount -= 1
    if cpu.current === task { cpu.current = nil }
    stackAddresses.release(task.stackAddress)
    guard task.pid != 1 else { return }
    livePids.remove(task.pid)
    userTasks -= 1
    if userTasks == 0, let waiting = reaper {
      reaper = nil
      wake(waiting)
    }
  }
}

/// What pid 1 does: wait for every user task, `rcu_barrier()`, `quiesce`.
final class Reap: Operation {
  private var barrierPassed = false

  override func step(_ machine: Machine, _ task: KernelTask) -> Progress {
    if machine.userTasks > 0 {
      machine.reaper = task
      machine.block(task)
      return .more
    }
    guard barrierPassed else {
      barrierPassed = true
      task.call(RCUBarrier())
      return .more
    }
    machine.emit(.quiesce)
    machine.hasQuiesced = true
    return .done
  }
}
