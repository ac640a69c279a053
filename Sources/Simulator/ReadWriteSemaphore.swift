/// mmap_lock: many readers or one writer, first come first served, sleeping.
final class ReadWriteSemaphore {
  private var readers = 0
  private var isWritten = false
  private var waiters: [(task: KernelTask, exclusive: Bool)] = []
  private var granted: [KernelTask] = []

  var isIdle: Bool { readers == 0 && !isWritten && waiters.isEmpty && granted.isEmpty }

  /// Takes the lock, or puts the task to sleep until it is its turn; call again after waking.
  func acquire(_ task: KernelTask, exclusive: Bool, on machine: Machine) -> Bool {
    if let index = granted.firstIndex(where: { $0 === task }) {
      granted.remove(at: index)
      return true
    }
    if waiters.isEmpty, admits(exclusive) {
      take(exclusive)
      return true
    }
    waiters.append((task, exclusive))
    machine.block(task)
    return false
  }

  func releaseRead(on machine: Machine) {
    readers -= 1
    grant(on: machine)
  }

  func releaseWrite(on machine: Machine) {
    isWritten = false
    grant(on: machine)
  }

  /// Turns the writer into a reader.
  func downgrade(on machine: Machine) {
    isWritten = false
    readers = 1
    grant(on: machine)
  }

  private func admits(_ exclusive: Bool) -> Bool { !isWritten && !(exclusive && readers > 0) }

  private func take(_ exclusive: Bool) {
    if exclusive { isWritten = true } else { readers += 1 }
  }

  private func grant(on machine: Machine) {
    while let first = waiters.first, admits(first.exclusive) {
      waiters.removeFirst()
      take(first.exclusive)
      granted.append(first.task)
      machine.wake(first.task)
    }
  }
}
