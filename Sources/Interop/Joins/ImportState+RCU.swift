import TraceFormat

extension ImportState {
  /// Grace periods, quiescent states, runs of callbacks.
  mutating func takeRCU(_ probe: Probe) throws {
    switch probe {
    case .gpInitReturn:
      guard !facts.usesGPTracepoint, let seq = event[.seq], event[.ret] != 0 else { return }
      try gracePeriodStarted(seq)
    case .gpCleanup:
      guard !facts.usesGPTracepoint, let seq = event[.seq] else { return }
      try gracePeriodEnded(seq)
    case .gpTracepoint: try gracePeriodLine()
    case .quiescent:
      guard let seq = event[.seq] else { return badValues += 1 }
      try emit(.quiescentState, seq)
    case .runStart, .runStartTracepoint:
      guard (probe == .runStartTracepoint) == facts.usesRunTracepoint else { return }
      if let open = cpus[cpu].callback { try endCallback(cpu, open, inferred: true) }
      cpus[cpu].runTask = event.pid
      if context != .kthread { context = .softirq }
      try emit(.callbackRunStart)
    default:
      if let open = cpus[cpu].callback { try endCallback(cpu, open, inferred: true) }
      guard (probe == .runEndTracepoint) == facts.usesRunTracepoint else { return }
      cpus[cpu].runTask = nil
      if context != .kthread { context = .softirq }
      try emit(.callbackRunEnd)
    }
  }

  private mutating func gracePeriodStarted(_ seq: UInt64) throws {
    guard runningGP != seq else { return }
    runningGP = seq
    try emit(.gracePeriodStart, seq)
  }

  private mutating func gracePeriodEnded(_ seq: UInt64) throws {
    // Late CPUs report the end of a period long after the next one began.
    guard endedGP != seq, runningGP == seq || runningGP == nil else { return }
    if let ended = endedGP, Int64(bitPattern: seq &- ended) <= 0 { return }
    endedGP = seq
    runningGP = nil
    try emit(.gracePeriodEnd, seq)
  }

  /// The trace point `rcu_grace_period`, which tells of every step of a grace period.
  private mutating func gracePeriodLine() throws {
    guard let seq = event[.seq], let step = event[.gpEvent] else { return badValues += 1 }
    switch step {
    case Symbol.gpStart: try gracePeriodStarted(seq)
    case Symbol.gpEnd, Symbol.gpCPUEnd: try gracePeriodEnded(seq)
    case Symbol.gpCPUQS where facts.usesQSTracepoint: try emit(.quiescentState, seq)
    default: break
    }
  }
}
