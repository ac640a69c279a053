import TraceFormat

extension ImportState {
  /// Finds the CPU, the task and the context of the line at hand.
  mutating func enter(_ bytes: Span<UInt8>) throws {
    try bridgeUnread()
    cpu = Int(line.cpu)
    if cpu >= cpus.count {
      cpus.append(contentsOf: repeatElement(CPURecord(), count: cpu + 1 - cpus.count))
    }
    if !cpus[cpu].hasBegun {
      cpus[cpu].hasBegun = true
      if facts.startHoles.contains(line.cpu) { try closeHole(of: line.cpu, cause: .overrun) }
    }
    let own = ownTask(bytes)
    // A softirq ends before its CPU runs another task; a callback of a thread may be preempted.
    if let callback = cpus[cpu].callback, callback.pid != line.pid, !callback.isThread {
      try endCallback(cpu, callback, inferred: true)
    }
    findContext(own)
    if isTaskWork {
      task = own
    } else {
      task = interruptTask()
    }
    tasks[task].lastCPU = cpu
  }

  private mutating func findContext(_ own: Int) {
    let callback = cpus[cpu].callback
    let inCallback = callback?.pid == line.pid
    let inRun = cpus[cpu].runTask == line.pid
    // A probe that runs as NMI (riscv kprobes) shows Z and knows nothing of what it interrupted.
    let isNMI = line.interrupt == 0x5A || line.interrupt == 0x7A
    let isHard = line.interrupt == 0x68 || line.interrupt == 0x48
    let isSoft = line.interrupt == 0x73
    isTaskWork = !(inCallback || inRun || isHard || isSoft)
    if isHard, !isNMI {
      context = .hardirq
    } else if tasks[own].runsCallbacks {
      context = .kthread
    } else if !isTaskWork {
      context = .softirq
    } else if line.pid == 0 {
      context = .unknown
    } else {
      context = tasks[own].isKernelThread ? .kthread : .task
    }
  }

  /// Index of the record of the line's task; names the task when its name is new.
  private mutating func ownTask(_ bytes: Span<UInt8>) -> Int {
    let index: Int
    if cpus[cpu].recentPid == line.pid {
      index = cpus[cpu].recentTask
    } else {
      let key = line.pid == 0 ? 1 << 32 | UInt64(cpu) : UInt64(line.pid)
      index = record(key)
      cpus[cpu].recentPid = line.pid
      cpus[cpu].recentTask = index
    }
    var low: UInt64 = 0
    var high: UInt64 = 0
    let length = min(line.commEnd - line.commStart, 16)
    for place in 0..<max(length, 0) {
      let byte = UInt64(bytes[line.commStart + place])
      if place < 8 {
        low |= byte << UInt64(8 * place)
      } else {
        high |= byte << UInt64(8 * place - 64)
      }
    }
    if tasks[index].nameLow != low || tasks[index].nameHigh != high {
      rename(index, low, high, bytes)
    }
    return index
  }

  private mutating func rename(_ index: Int, _ low: UInt64, _ high: UInt64, _ bytes: Span<UInt8>) {
    tasks[index].nameLow = low
    tasks[index].nameHigh = high
    let letters = (line.commStart..<line.commEnd).map { bytes[$0] }
    let name = String(decoding: letters, as: UTF8.self)
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
    try? sink.setTaskName(name, of: line.pid)
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
  mutating func settle(_ probe: Probe) throws {
    if cpus[cpu].announced != nil, probe != .batchCallback, probe != .freeNow,
      probe != .oneCallback
    {
      try announce(cpu)
    }
    if tasks[task].install != nil { try settleInstall(of: task, keep: !provesLost(probe)) }
    // A lock whose constructor was missed is nobody's, certainly not the next table's; and its
    // allocation has to stand before whatever happens to it next.
    if tasks[task].lockAddress != nil, probe != .construct { try settleLock(of: task, for: 0) }
    if tasks[task].lockTable != nil, !isInsideLockAlloc(probe) { tasks[task].lockTable = nil }
    guard isTaskWork else { return }
    if let flush = tasks[task].flush, !isInsideFlush(probe) {
      tasks[task].flush = nil
      if probe != .flushReturn {
        var end = flush
        end.kind = .flushEnd
        end.time = line.time
        end.flags = .inferred
        try write(end)
      }
    }
    if tasks[task].finishing, isOutsideFinish(probe) {
      tasks[task].finishing = false
      try emit(.gatherFinish, tasks[task].gather, tasks[task].gatherMM, flags: .inferred)
    }
    if tasks[task].justQueued, probe != .allocFailure { tasks[task].justQueued = false }
  }

  /// Lines of a task that may come between `ptlock_alloc()` and the slab's own line: a slab that
  /// grows takes pages.
  private func isInsideLockAlloc(_ probe: Probe) -> Bool {
    switch probe {
    case .slabAlloc, .slabFree, .pageAlloc, .pageFree: true
    default: false
    }
  }

  /// Lines of a task that come from inside its TLB flush.
  private func isInsideFlush(_ probe: Probe) -> Bool {
    switch probe {
    case .flushHere, .flushSend, .flushTracepoint, .syncAck, .quiescent, .gpTracepoint: true
    default: false
    }
  }

  /// Lines a task can only print when `tlb_finish_mmu()` has returned.
  private func isOutsideFinish(_ probe: Probe) -> Bool {
    switch probe {
    case .gather, .gatherFull, .gatherVMA, .freeRange, .pteLock, .pteAlloc, .pmdAlloc, .pudAlloc,
      .p4dAlloc, .gupFast, .exitMM, .construct, .install, .pgdAlloc:
      true
    default: false
    }
  }

  /// Whether this line shows that the `pmd_install()` before it found the entry taken: the same
  /// task tears its own table down at once, or finds another table in the slot.
  private func provesLost(_ probe: Probe) -> Bool {
    guard let install = tasks[task].install else { return false }
    switch probe {
    case .destruct: return fields[.folio].flatMap(facts.pageMap.pfn) == install.object
    case .lockFree: return fields[.ptdesc].flatMap(facts.pageMap.pfn) == install.object
    case .slabFree:
      guard let lock = fields[.ptr], fields[.name] == Symbol.lockCache else { return false }
      return owner(of: lock) == install.object
    case .pteLock, .pteMap:
      guard fields[.pmd] == install.arg1, let entry = fields[.pmdv],
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
    guard let record = pages[pfn] else { return PageRecord() }
    guard record.pendingInstaller > 0 else { return record }
    try settleInstall(of: record.pendingInstaller - 1, keep: true)
    return pages[pfn] ?? PageRecord()
  }

  /// A text somebody wrote into the trace.
  mutating func takeMarker(_ bytes: Span<UInt8>) throws {
    let letters = (line.restStart..<min(bytes.count, line.restStart + 4096)).map { bytes[$0] }
    try emit(.mark, try sink.addString(String(decoding: letters, as: UTF8.self)))
  }
}
