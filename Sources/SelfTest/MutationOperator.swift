import Simulator
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

  /// The place of an event that fits, by chance.
  func event(_ random: inout SplitMix64, where fits: (Event) -> Bool) -> Int? {
    events.indices.filter { fits(events[$0]) }.randomElement(using: &random)
  }
}
