import TraceFormat

/// What an invariant must know of the machine besides events (``MachineFacts``).
public enum MachineFact: String, Sendable, CaseIterable {
  /// Which levels of tables there are.
  case levels = "the levels of its paging mode"
  /// Where the linear map lies.
  case linearMap = "its linear map"
  /// How many tables a batch holds.
  case batchCapacity = "its MAX_TABLE_BATCH"
  /// That contexts were observed.
  case context = "that it observed the context of its events"
  /// That free functions were observed.
  case freeFunction = "that it observed which function freed a page"

  /// Whether a header says it.
  func isKnown(_ machine: MachineFacts?) -> Bool {
    guard let machine else { return false }
    return switch self {
    case .levels: machine.levels != nil
    case .linearMap: machine.linearMap != nil
    case .batchCapacity: machine.batchCapacity != nil
    case .context: machine.observesContext == true
    case .freeFunction: machine.observesFreeFunction == true
    }
  }
}

extension Court {
  /// Set where the source does not say of its machine what the invariant must know: whatever was
  /// counted then was counted without that knowledge.
  func ignorance(_ invariant: InvariantDescription) -> (Verdict, String)? {
    let unknown = invariant.facts.filter { !$0.isKnown(header.machine) }
    guard !unknown.isEmpty else { return nil }
    return (
      options.only.contains(invariant.id) ? .inconclusive : .notApplicable,
      "this source does not say \(unknown.map(\.rawValue).joined(separator: ", "))"
    )
  }
}
