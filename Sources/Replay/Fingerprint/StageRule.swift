/// What a stage of kernel-facts §0 shows of itself in a trace: one row a stage.
///
/// Written from §1.5, §2.4 and §7, not taken from the simulator: the judge shares no code with
/// the accused. An empty set means that the stage never shows the trait.
public struct StageRule: Sendable {
  /// Label on the command line (`S1.sbi`).
  public let label: String
  /// Kernels that behave so on RISC-V.
  public let kernels: String
  let paths: Set<QueuePath>
  let order: Set<DestructorOrder>
  let fallback: Set<FallbackWait>
  /// Transports under which a table takes the path above; nil = any.
  let sendsIPIs: Bool?
  let reclaims: Bool
  let hasUpperDestructors: Bool

  private init(
    _ label: String, _ kernels: String, _ path: QueuePath, _ order: DestructorOrder?,
    fallback: Set<FallbackWait> = [], sendsIPIs: Bool? = nil, reclaims: Bool = false,
    hasUpperDestructors: Bool = true
  ) {
    self.label = label
    self.kernels = kernels
    paths = [path]
    self.order = order.map { [$0] } ?? []
    self.fallback = fallback
    self.sendsIPIs = sendsIPIs
    self.reclaims = reclaims
    self.hasUpperDestructors = hasUpperDestructors
  }

  /// Every stage, oldest first. S0a and S0b, S3.sbi and S3g, look alike here and share a row.
  public static let all: [StageRule] = [
    StageRule("S0", "up to v6.8", .page, nil, hasUpperDestructors: false),
    StageRule(
      "S1.sbi", "v6.9-v6.13, SBI", .table, .early, fallback: [.ipiSync], sendsIPIs: false,
      hasUpperDestructors: false),
    StageRule(
      "S1.ipi", "v6.9-v6.13, native IPIs or UP", .page, nil, hasUpperDestructors: false),
    StageRule(
      "S2h", "never released", .table, .early, fallback: [.ipiSync], hasUpperDestructors: false),
    StageRule(
      "S3.sbi", "v6.14, SBI", .table, .inCallback, fallback: [.ipiSync], sendsIPIs: false),
    StageRule("S3.ipi", "v6.14, native IPIs or UP", .page, nil),
    StageRule("S4", "v6.15-v6.19", .table, .inCallback, fallback: [.ipiSync]),
    StageRule("S5", "v7.0", .table, .inCallback, fallback: [.callback], reclaims: true),
    StageRule(
      "S6", "v7.1 and later", .table, .inCallback, fallback: [.callback], reclaims: true),
    StageRule(
      "S6.sync", "v7.1 and later without PT_RECLAIM", .table, .inCallback,
      fallback: [.synchronize]),
  ]

  /// Whether a trace that shows `traits` can come from this stage. Only on RISC-V does the way a
  /// TLB flush travels decide the path (kernel-facts §1.3, §7).
  func allows(_ traits: FingerprintTraits, onRISCV: Bool) -> Bool {
    agrees(paths, traits.path) && agrees(order, traits.destructor)
      && agrees(fallback, traits.fallback)
      && !(onRISCV && sendsIPIs == false && traits.transport.total > 0)
      && (hasUpperDestructors || traits.upperDestructor.total == 0)
  }

  private func agrees<Answer>(_ allowed: Set<Answer>, _ trait: Trait<Answer>) -> Bool {
    trait.answer.map(allowed.contains) ?? true
  }
}
