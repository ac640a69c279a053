import TraceFormat

extension ImportState {
  /// Finds the CPU, the task and the context of the line at hand.
  @inline(always)
  mutating func enter() throws {
    if hasUnread { try bridgeUnread() }
    cpu = Int(event.cpu)
    if cpu >= cpus.count {
      cpus.append(contentsOf: repeatElement(CPURecord(), count: cpu + 1 - cpus.count))
    }
    if !isAsBefore() { try enterAnew() }
    cpus[cpu].lastTime = event.time
    tasks[task].lastCPU = cpu
  }

  /// Takes task and context from the CPU's line before, if this one is of the same task, under the
  /// same name, and nothing happened since that makes a difference.
  @inline(always)
  private mutating func isAsBefore() -> Bool {
    guard let before = cpus[cpu].situation, before.pid == event.pid,
      before.interrupt == event.interrupt, before.renames == renames,
      tasks[before.own].name == event.comm
    else { return false }
    context = before.context
    isTaskWork = before.isTaskWork
    task = before.task
    return true
  }

  private mutating func enterAnew() throws {
    if !cpus[cpu].hasBegun {
      cpus[cpu].hasBegun = true
      if facts.startHoles.contains(event.cpu) { try closeHole(of: event.cpu, cause: .overrun) }
    }
    let own = ownTask()
    // A softirq ends before its CPU runs another task; a callback of a thread may be preempted.
    if let callback = cpus[cpu].callback, !callback.isThread,
      callback.pid != event.pid || callback.showsSoftirq && event.interrupt == 0x2E
    {
      try endCallback(cpu, callback, inferred: true)
    }
    findContext(own)
    task = isTaskWork ? own : interruptTask()
    cpus[cpu].situation = CPURecord.Situation(
      pid: event.pid, interrupt: event.interrupt, context: context, isTaskWork: isTaskWork,
      own: own, task: task, renames: renames)
  }

  private mutating func findContext(_ own: Int) {
    let callback = cpus[cpu].callback
    let inCallback = callback?.pid == event.pid
    let inRun = cpus[cpu].runTask == event.pid
    // A probe that runs as NMI (riscv kprobes) shows Z and knows nothing of what it interrupted.
    let isNMI = event.interrupt == 0x5A || event.interrupt == 0x7A
    let isHard = event.interrupt == 0x68 || event.interrupt == 0x48
    let isSoft = event.interrupt == 0x73
    isTaskWork = !(inCallback || inRun || isHard || isSoft)
    if isHard, !isNMI {
      context = .hardirq
    } else if tasks[own].runsCallbacks {
      context = .kthread
    } else if !isTaskWork {
      context = .softirq
    } else if event.pid == 0 {
      context = .unknown
    } else {
      context = tasks[own].isKernelThread ? .kthread : .task
    }
  }

  /// Index of the record of the line's task; names the task when its name is new.
  private mutating func ownTask() -> Int {
    let index: Int
    if cpus[cpu].recentPid == event.pid {
      index = cpus[cpu].recentTask
    } else {
      let key = event.pid == 0 ? 1 << 32 | UInt64(cpu) : UInt64(event.pid)
      index = record(key)
      cpus[cpu].recentPid = event.pid
      cpus[cpu].recentTask = index
    }
    if tasks[index].name != event.comm { rename(index) }
    return index
  }

  private mutating func rename(_ index: Int) {
    tasks[index].name = event.comm
    renames += 1
    let name = event.comm.text
    guard name != "<...>" else { return }
    let callbackThreads = ["rcuc/", "rcuop/", "rcuos/", "rcuog/", "rcub/", "ksoftirqd/"]
    let threads = [
      "rcu_", "kworker/", "khugepaged", "migration/", "kcompactd", "kswapd", "cpuhp/",
      "irq/", "ktimers/", "kthreadd", "kdevtmpfs", "jbd2/", "oom_reaper",
    ]
    tasks[index].runsCallbacks = callbackThreads.contains { name.hasPrefix($0) }
    tasks[index].isKernelThread =
      tasks[index].runsCallbacks || threads.contains { name.hasPrefix($0) }
    // A name that cannot be stored is a nicety lost; the event that follows reports the error.
    try? sink.setTaskName(name, of: event.pid)
  }

  private mutating func record(_ key: UInt64) -> Int {
    if let index = taskIndex[key] { return index }
    tasks.append(TaskRecord())
    taskIndex[key] = tasks.count - 1
    return tasks.count - 1
  }

  /// The record of what interrupts do on the line's CPU.
  private mutating func interruptTask() -> Int {
    if let index = cpus[cpu].interrupts { return index }
    let index = record(1 << 33 | UInt64(cpu))
    cpus[cpu].interrupts = index
    return index
  }

  /// Brings what was left open to its end, now that the same task's next line is known.
  @inline(always)
  mutating func settle(_ probe: Probe) throws {
    if cpus[cpu].announced != nil, probe != .batchCallback, probe != .freeNow,
      probe != .oneCallback
    {
      try announce(cpu)
    }
    if tasks[task].isUnsettled { try settleTask(probe) }
  }

  private mutating func settleTask(_ probe: Probe) throws {
    if tasks[task].install != nil { try settleInstall(of: task, keep: !provesLost(probe)) }
    // A lock whose constructor was missed is nobody's, certainly not the next table's; and its
    // allocation has to stand before whatever happens to it next.
    if tasks[task].lockAddress != nil, probe != .construct { try settleLock(of: task, for: 0) }
    if tasks[task].lockTable != nil, !Self.isInsideLockAlloc(probe) { tasks[task].lockTable = nil }
    guard isTaskWork else { return }
    if let flush = tasks[task].flush, !Self.isInsideFlush(probe), probe != .flushReturn {
      tasks[task].flush = nil
      var end = flush
      end.kind = .flushEnd
      end.time = event.time
      end.flags = .inferred
      try write(end)
    }
    if tasks[task].finishing, Self.isOutsideFinish(probe) {
      tasks[task].finishing = false
      try emit(.gatherFinish, tasks[task].gather, tasks[task].gatherMM, flags: .inferred)
    }
    if tasks[task].justQueued, probe != .allocFailure { tasks[task].justQueued = false }
  }

  /// Lines of a task that may come between `ptlock_alloc()` and the slab's own line: a slab that
  /// grows takes pages.
  private static func isInsideLockAlloc(_ probe: Probe) -> Bool {
    switch probe {
    case .slabAlloc, .slabFree, .pageAlloc, .pageFree: true
    default: false
    }
  }

  /// Lines of a task that come from inside its TLB flush.
  private static func isInsideFlush(_ probe: Probe) -> Bool {
    switch probe {
    case .flushHere, .flushSend, .flushTracepoint, .syncAck, .quiescent, .gpTracepoint: true
    default: false
    }
  }

  /// Lines a task can only print when `tlb_finish_mmu()` has returned.
  private static func isOutsideFinish(_ probe: Probe) -> Bool {
    switch probe {
    case .gather, .gatherFull, .gatherVMA, .freeRange, .pteLock, .pteAlloc, .pmdAlloc, .pudAlloc,
      .p4dAlloc, .gupFast, .exitMM, .construct, .install, .pgdAlloc:
      true
    default: false
    }
  }

  /// Whether this line shows that the `pmd_install()` before it found the entry taken: the same
  /// task tears its own table down at once, or finds another table in the slot.
  private mutating func provesLost(_ probe: Probe) -> Bool {
    guard let install = tasks[task].install else { return false }
    switch probe {
    case .destruct: return event[.folio].flatMap(facts.pageMap.pfn) == install.object
    case .lockFree: return event[.ptdesc].flatMap(facts.pageMap.pfn) == install.object
    case .slabFree:
      guard let lock = event[.ptr], event[.name] == Symbol.lockCache else { return false }
      return owner(of: lock) == install.object
    case .pteLock, .pteMap:
      guard event[.pmd] == install.arg1, let entry = event[.pmdv],
        let found = facts.entryFormat?.pfn(entry)
      else { return false }
      return found != install.object
    default: return false
    }
  }

  /// Writes the pending `pt_install` of a task, or drops it when it was lost.
  mutating func settleInstall(of index: Int, keep: Bool) throws {
    guard let install = tasks[index].install else { return }
    tasks[index].install = nil
    pages[install.object]?.pendingInstaller = 0
    guard keep else {
      pages[install.object]?.isInstalled = false
      return
    }
    try write(install)
  }

  /// The page record of `pfn`, after what was pending for it.
  mutating func page(_ pfn: UInt64) throws -> PageRecord {
    guard let place = try place(of: pfn) else { return PageRecord() }
    return pages[at: place]
  }

  /// The place of the page record of `pfn`, after what was pending for it.
  @inline(__always)
  mutating func place(of pfn: UInt64) throws -> Int? {
    guard let place = pages.find(pfn) else { return nil }
    guard pages[at: place].pendingInstaller > 0 else { return place }
    try settleInstall(of: pages[at: place].pendingInstaller - 1, keep: true)
    return pages.find(pfn)
  }

  /// A text somebody wrote into the trace.
  mutating func takeMarker(_ text: Span<UInt8>) throws {
    let letters = (0..<min(text.count, 4096)).map { text[$0] }
    try emit(.mark, try sink.addString(String(decoding: letters, as: UTF8.self)))
  }
}
