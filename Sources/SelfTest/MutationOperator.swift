import TraceFormat

/// One way to break a valid trace, and who must notice.
///
/// An operator looks for a place in the specimen where it applies, changes it there, and says which
/// invariants have to report it. Everybody else must stay silent, but for those that rest on the
/// same facts (`related`).
struct MutationOperator: Sendable {
  /// `double-free`.
  let name: String
  /// What it does, in one line.
  let summary: String
  /// Invariants that must each report more than on the unbroken trace.
  let catches: [String]
  /// Invariants that may report it as well.
  let related: [String]
  /// Breaks the specimen; false if there is no place for it.
  let apply: @Sendable (inout Specimen, inout SplitMix64) -> Bool

  init(
    _ name: String, _ summary: String, catches: [String], related: [String] = [],
    _ apply: @escaping @Sendable (inout Specimen, inout SplitMix64) -> Bool
  ) {
    self.name = name
    self.summary = summary
    self.catches = catches
    self.related = related
    self.apply = apply
  }

  /// Every operator.
  static let all: [MutationOperator] =
    lifecycle + protocols + invalidations + gracePeriods + callbackRules + batches + locks + readers
    + accounting
}

extension Specimen {
  /// A table that fits, by chance.
  func table(
    _ random: inout SplitMix64, where fits: (TableParts) -> Bool
  ) -> TableParts? {
    tables.filter(fits).randomElement(using: &random)
  }

  /// A callback that fits, by chance.
  func callback(
    _ random: inout SplitMix64, where fits: (CallbackParts) -> Bool
  ) -> CallbackParts? {
    callbacks.filter(fits).randomElement(using: &random)
  }
}

/// The self-test's own seeded generator: the same numbers on every machine.
struct SplitMix64: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
