public import TraceFormat

/// Which stage of the patch series a kernel behaves like, from its events alone.
///
/// Rules, not guesses: a stage is a candidate while nothing the trace shows contradicts it. File
/// names and the header's own stage are never asked; the header only explains what could not be
/// seen.
public struct Fingerprint: Sendable {
  /// What the trace says about itself.
  public let header: TraceHeader
  /// What was seen.
  public let traits: FingerprintTraits
  /// Stages that nothing contradicts, oldest first.
  public let candidates: [StageRule]

  /// The stages are RISC-V's; elsewhere they name a behaviour, not a kernel.
  public let onRISCV: Bool

  /// Reads `source` to its end.
  public init(of source: any EventSource) throws {
    var resolver = Resolver()
    var batch = EventBatch()
    var resolved = ResolvedBatch()
    var collector = TraitCollector()
    while try source.next(into: &batch) {
      resolver.resolve(inParts: batch, &resolved) { collector.take($0) }
    }
    self.init(collector.traits, header: source.header)
  }

  init(_ traits: FingerprintTraits, header: TraceHeader) {
    self.header = header
    self.traits = traits
    let onRISCV = header.arch.map { $0.hasPrefix("riscv") } ?? true
    let allowed = StageRule.all.filter { $0.allows(traits, onRISCV: onRISCV) }
    self.onRISCV = onRISCV
    // Reclaim narrows the choice; it never empties it: a simulator can ask "what if S1 had it?".
    let reclaiming = traits.reclaim.total > 0 ? allowed.filter(\.reclaims) : []
    candidates = reclaiming.isEmpty ? allowed : reclaiming
  }

  /// Path and, on the table path, the place of the destructor are known and beyond doubt.
  public var isCertain: Bool {
    guard let path = traits.path.answer, !candidates.isEmpty else { return false }
    return path == .page || traits.destructor.answer != nil
  }

  /// Why the stage cannot be told, or not more closely; empty if one stage is left.
  public var reasons: [String] {
    var reasons = contradictions
    if traits.path.total == 0 {
      return [unseen("no table was seen on its way to be freed", [.tableQueueBatch])]
    }
    if traits.path.answer == .table, traits.destructor.total == 0 {
      return reasons + [
        unseen("no destructor of a queued table was seen in a clean stretch", [.tableDestruct])
      ]
    }
    guard candidates.count > 1, reasons.isEmpty else { return reasons }
    if onRISCV, differs(\.sendsIPIs), traits.transport.total == 0 {
      reasons.append(unseen("no TLB flush was seen to reach another CPU by IPI", [.flushAck]))
    }
    if differs(\.fallback), traits.fallback.total == 0 {
      reasons.append(unseen("no no-memory fallback was seen", [.tableFallback]))
    }
    if differs(\.reclaims), traits.reclaim.total == 0 {
      reasons.append("no table was seen to be freed by madvise (PT_RECLAIM)")
    }
    if differs(\.hasUpperDestructors), traits.upperDestructor.total == 0 {
      reasons.append("no destructor of a P4D or PGD was seen (kernels before v6.14 have none)")
    }
    return reasons.isEmpty ? ["they free tables alike in all that a trace can show"] : reasons
  }

  private var contradictions: [String] {
    var found: [String] = []
    func note<Answer: RawRepresentable<String>>(_ what: String, _ trait: Trait<Answer>) {
      guard trait.isMixed else { return }
      let counts = trait.answers.map { "\(Figures.count(trait.count($0))) × \($0.rawValue)" }
      found.append("\(what) differs within the trace: " + counts.joined(separator: ", "))
    }
    note("the queue", traits.path)
    note("the place of the destructor", traits.destructor)
    note("the wait of the no-memory fallback", traits.fallback)
    if candidates.isEmpty, found.isEmpty {
      found.append("no known stage shows all of this together")
    }
    return found
  }

  private func differs<Value: Equatable>(_ value: (StageRule) -> Value) -> Bool {
    guard let first = candidates.first.map(value) else { return false }
    return candidates.contains { value($0) != first }
  }

  /// Adds why nothing was seen, where the source says so.
  private func unseen(_ what: String, _ kinds: [EventKind]) -> String {
    for kind in kinds {
      switch header.capabilities[kind] {
      case nil: return "\(what): this source does not record \(kind.name)"
      case .mayMiss:
        let why = header.capabilities.reasons[kind.name].map { " (\($0))" } ?? ""
        return "\(what); \(kind.name) may be missed silently\(why)"
      case .inferred, .sure: continue
      }
    }
    return what
  }
}
