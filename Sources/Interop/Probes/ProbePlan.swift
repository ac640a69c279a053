public import TraceFormat

/// How the probes are attached.
public enum ProbeMechanism: String, Sendable, CaseIterable {
  /// fprobes where the kernel has them, else kprobes; decided there if nothing is known here.
  case auto
  /// `kprobe_events`.
  case kprobe
  /// fprobe events: no miss was ever seen with them; since v6.5, per architecture.
  case fprobe
  /// BPF fentry and fexit programs that print into the ring buffer.
  case bpf
  /// Trace points only.
  case tracepoints
}

/// What will be recorded on a target, and what cannot be.
public struct ProbePlan: Sendable {
  /// One probe with the functions it may be attached to there, most wanted first.
  struct Chosen: Sendable {
    let spec: ProbeSpec
    let symbols: [String]
    let fields: [ProbeField]
  }

  /// The target.
  public let target: ProbeTarget
  /// How probes are attached; `auto` = the script decides.
  public let mechanism: ProbeMechanism
  /// What was asked for.
  public let set: ProbeSet
  let probes: [Chosen]
  let tracePoints: [TracePointSpec]
  /// Probes that were asked for and cannot be set there, with the reason.
  public let missing: [(event: String, reason: String)]
  /// What a user of this target has to know.
  public let warnings: [String]

  /// Plans the probes of `set` for `target`.
  public init(_ target: ProbeTarget, set: ProbeSet, mechanism wanted: ProbeMechanism) {
    self.target = target
    self.set = set
    mechanism = Self.mechanism(wanted, target)
    var probes: [Chosen] = []
    var missing: [(String, String)] = []
    if mechanism != .tracepoints {
      for spec in ProbeCatalogue.probes where spec.set <= set && Self.concerns(spec, target) {
        switch Self.choose(spec, target, mechanism) {
        case .success(let chosen): probes.append(chosen)
        case .failure(let reason): missing.append((spec.event, reason.text))
        }
      }
    }
    // Of two probes that stand for one event the first that can be set is.
    var names: Set<String> = []
    self.probes = probes.filter { target.symbols == nil || names.insert($0.spec.event).inserted }
    let found = Set(probes.map(\.spec.event))
    self.missing = missing.filter { !found.contains($0.0) }
    tracePoints = ProbeCatalogue.tracePoints.filter {
      $0.set <= set && Self.concerns($0, target)
    }
    warnings = Self.warnings(mechanism, target)
  }

  private struct Reason: Error { let text: String }

  private static func concerns(_ spec: ProbeSpec, _ target: ProbeTarget) -> Bool {
    guard spec.architectures.isEmpty || spec.architectures.contains(target.architecture) else {
      return false
    }
    guard let before = spec.before, let version = target.version else { return true }
    return version < before
  }

  private static func concerns(_ point: TracePointSpec, _ target: ProbeTarget) -> Bool {
    if point.path.hasPrefix("tlb/"), target.architecture != .x86_64 { return false }
    if point.path.hasPrefix("rcu/"), let config = target.config, config["RCU_TRACE"] == nil {
      return false
    }
    return point.needs.flatMap(target.has) ?? true
  }

  private static func choose(
    _ spec: ProbeSpec, _ target: ProbeTarget, _ mechanism: ProbeMechanism
  ) -> Result<Chosen, Reason> {
    // On a kernel with swap the page's last reference is dropped by a function of its own.
    if spec.event == "table_put", target.has("free_page_and_swap_cache") != false {
      return .failure(Reason(text: "free_page_and_swap_cache() is probed instead"))
    }
    var symbols = spec.symbols
    if target.symbols != nil {
      symbols = symbols.filter { target.has($0) == true }
      guard let first = symbols.first else {
        return .failure(Reason(text: "no function \(spec.symbols.joined(separator: " or ")) there"))
      }
      symbols = [first]
      if let traceable = target.traceable, !traceable.contains(first) {
        return .failure(Reason(text: "\(first)() cannot be traced there"))
      }
    }
    var fields = spec.fields
    if mechanism == .fprobe, target.architecture.callerIsRegister {
      if case .callers = spec.filter {
        return .failure(Reason(text: "an fprobe cannot tell the call site there"))
      }
      fields.removeAll { $0.value == .caller }
    }
    if let members = target.members {
      for field in spec.fields {
        guard let member = member(of: field), members[member] == nil else { continue }
        fields.removeAll { $0.name == field.name }
      }
    } else {
      fields.removeAll { $0.value == .member(.callbackCPU) }
    }
    let needsNumber = spec.fields.contains { $0.value == .global(.gracePeriodNumber) }
    if needsNumber, target.members?[.gracePeriodNumber] == nil {
      if target.members != nil {
        return .failure(Reason(text: "its BTF does not say where rcu_state.gp_seq is"))
      }
      // A script can ask on the machine; a program that is compiled here cannot.
      if mechanism == .bpf { return .failure(Reason(text: "only its BTF says where gp_seq is")) }
    }
    return .success(Chosen(spec: spec, symbols: symbols, fields: fields))
  }

  private static func member(of field: ProbeField) -> KernelMember? {
    switch field.value {
    case .global(let member), .member(let member): member
    default: nil
    }
  }

  private static func mechanism(_ wanted: ProbeMechanism, _ target: ProbeTarget) -> ProbeMechanism {
    guard wanted == .auto else { return wanted }
    if target.config?["FPROBE_EVENTS"] == "y" { return .fprobe }
    if dropsKprobes(target) == true { return .bpf }
    return target.config == nil ? .auto : .kprobe
  }

  /// Whether the kernel runs kprobe handlers and records nothing of them: a riscv handler counts
  /// as NMI, and the ring buffer takes none from there without this option.
  private static func dropsKprobes(_ target: ProbeTarget) -> Bool? {
    guard target.architecture == .riscv64 else { return false }
    if let config = target.config { return config["ARCH_HAVE_NMI_SAFE_CMPXCHG"] != "y" }
    return target.version.map { $0 < KernelVersion(6, 13) }
  }

  private static func warnings(
    _ mechanism: ProbeMechanism, _ target: ProbeTarget
  ) -> [String] {
    var warnings: [String] = []
    if mechanism == .kprobe, dropsKprobes(target) == true {
      warnings.append(
        "this riscv kernel records nothing of its kprobes (their handlers run as NMI and it lacks "
          + "ARCH_HAVE_NMI_SAFE_CMPXCHG): use --mechanism bpf")
    }
    if mechanism == .kprobe || mechanism == .auto, target.architecture == .x86_64 {
      warnings.append(
        "kprobes on x86_64 miss whole RCU callbacks that interrupt another kprobe; such tables "
          + "become inconclusive. fprobe events miss none, where the kernel has them")
    }
    if mechanism == .fprobe, target.config != nil, target.config?["FPROBE_EVENTS"] != "y" {
      warnings.append("this kernel has no fprobe events (FPROBE_EVENTS): use --mechanism kprobe")
    }
    if mechanism == .fprobe, target.architecture.callerIsRegister {
      warnings.append(
        "fprobes read no registers, so call sites are not recorded: the level of a queued table "
          + "comes from its allocation alone (--mechanism kprobe records them, and may miss some)")
    }
    if mechanism == .kprobe, target.config != nil, target.config?["KPROBE_EVENTS"] != "y" {
      warnings.append("this kernel has no kprobe events (KPROBE_EVENTS)")
    }
    if mechanism == .bpf, target.traceable == nil {
      warnings.append(
        "one program that cannot be attached keeps all from loading: give the target's "
          + "available_filter_functions, too")
    }
    if target.members == nil, mechanism == .bpf {
      warnings.append("without the target's BTF grace periods are not recorded: give --btf")
    } else if target.members == nil, mechanism != .tracepoints {
      warnings.append(
        "without the target's BTF the place of rcu_state.gp_seq is asked of bpftool there; where "
          + "there is none and no rcu trace points either, grace periods are not recorded")
    }
    return warnings
  }

  /// Kinds of events the recording can show.
  public var kinds: Set<EventKind> {
    var kinds: Set<EventKind> = []
    for probe in probes { kinds.formUnion(probe.spec.kinds) }
    for point in tracePoints { kinds.formUnion(point.kinds) }
    // Concluded from the others, as the importer does it.
    if kinds.contains(.tableAlloc), mechanism == .tracepoints {
      kinds.subtract([.tableAlloc, .tableFree, .pageReuse, .batchFree])
    }
    if kinds.contains(.tableDestruct) || kinds.contains(.tableQueueBatch) {
      kinds.insert(.tableUnlink)
    }
    if kinds.contains(.flushStart) { kinds.insert(.flushEnd) }
    return kinds
  }

  /// Each probe and trace point, with the reason for it.
  public var explanations: [(name: String, place: String, why: String)] {
    probes.map {
      (
        $0.spec.event, $0.symbols.joined(separator: " or ") + ($0.spec.isReturn ? " (return)" : ""),
        $0.spec.why
      )
    } + tracePoints.map { ($0.path, "trace point", $0.why) }
  }
}
