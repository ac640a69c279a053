/// One hart: its tasks, its pending interrupts and its RCU callbacks.
final class CPU {
  /// An interrupt another CPU sent and waits for.
  struct Interrupt {
    enum Function {
      case flush(AddressSpace, isFull: Bool)
      case sync
    }
    let function: Function
    let receipt: Receipt
  }

  /// Counts the CPUs that have not yet acknowledged an interrupt.
  final class Receipt {
    var outstanding = 0
  }

  let id: Int
  /// Takes part in scheduling, interrupts and grace periods.
  var isOnline = true
  /// Tasks bound to it, in round-robin order.
  var tasks: [KernelTask] = []
  var current: KernelTask?
  var readyCount = 0
  var interrupts: [Interrupt] = []
  var callbacks = CallbackQueue()
  /// The RCU softirq, while it runs.
  var softirq: CallbackRun?
  /// Its page walker.
  var walker = HardwareWalker()

  init(id: Int) { self.id = id }

  var irqsOff: Bool { current?.irqsOff ?? false }

  /// Nothing on it is inside a read-side section of any kind (kernel-facts §3 rule 1).
  var isQuiescent: Bool { softirq == nil && (current?.preemptCount ?? 0) == 0 }

  var currentPid: UInt32 { current?.pid ?? 0 }

  /// Makes the next ready task current, if the current one may be switched out.
  func switchTask() {
    if let current, current.preemptCount > 0 { return }
    guard readyCount > 0 else {
      current = nil
      return
    }
    let start = current.flatMap { current in tasks.firstIndex { $0 === current } } ?? -1
    for offset in 1...tasks.count {
      let task = tasks[(start + offset) % tasks.count]
      if task.state == .ready {
        current = task
        return
      }
    }
  }
}
