import TraceFormat

/// What an rcu_head stands for.
struct Callback {
  enum Payload {
    case batch(TableBatch)
    case table(Table)
    /// `pte_free_defer()`: destructor and free in the callback, whatever the stage.
    case deferred(Table)
  }

  let head: UInt64
  let payload: Payload
  /// Number of the grace period that must be over.
  let gracePeriod: Int

  var function: CallbackFunction {
    switch payload {
    case .batch: .removeTableBatch
    case .table: .removeTableOne
    case .deferred: .freeDeferred
    }
  }

  var load: UInt64 {
    switch payload {
    case .batch(let batch): UInt64(batch.tables.count)
    case .table(let table), .deferred(let table): table.pfn
    }
  }
}

/// Callbacks of one CPU, first in, first out (kernel-facts §3 rule 5).
struct CallbackQueue {
  private var items: [Callback] = []
  private var head = 0
  /// Callbacks ever queued, and ever finished.
  private(set) var queued = 0
  var finished = 0

  /// Takes over all that waits in another queue; whoever waits for those (`rcu_barrier()`) has
  /// to wait here.
  mutating func splice(_ other: inout CallbackQueue) {
    while other.count > 0 {
      append(other.removeFirst())
      other.finished += 1
    }
  }

  var count: Int { items.count - head }
  var first: Callback? { head < items.count ? items[head] : nil }

  mutating func append(_ callback: Callback) {
    items.append(callback)
    queued += 1
  }

  mutating func removeFirst() -> Callback {
    let callback = items[head]
    head += 1
    if head > 64, head * 2 > items.count {
      items.removeFirst(head)
      head = 0
    }
    return callback
  }
}

/// The grace-period machinery: at most one grace period at a time, numbered from 1.
///
/// A CPU that reports a quiescent state after the start has left every section that began before
/// it; the period ends when all have. A callback or waiter that comes when period n has started
/// needs period n + 1, whether or not n is over (kernel-facts §3 rule 2).
struct RCU {
  enum Phase {
    case idle
    /// A period is wanted and will start.
    case starting
    case running
  }

  private(set) var phase = Phase.idle
  /// Number of the last period that began, and of the last that ended.
  private(set) var started = 0
  private(set) var completed = 0
  /// Highest number anybody needs.
  private var needed = 0
  /// CPUs that have yet to report.
  private(set) var pending: UInt64 = 0
  /// When the grace-period kthread acts next.
  var timer = UInt64.max
  var syncWaiters: [(task: KernelTask, gracePeriod: Int)] = []
  var barrierWaiters: [(task: KernelTask, targets: [Int])] = []

  /// Raw gp_seq of the current period: a counter that starts at −300, and two bits of phase.
  var sequence: UInt64 { UInt64(bitPattern: Int64(started - 301) << 2 | 1) }

  /// Asks for a grace period that starts after now; returns its number.
  mutating func request(at time: UInt64) -> Int {
    needed = started + 1
    if phase == .idle {
      phase = .starting
      timer = time
    }
    return needed
  }

  mutating func start(cpus: UInt64, end: UInt64) {
    started += 1
    phase = .running
    pending = cpus
    timer = end
  }

  mutating func report(_ cpu: Int) { pending &= ~(1 << UInt64(cpu)) }

  mutating func end(nextStart: UInt64) {
    completed = started
    phase = needed > completed ? .starting : .idle
    timer = phase == .starting ? nextStart : .max
  }
}

extension Machine {
  /// `call_rcu()` on the current CPU.
  func callRCU(head: UInt64, payload: Callback.Payload) {
    let number = rcu.request(at: clock + UInt64(random.within(5_000...200_000)))
    let callback = Callback(head: head, payload: payload, gracePeriod: number)
    emit(.callRCU, callback.head, UInt64(callback.function.rawValue), callback.load)
    cpus[actor.cpu].callbacks.append(callback)
  }

  /// The grace-period kthread's turn.
  func runGracePeriodKthread() {
    // It needs a CPU on which it can run: no section is open there and nothing is masked.
    let willing = cpus.filter { $0.isOnline && $0.isQuiescent }
    guard !willing.isEmpty else {
      rcu.timer = clock + 500
      return
    }
    let cpu = willing[random.below(willing.count)]
    actor = Actor(cpu: cpu.id, task: Self.gracePeriodKthread, context: .kthread)
    switch rcu.phase {
    case .starting:
      let length = UInt64(2 * Self.jiffyNanoseconds + random.below(Self.jiffyNanoseconds))
      rcu.start(cpus: onlineCPUs, end: clock + length)
      emit(.gracePeriodStart, rcu.sequence)
      refreshAll()
    case .running where rcu.pending != 0:
      rcu.timer = clock + 20_000
    case .running:
      emit(.gracePeriodEnd, rcu.sequence)
      rcu.end(nextStart: clock + UInt64(random.within(1_000...50_000)))
      wakeSynchronizers()
      refreshAll()
    case .idle:
      rcu.timer = .max
    }
  }

  private func wakeSynchronizers() {
    let completed = rcu.completed
    let done = rcu.syncWaiters.filter { $0.gracePeriod <= completed }
    rcu.syncWaiters.removeAll { $0.gracePeriod <= completed }
    for waiter in done { wake(waiter.task) }
  }

  func reportQuiescentState(_ cpu: CPU) {
    rcu.report(cpu.id)
    actor = Actor(cpu: cpu.id, task: cpu.currentPid, context: .softirq)
    emit(.quiescentState, rcu.sequence)
  }

  func hasReadyCallback(_ cpu: CPU) -> Bool {
    guard let first = cpu.callbacks.first else { return false }
    return first.gracePeriod <= rcu.completed
  }
}

/// One `rcu_do_batch()`: at most ten callbacks, or more when many wait (kernel-facts §3 rule 6).
struct CallbackRun {
  private enum State {
    case start
    case next
    case inside(Callback, index: Int)
  }

  private var state = State.start
  private var left = 0

  /// Makes one step on behalf of `cpu`; true when the run is over.
  mutating func step(_ machine: Machine, _ cpu: CPU) -> Bool {
    switch state {
    case .start:
      let count = cpu.callbacks.count
      left = count > 10_000 ? 10_000 : max(10, count >> 7)
      machine.emit(.callbackRunStart)
      state = .next
    case .next:
      guard left > 0, machine.hasReadyCallback(cpu) else {
        machine.emit(.callbackRunEnd)
        return true
      }
      left -= 1
      let callback = cpu.callbacks.removeFirst()
      machine.emit(
        .callbackStart, callback.head, UInt64(callback.function.rawValue), callback.load)
      state = .inside(callback, index: 0)
    case .inside(let callback, let index):
      if tearDown(callback, index, machine) {
        state = .inside(callback, index: index + 1)
      } else {
        machine.emit(.callbackEnd, callback.head, UInt64(callback.function.rawValue))
        cpu.callbacks.finished += 1
        machine.wakeBarrierWaiters()
        state = .next
      }
    }
    return false
  }

  /// Tears down one table; false when none is left.
  private func tearDown(_ callback: Callback, _ index: Int, _ machine: Machine) -> Bool {
    switch callback.payload {
    case .batch(let batch):
      guard index < batch.tables.count else {
        machine.emit(.batchFree, batch.address, batch.pfn)
        machine.pages.release(batch.pfn)
        machine.liveBatches -= 1
        return false
      }
      machine.finalFree(batch.tables[index])
      return true
    case .table(let table):
      guard index == 0 else { return false }
      machine.finalFree(table)
      return true
    case .deferred(let table):
      guard index == 0 else { return false }
      machine.discard(table)
      return true
    }
  }
}

extension Machine {
  func wakeBarrierWaiters() {
    guard !rcu.barrierWaiters.isEmpty else { return }
    let done = rcu.barrierWaiters.filter { passed($0.targets) }
    guard !done.isEmpty else { return }
    rcu.barrierWaiters.removeAll { passed($0.targets) }
    for waiter in done { wake(waiter.task) }
  }

  private func passed(_ targets: [Int]) -> Bool {
    zip(cpus, targets).allSatisfy { $0.callbacks.finished >= $1 }
  }
}

/// `synchronize_rcu()`: sleeps until a grace period that starts after now is over.
final class SynchronizeRCU: Operation {
  private var waiting = false

  override func step(_ machine: Machine, _ task: KernelTask) -> Progress {
    if waiting {
      machine.emit(.synchronizeEnd)
      return .done
    }
    waiting = true
    machine.emit(.synchronizeStart)
    let number = machine.rcu.request(at: machine.clock + 5_000)
    machine.rcu.syncWaiters.append((task, number))
    machine.block(task)
    return .more
  }
}

/// `rcu_barrier()`: sleeps until every callback queued so far, on any CPU, has finished.
final class RCUBarrier: Operation {
  private var waiting = false

  override func step(_ machine: Machine, _ task: KernelTask) -> Progress {
    if waiting {
      machine.emit(.barrierEnd)
      return .done
    }
    waiting = true
    machine.emit(.barrierStart)
    if machine.cpus.contains(where: { $0.callbacks.finished < $0.callbacks.queued }) {
      machine.rcu.barrierWaiters.append((task, machine.cpus.map(\.callbacks.queued)))
      machine.block(task)
    }
    return .more
  }
}
