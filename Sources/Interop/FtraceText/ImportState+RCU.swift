import TraceFormat

extension ImportState {
  /// Grace periods, quiescent states, runs of callbacks.
  mutating func takeRCU(_ probe: Probe, _ bytes: Span<UInt8>) throws {
    switch probe {
    case .gpInitReturn:
      guard !facts.usesGPTracepoint, let seq = fields[.seq], fields[.ret] != 0 else { return }
      try gracePeriodStarted(seq)
    case .gpCleanup:
      guard !facts.usesGPTracepoint, let seq = fields[.seq] else { return }
      try gracePeriodEnded(seq)
    case .gpTracepoint: try gracePeriodLine(bytes)
    case .quiescent:
      guard let seq = fields[.seq] else { return badValues += 1 }
      try emit(.quiescentState, seq)
    case .runStart, .runStartTracepoint:
      guard (probe == .runStartTracepoint) == facts.usesRunTracepoint else { return }
      if let open = cpus[cpu].callback { try endCallback(cpu, open, inferred: true) }
      cpus[cpu].runTask = line.pid
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

  /// `rcu_grace_period: NAME SEQ WHAT`
  private mutating func gracePeriodLine(_ bytes: Span<UInt8>) throws {
    var words: [Range<Int>] = []
    var at = line.restStart
    while at < bytes.count, words.count < 3 {
      while at < bytes.count, bytes[at] == 0x20 { at += 1 }
      let start = at
      while at < bytes.count, bytes[at] != 0x20 { at += 1 }
      if at > start { words.append(start..<at) }
    }
    guard words.count == 3,
      let seq = Fields.number(bytes, words[1].lowerBound, words[1].upperBound)
    else { return badValues += 1 }
    switch Symbol.hash(bytes, words[2].lowerBound, words[2].upperBound) {
    case Symbol.gpStart: try gracePeriodStarted(seq)
    case Symbol.gpEnd, Symbol.gpCPUEnd: try gracePeriodEnded(seq)
    case Symbol.gpCPUQS where facts.usesQSTracepoint: try emit(.quiescentState, seq)
    default: break
    }
  }
}
