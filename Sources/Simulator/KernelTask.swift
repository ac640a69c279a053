/// A task: a stack of operations, the top one of which makes the next step.
final class KernelTask {
  enum State {
    case ready
    /// Waits for a time or for another task to wake it.
    case blocked
    case exited
  }

  let pid: UInt32
  let name: String
  /// Address of its kernel stack: on-stack objects (gathers) get their addresses from it.
  let stackAddress: UInt64
  /// The address space it runs in; nil for kernel threads and after exit.
  var mm: AddressSpace?
  /// What the task decides by; independent of the schedule.
  var random: SplitMix64
  var cpu: Int
  /// Never migrates.
  var isPinned = false
  var state = State.ready
  /// Depth of regions in which it may not be switched out (RCU sections, spin locks, IPIs sent).
  var preemptCount = 0
  /// IRQs are off on its CPU while it runs.
  var irqsOff = false
  private var operations: [Operation]

  init(
    pid: UInt32, name: String, stackAddress: UInt64, mm: AddressSpace?, cpu: Int,
    random: SplitMix64, program: Operation
  ) {
    self.pid = pid
    self.name = name
    self.stackAddress = stackAddress
    self.mm = mm
    self.cpu = cpu
    self.random = random
    operations = [program]
  }

  /// Makes `operation` run before the current one continues.
  func call(_ operation: Operation) { operations.append(operation) }

  /// Makes one step; false once there is nothing left to do.
  func step(on machine: Machine) -> Bool {
    let index = operations.count - 1
    switch operations[index].step(machine, self) {
    case .more: break
    case .done: operations.remove(at: index)
    case .become(let next): operations[index] = next
    }
    return !operations.isEmpty
  }

  /// Address of the gather on its stack.
  var gatherAddress: UInt64 { stackAddress + 0x3c80 }
}

/// A resumable sequence of steps: a small state machine.
///
/// A step is the grain of interleaving: other CPUs run between two steps, never inside one. A
/// step that cannot go on (a spin lock is held) changes nothing and returns `.more`.
class Operation {
  enum Progress {
    /// Not finished; or another operation was called and runs first.
    case more
    case done
    /// This operation is finished and another takes its place.
    case become(Operation)
  }

  func step(_ machine: Machine, _ task: KernelTask) -> Progress {
    preconditionFailure("an operation without steps")
  }
}

/// Operations one after the other.
final class Steps: Operation {
  private var operations: [Operation]

  init(_ operations: [Operation]) { self.operations = operations.reversed() }

  override func step(_ machine: Machine, _ task: KernelTask) -> Progress {
    guard let next = operations.popLast() else { return .done }
    task.call(next)
    return .more
  }
}

/// One step that does what a closure says.
final class Perform: Operation {
  private let body: (Machine, KernelTask) -> Void

  init(_ body: @escaping (Machine, KernelTask) -> Void) { self.body = body }

  override func step(_ machine: Machine, _ task: KernelTask) -> Progress {
    body(machine, task)
    return .done
  }
}

/// Sleeps: user-space work between two system calls.
final class Sleep: Operation {
  private let nanoseconds: Int
  private var slept = false

  init(nanoseconds: Int) { self.nanoseconds = nanoseconds }

  override func step(_ machine: Machine, _ task: KernelTask) -> Progress {
    if slept { return .done }
    slept = true
    machine.sleep(task, nanoseconds: nanoseconds)
    return .more
  }
}
