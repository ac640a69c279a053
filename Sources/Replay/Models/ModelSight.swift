import TraceFormat

/// What a source shows of a model's events.
struct ModelSight: Sendable {
  /// Symbols that may have happened without being seen.
  var silent: [Int] = []
  /// Symbols that are concluded: one that was seen may be wrong.
  var inferred: Set<Int> = []
  /// Symbols the source can show at all.
  var visible: [Int] = []
  /// Kinds the source does not record, and those it may miss, for a person.
  var unrecorded: [String] = []
  var unsure: [String] = []

  init(_ model: Model, _ capabilities: Capabilities) {
    for (index, symbol) in model.symbols.enumerated() where !symbol.kinds.isEmpty {
      let visibilities = symbol.kinds.kinds.map { Self.visibility($0, model.binding, capabilities) }
      if visibilities.contains(where: { $0 != .sure }) { silent.append(index) }
      if visibilities.contains(.inferred) { inferred.insert(index) }
      if visibilities.contains(where: { $0 != nil }) { visible.append(index) }
      if visibilities.allSatisfy({ $0 == nil }) {
        unrecorded.append(symbol.name)
      } else if visibilities.contains(where: { $0 != .sure && $0 != nil }) {
        unsure.append(symbol.name)
      }
    }
  }

  /// How surely a kind reaches the objects it concerns.
  private static func visibility(
    _ kind: EventKind, _ binding: ObjectBinding, _ capabilities: Capabilities
  ) -> Capabilities.Visibility? {
    guard let own = capabilities[kind] else { return nil }
    // A table hears of its callback only where its queueing was seen.
    let needed = path(kind, binding)
    let weakest = needed.map { capabilities[$0] }
    return weakest.allSatisfy { $0 == .sure } ? own : own == .sure ? .mayMiss : own
  }

  private static func path(_ kind: EventKind, _ binding: ObjectBinding) -> [EventKind] {
    let lock: [EventKind] =
      binding == .lock && ObjectBinding.tableKinds.contains(kind)
      ? [.lockAlloc] : []
    guard binding == .table || binding == .lock else {
      return binding == .callback && ObjectBinding.tableKinds.contains(kind)
        ? [.callbackStart, .callbackEnd] : []
    }
    switch kind {
    case .callRCU: return lock + [.tableQueueBatch]
    case .callbackStart, .callbackEnd, .batchFree: return lock + [.tableQueueBatch, .callRCU]
    case .flushStart, .flushEnd: return lock + [.tableUnlink]
    case .gracePeriodStart, .gracePeriodEnd: return lock + [.tableUnlink]
    default: return lock
    }
  }

  /// What cannot be seen, in one phrase; nil if everything can.
  var phrase: String? {
    var parts: [String] = []
    if !unrecorded.isEmpty {
      parts.append("not recorded here: \(unrecorded.joined(separator: ", "))")
    }
    if !unsure.isEmpty { parts.append("may go unseen: \(unsure.joined(separator: ", "))") }
    return parts.isEmpty ? nil : parts.joined(separator: "; ")
  }
}
