import TraceFormat

/// A small random kernel that keeps every rule: whatever is found in its traces, whole or full of
/// holes, is a false alarm.
///
/// Four CPUs, tasks that migrate between any two steps, pages and locks reused last in first out,
/// callbacks that run after a real grace period on the CPU that queued them and that hold off the
/// task they interrupted; page walkers that keep pointers until the next invalidation. It is not
/// the simulator: it shares no code with it, and knows no levels and no addresses.
struct LegalMachine {
  /// What the kernel does where versions differ.
  struct Policy: Sendable {
    /// Destructor before the queue (S1) rather than in the callback (S3).
    var early = false
    /// Callbacks run in kernel threads that may preempt each other (PREEMPT_RT).
    var threads = false
    /// Separate lock objects.
    var locks = true
    /// What a fallback does.
    var fallback = Fallback.callback
    /// Tables go to the page gather.
    var pagePath = false
    /// Late frees by somebody else's reference (E15).
    var heldPages = true

    enum Fallback: Sendable { case ipi, callback, synchronize }
  }

  typealias Step = (inout LegalMachine, Actor) -> Void
  /// Who does a step, and where.
  struct Actor {
    var cpu: UInt16
    var task: UInt32
    var context: ExecutionContext
  }
  private struct Runner {
    var actor: Actor
    var steps: [Step] = []
    var pinned = false
    var isCallback = false
  }
  private struct Pending {
    var head: UInt64
    var cpu: UInt16
    var after: Int
    var steps: [Step]
  }

  let policy: Policy
  var random: SplitMix64
  private(set) var trace = Trace { _ in }
  private var runners: [Runner] = []
  private var pending: [Pending] = []
  private var freePages: [UInt64] = Array((1...24).reversed())
  private var freeLocks: [UInt64] = (1...24).map { 0xaaaa_0000 + $0 * 64 }
  private var lockOf: [UInt64: UInt64] = [:]
  private var wasTable: Set<UInt64> = []
  /// Installed tables that die by RCU: the only ones a reader may look at.
  private var readable: [UInt64] = []
  /// Pointers in page walkers; an invalidation drops them all.
  private var pointers: [(cpu: UInt16, pfn: UInt64)] = []
  private var openSections: [UInt64: Int] = [:]
  private var sections: UInt64 = 0
  private var started = 0
  private var completed = 0
  private var mapped: [UInt32: [UInt64]] = [:]

  init(_ policy: Policy, seed: UInt64) {
    self.policy = policy
    random = SplitMix64(seed: seed)
  }

  /// A trace of about `jobs` jobs, drained and quiet at its end.
  static func run(_ policy: Policy, seed: UInt64, jobs: Int) -> Trace {
    var machine = LegalMachine(policy, seed: seed)
    for task in 0..<4 {
      machine.runners.append(
        Runner(actor: Actor(cpu: UInt16(task), task: UInt32(200 + task), context: .task)))
    }
    var left = jobs
    while left > 0 || !machine.isQuiet {
      if left > 0, machine.random.oneIn(6), machine.startJob() { left -= 1 }
      machine.tick()
    }
    machine.trace.quiesce()
    return machine.trace
  }

  private var isQuiet: Bool {
    pending.isEmpty && runners.allSatisfy { $0.steps.isEmpty } && started == completed
  }

  // MARK: - Scheduling

  private mutating func tick() {
    if random.oneIn(8) {
      stepGracePeriod()
      return
    }
    if random.oneIn(4), startCallback() { return }
    if random.oneIn(12) { return walk() }
    let ready = runners.indices.filter { index in
      !runners[index].steps.isEmpty && !isHeldOff(runners[index])
    }
    guard let index = ready.randomElement(using: &random) else { return }
    if !runners[index].pinned, !runners[index].isCallback, random.oneIn(10) {
      runners[index].actor.cpu = UInt16(random.below(4))
      if isHeldOff(runners[index]) { return }
    }
    let step = runners[index].steps.removeFirst()
    step(&self, runners[index].actor)
    let passing = runners[index].isCallback || runners[index].actor.task >= 900
    if passing, runners[index].steps.isEmpty { runners.remove(at: index) }
  }

  /// A softirq holds off whatever runs on its CPU; a kernel thread does not.
  private func isHeldOff(_ runner: Runner) -> Bool {
    guard !runner.isCallback, !policy.threads else { return false }
    return runners.contains { $0.isCallback && $0.actor.cpu == runner.actor.cpu }
  }

  private mutating func stepGracePeriod() {
    if started == completed {
      started += 1
      for section in openSections.keys { openSections[section] = started }
      emit(.gracePeriodStart, UInt64(started) << 2 | 1, as: Self.gpThread)
    } else if !openSections.values.contains(where: { $0 == started }) {
      completed += 1
      emit(.gracePeriodEnd, UInt64(started) << 2 | 1, as: Self.gpThread)
    }
  }

  /// A page walker loads a pointer, or uses one it has.
  private mutating func walk() {
    if random.oneIn(2), let pointer = pointers.randomElement(using: &random) {
      let actor = Actor(cpu: pointer.cpu, task: 200 + UInt32(pointer.cpu), context: .task)
      emit(.hardwareAccess, pointer.pfn, Trace.mm, as: actor)
    } else if let pfn = readable.randomElement(using: &random) {
      let cpu = UInt16(random.below(4))
      pointers.append((cpu, pfn))
      let actor = Actor(cpu: cpu, task: 200 + UInt32(cpu), context: .task)
      emit(.hardwareLoad, pfn, Trace.mm, as: actor)
    }
  }

  private static let gpThread = Actor(cpu: 3, task: 15, context: .kthread)

  private mutating func startCallback() -> Bool {
    guard let index = pending.firstIndex(where: { $0.after <= completed }) else { return false }
    // The list of a CPU is worked off in order: in a softirq there, or by a thread of its own,
    // which may run on any CPU and preempt another list's thread.
    let list = pending[index].cpu
    let thread = 20 + UInt32(list)
    let isBusy = runners.contains {
      $0.isCallback && (policy.threads ? $0.actor.task == thread : $0.actor.cpu == list)
    }
    let cpu = policy.threads && random.oneIn(3) ? UInt16(random.below(4)) : list
    let here = runners.filter { $0.isCallback && $0.actor.cpu == cpu }
    guard !isBusy, here.isEmpty || (policy.threads && here.count == 1) else { return false }
    let callback = pending.remove(at: index)
    let task =
      policy.threads
      ? thread : runners.first { !$0.isCallback && $0.actor.cpu == cpu }?.actor.task ?? 0
    let actor = Actor(cpu: cpu, task: task, context: policy.threads ? .kthread : .softirq)
    runners.append(Runner(actor: actor, steps: callback.steps, isCallback: true))
    return true
  }

  private mutating func emit(
    _ kind: EventKind, _ object: UInt64 = 0, _ arg0: UInt64 = 0, _ arg1: UInt64 = 0,
    as actor: Actor
  ) {
    trace.on(cpu: actor.cpu, task: actor.task, context: actor.context) {
      $0.emit(kind, object, arg0, arg1)
    }
  }

  // MARK: - Allocators

  private mutating func takePage() -> UInt64? {
    guard freePages.count > 2 else { return nil }
    return freePages.removeLast()
  }

  private mutating func freePage(_ pfn: UInt64, _ actor: Actor) {
    emit(.tableFree, pfn, 1, as: actor)
    freePages.append(pfn)
  }
}

// MARK: - Jobs

extension LegalMachine {
  private mutating func startJob() -> Bool {
    let idle = runners.indices.filter { !runners[$0].isCallback && runners[$0].steps.isEmpty }
    guard let index = idle.randomElement(using: &random) else { return false }
    let choice = random.below(12)
    switch choice {
    case 0: runners[index].steps = lostRace()
    case 1: runners[index].steps = policy.early ? [] : deferred()
    case 2: runners[index].steps = unmapWithoutMemory()
    case 3, 4, 5: runners[index].steps = reader()
    default: runners[index].steps = mapAndUnmap(count: 1 + random.below(4))
    }
    return true
  }

  private mutating func allocate(
    _ pfn: UInt64, install: Bool = true, readable isReadable: Bool = true
  ) -> [Step] {
    [
      { $0.emit(.tableAlloc, pfn, Trace.mm, as: $1) },
      { $0.emit(.tableZero, pfn, as: $1) },
      { machine, actor in
        machine.wasTable.insert(pfn)
        guard machine.policy.locks else { return }
        let lock = machine.freeLocks.removeLast()
        machine.lockOf[pfn] = lock
        machine.emit(.lockAlloc, lock, pfn, as: actor)
      },
      { $0.emit(.tableConstruct, pfn, Trace.mm, 1, as: $1) },
    ]
      + (install
        ? [
          {
            $0.emit(.tableInstall, pfn, Trace.mm, as: $1)
            if isReadable { $0.readable.append(pfn) }
          }
        ] : [])
  }

  private func destruct(_ pfn: UInt64) -> [Step] {
    [
      { machine, actor in
        guard let lock = machine.lockOf.removeValue(forKey: pfn) else { return }
        machine.emit(.lockFree, lock, pfn, as: actor)
        machine.freeLocks.append(lock)
      },
      { $0.emit(.tableDestruct, pfn, 0, UInt64(bitPattern: -1), as: $1) },
    ]
  }

  private func unlink(_ pfn: UInt64) -> Step {
    { machine, actor in
      machine.emit(.tableUnlink, pfn, Trace.mm, as: actor)
      machine.readable.removeAll { $0 == pfn }
    }
  }

  /// A TLB invalidation; on the page path by interrupt, which every CPU acknowledges.
  private func flush() -> [Step] {
    let isInterrupt = policy.pagePath
    var steps: [Step] = [
      { $0.emit(.flushStart, Trace.mm, 0, .max, as: $1) },
      {
        let transport = isInterrupt ? FlushRoute.interrupt : .firmware
        $0.emit(.flushCPUs, Trace.mm, 0b1111, UInt64(transport.rawValue), as: $1)
      },
    ]
    if isInterrupt { steps += Self.acknowledge(.flushAck, Trace.mm) { 0b1111 } }
    steps.append { machine, actor in
      machine.pointers = []
      machine.emit(.flushEnd, Trace.mm, 0, .max, as: actor)
    }
    return steps
  }

  /// One step per CPU of a mask.
  private static func acknowledge(
    _ kind: EventKind, _ object: UInt64, _ mask: @escaping () -> UInt64
  ) -> [Step] {
    (0..<4).map { cpu in
      { machine, _ in
        guard mask() >> UInt64(cpu) & 1 != 0 else { return }
        let actor = Actor(cpu: UInt16(cpu), task: 200 + UInt32(cpu), context: .hardirq)
        machine.emit(kind, object, as: actor)
      }
    }
  }

  private func free(_ pfn: UInt64) -> Step { { $0.freePage(pfn, $1) } }

  /// `call_rcu()`: the grace period must begin after it.
  private func callRCU(
    _ head: UInt64, _ function: CallbackFunction, load: UInt64, _ steps: @escaping () -> [Step]
  ) -> Step {
    { machine, actor in
      machine.emit(.callRCU, head, UInt64(function.rawValue), load, as: actor)
      let start: Step = { $0.emit(.callbackStart, head, UInt64(function.rawValue), load, as: $1) }
      let end: Step = { $0.emit(.callbackEnd, head, UInt64(function.rawValue), as: $1) }
      machine.pending.append(
        Pending(
          head: head, cpu: actor.cpu, after: machine.started + 1, steps: [start] + steps() + [end]
        ))
    }
  }

  private mutating func lostRace() -> [Step] {
    guard let pfn = takePage() else { return [] }
    return allocate(pfn, install: false) + destruct(pfn) + [free(pfn)]
  }

  private mutating func deferred() -> [Step] {
    guard let pfn = takePage() else { return [] }
    let teardown = destruct(pfn) + [free(pfn)]
    return allocate(pfn) + [unlink(pfn)] + flush() + [
      { $0.emit(.tableDefer, pfn, Trace.mm, as: $1) },
      callRCU(Trace.head(pfn), .freeDeferred, load: pfn) { teardown },
    ]
  }

  private mutating func mapAndUnmap(count: Int) -> [Step] {
    let pfns = (0..<count).compactMap { _ in takePage() }
    guard !pfns.isEmpty, let page = takePage() else {
      freePages += pfns
      return []
    }
    var steps = pfns.flatMap { allocate($0, readable: !policy.early && !policy.pagePath) }
    // One stack, one address: gathers of different tasks look alike.
    if policy.pagePath {
      freePages.append(page)
      for pfn in pfns {
        steps.append(unlink(pfn))
        steps += destruct(pfn)
        steps.append { $0.emit(.tableQueuePage, pfn, Trace.gather, Trace.mm, as: $1) }
      }
      return steps + flush() + pfns.map(free)
    }
    steps.append { machine, actor in
      if machine.wasTable.contains(page) { machine.emit(.pageReuse, page, as: actor) }
      machine.emit(.batchNew, Trace.head(page), page, as: actor)
    }
    for pfn in pfns {
      steps.append(unlink(pfn))
      if policy.early { steps += destruct(pfn) }
      steps.append { $0.emit(.tableQueueBatch, pfn, Trace.gather, Trace.mm, as: $1) }
    }
    steps += flush()
    let held = policy.heldPages && random.oneIn(4) ? pfns.randomElement(using: &random) : nil
    let teardown = tearDown(pfns, held: held, page: page)
    steps.append(
      callRCU(Trace.head(page), .removeTableBatch, load: UInt64(pfns.count)) { teardown })
    return steps
  }

  private mutating func tearDown(_ pfns: [UInt64], held: UInt64?, page: UInt64) -> [Step] {
    var steps: [Step] = []
    for pfn in pfns {
      if !policy.early { steps += destruct(pfn) }
      if pfn != held { steps.append(free(pfn)) }
    }
    steps.append { machine, actor in
      machine.emit(.batchFree, Trace.head(page), page, as: actor)
      machine.wasTable.remove(page)
      machine.freePages.append(page)
      guard let held else { return }
      // Whoever holds the page drops it some time later, from a task of its own.
      let idle: [Step] = Array(repeating: { _, _ in }, count: machine.random.below(40))
      machine.runners.append(
        Runner(
          actor: Actor(cpu: 2, task: 900 + UInt32(held), context: .task),
          steps: idle + [machine.free(held)]))
    }
    return steps
  }

  private mutating func unmapWithoutMemory() -> [Step] {
    guard !policy.pagePath, let pfn = takePage() else { return [] }
    var steps = allocate(pfn, readable: !policy.early && policy.fallback != .ipi)
    steps.append(unlink(pfn))
    if policy.early { steps += destruct(pfn) }
    steps += [
      { $0.emit(.tableQueueBatch, pfn, Trace.gather, Trace.mm, as: $1) },
      { $0.emit(.batchFail, Trace.gather, as: $1) },
    ]
    steps += flush()
    steps += [
      { $0.emit(.tableFallback, pfn, Trace.gather, as: $1) }
    ]
    let teardown = (policy.early ? [] : destruct(pfn)) + [free(pfn)]
    switch policy.fallback {
    case .ipi:
      let sent = Target()
      steps.append { machine, actor in
        sent.pfn = 0b1111 & ~(1 << UInt64(actor.cpu))
        machine.emit(.ipiSyncStart, 0, sent.pfn, as: actor)
      }
      steps += Self.acknowledge(.ipiSyncAck, 0) { sent.pfn }
      steps.append { $0.emit(.ipiSyncEnd, as: $1) }
      return steps + teardown
    case .callback:
      return steps + [callRCU(Trace.head(pfn), .removeTableOne, load: pfn) { teardown }]
    case .synchronize:
      return steps + [
        { machine, actor in
          machine.emit(.synchronizeStart, as: actor)
          machine.await(machine.started + 1, actor)
        },
        { $0.emit(.synchronizeEnd, as: $1) },
      ] + teardown
    }
  }

  /// Keeps the task of `actor` asleep until a grace period is over.
  private mutating func await(_ number: Int, _ actor: Actor) {
    guard let index = runners.firstIndex(where: { $0.actor.task == actor.task && !$0.isCallback })
    else { return }
    runners[index].steps.insert(
      { machine, actor in
        if machine.completed < number { machine.await(number, actor) }
      }, at: 0)
  }

  private mutating func reader() -> [Step] {
    sections += 1
    let section = sections % 5 + 1
    guard openSections[section] == nil, !policy.early else { return [] }
    openSections[section] = .max
    let takesLock = random.oneIn(2)
    let box = Target()
    return [
      { machine, actor in
        machine.openSections[section] = 0
        machine.emit(.readerEnter, section, 4, as: actor)
      },
      { machine, actor in
        guard let pfn = machine.readable.randomElement(using: &machine.random) else { return }
        box.pfn = pfn
        machine.emit(.readerLoad, pfn, section, as: actor)
      },
      { if box.pfn != 0 { $0.emit(.readerAccess, box.pfn, section, as: $1) } },
      { machine, actor in
        guard takesLock, box.pfn != 0, let lock = machine.lockOf[box.pfn] else { return }
        guard machine.random.oneIn(2) else { return }
        box.lock = lock
        machine.emit(.lockWait, lock, section, box.pfn, as: actor)
        machine.emit(.lockAcquire, lock, section, box.pfn, as: actor)
      },
      { if box.lock != 0 { $0.emit(.lockRelease, box.lock, section, box.pfn, as: $1) } },
      { if box.pfn != 0 { $0.emit(.readerAccess, box.pfn, section, as: $1) } },
      { machine, actor in
        machine.emit(.readerExit, section, 4, as: actor)
        machine.openSections[section] = nil
      },
    ]
  }

  /// What one reader has loaded, or whom one task has interrupted.
  private final class Target {
    var pfn: UInt64 = 0
    var lock: UInt64 = 0
  }
}
