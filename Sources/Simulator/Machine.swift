import TraceFormat

/// The simulated computer: CPUs, memory, RCU, and the loop that lets them run.
///
/// Deterministic: the same options give the same events. Time only moves forward; a step costs
/// about a hundred nanoseconds, and when every CPU is idle the clock jumps to the next timer.
final class Machine {
  /// On whose behalf an event is emitted.
  struct Actor {
    var cpu = 0
    var task: UInt32 = 0
    var context = ExecutionContext.task
  }

  static let gracePeriodKthread: UInt32 = 15
  /// HZ=250.
  static let jiffyNanoseconds = 4_000_000

  let stage: Stage
  let mode: PagingMode
  let splitPtlock: Bool
  let seed: UInt64
  let targetEvents: Int
  let cpus: [CPU]
  /// CPUs that are online, as a bit mask.
  var onlineCPUs: UInt64

  var clock: UInt64 = 1_000_000_000
  /// Nothing of the workload is left: the run is over.
  var hasQuiesced = false
  /// What the hardware and the kernel decide by chance: latencies, migrations, failures.
  var random: SplitMix64
  var actor = Actor()
  var pages = PageAllocator()
  var locks = LockSlab()
  var mmAddresses = AddressPool(base: 0xffff_af80_0200_0000, stride: 0x580)
  var stackAddresses = AddressPool(base: 0xffff_ffc6_0000_0000, stride: 0x4000)
  var rcu = RCU()
  var timers = TimerQueue()

  /// How often the allocation of a batch page fails, in a thousand.
  var batchFailurePermille = 0
  /// Workload is to go on until this says so, too (directed rounds that must take place).
  var unfinishedDuties = 0

  private(set) var emitted = 0
  var liveTables = 0
  var liveBatches = 0
  var livePids: Set<UInt32> = []
  var nextPid: UInt32 = 300
  var createdTasks: UInt64 = 0
  var userTasks = 0
  /// The task that waits for the last user task, if it does already.
  var reaper: KernelTask?

  private var schedule: any SchedulingStrategy
  /// CPUs that can do something.
  private var busy: UInt64 = 0
  private let sink: any EventSink
  private var failure: (any Error)?

  init(
    stage: Stage, mode: PagingMode, cpus count: Int, seed: UInt64, targetEvents: Int,
    splitPtlock: Bool, schedule: any SchedulingStrategy, sink: any EventSink
  ) {
    precondition((1...64).contains(count))
    self.stage = stage
    self.mode = mode
    self.splitPtlock = splitPtlock
    self.seed = seed
    self.targetEvents = targetEvents
    self.schedule = schedule
    self.sink = sink
    cpus = (0..<count).map(CPU.init)
    onlineCPUs = count == 64 ? .max : 1 << UInt64(count) - 1
    random = SplitMix64(seed: seed, stream: 2)
  }

  /// Whether the workload has done enough.
  var isOver: Bool { emitted >= targetEvents && unfinishedDuties == 0 }

  /// Runs until nothing is left to do.
  func run() throws {
    recordName("rcu_preempt", of: Self.gracePeriodKthread)
    while failure == nil, !hasQuiesced {
      if clock >= timers.next { wake(timers.removeFirst()) }
      if clock >= rcu.timer { runGracePeriodKthread() }
      if busy == 0 {
        let next = min(timers.next, rcu.timer)
        if next == .max { break }
        clock = max(clock, next)
        continue
      }
      clock += 40 + random.next() & 127
      let cpu = cpus[schedule.nextCPU(of: busy)]
      step(cpu)
      refresh(cpu)
    }
    if let failure { throw failure }
    checkNothingIsLeft()
  }

  /// One step of one CPU: interrupt before softirq before task.
  private func step(_ cpu: CPU) {
    if !cpu.interrupts.isEmpty, !cpu.irqsOff {
      handleInterrupt(cpu)
      return
    }
    if cpu.softirq != nil {
      stepSoftirq(cpu)
      return
    }
    if cpu.readyCount == 0 {
      cpu.current = nil
    } else if cpu.current == nil || cpu.current?.state != .ready {
      cpu.switchTask()
    } else if cpu.tasks.count > 1, random.chance(1, in: 32) {
      cpu.switchTask()
    }
    let isIdle = cpu.current == nil
    if owesQuiescentState(cpu), isIdle || random.chance(1, in: 8) {
      reportQuiescentState(cpu)
    } else if hasReadyCallback(cpu), !cpu.irqsOff, isIdle || random.chance(1, in: 16) {
      cpu.softirq = CallbackRun()
    } else if let task = cpu.current {
      actor = Actor(cpu: cpu.id, task: task.pid, context: .task)
      task.mm?.cpuMask |= 1 << UInt64(cpu.id)
      if !task.step(on: self) { retire(task) }
      if let mm = task.mm { speculate(cpu, mm) }
    }
  }

  private func stepSoftirq(_ cpu: CPU) {
    actor = Actor(cpu: cpu.id, task: cpu.currentPid, context: .softirq)
    guard var run = cpu.softirq else { return }
    cpu.softirq = run.step(self, cpu) ? nil : run
  }

  private func handleInterrupt(_ cpu: CPU) {
    actor = Actor(cpu: cpu.id, task: cpu.currentPid, context: .hardirq)
    let interrupt = cpu.interrupts.removeFirst()
    switch interrupt.function {
    case .flush(let mm, let isFull):
      if isFull { cpu.walker.invalidate(mm) }
      emit(.flushAck, mm.address)
    case .sync: emit(.ipiSyncAck)
    }
    interrupt.receipt.outstanding -= 1
  }

  private func owesQuiescentState(_ cpu: CPU) -> Bool {
    rcu.pending >> UInt64(cpu.id) & 1 != 0 && cpu.isQuiescent
  }

  /// Recomputes whether a CPU can do something.
  func refresh(_ cpu: CPU) {
    let canAct =
      cpu.isOnline
      && (cpu.readyCount > 0 || cpu.softirq != nil || !cpu.interrupts.isEmpty
        || owesQuiescentState(cpu) || hasReadyCallback(cpu))
    let bit: UInt64 = 1 << UInt64(cpu.id)
    if canAct { busy |= bit } else { busy &= ~bit }
  }

  func refreshAll() { for cpu in cpus { refresh(cpu) } }

  /// Emits an event of the current actor.
  func emit(
    _ kind: EventKind, _ object: UInt64 = 0, _ arg0: UInt64 = 0, _ arg1: UInt64 = 0,
    level: TableLevel = .unknown, flags: EventFlags = []
  ) {
    emitted += 1
    let event = Event(
      kind, time: clock, cpu: UInt16(truncatingIfNeeded: actor.cpu), task: actor.task,
      context: actor.context, object: object, arg0: arg0, arg1: arg1, level: level,
      flags: flags)
    do { try sink.append(event) } catch { failure = failure ?? error }
  }

  func recordName(_ name: String, of pid: UInt32) {
    do { try sink.setTaskName(name, of: pid) } catch { failure = failure ?? error }
  }

  /// An own bug must not look like a finding.
  private func checkNothingIsLeft() {
    precondition(hasQuiesced, "tasks are stuck")
    precondition(liveTables == 0, "tables are left")
    precondition(locks.live == 0, "split locks are left")
    precondition(liveBatches == 0, "batches are left")
    precondition(cpus.allSatisfy { $0.callbacks.count == 0 }, "callbacks are left")
  }
}
