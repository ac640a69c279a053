import TraceFormat

/// What the names in a model mean: the event names of `tracetool dump`, and a few others.
enum ModelVocabulary {
  /// Names that other tools and texts use; no event of the trace has one of them.
  ///
  /// `pt_move` is `mremap()` moving a table (E6): a trace shows it as an unlink and an install, so
  /// the name is known and never happens.
  static let aliases: [String: KindSet] = [
    "tlb_queue": [.tableQueueBatch], "tlb_table": [.tableQueueBatch],
    "tlb_page": [.tableQueuePage], "table_one": [.tableFallback],
    "pte_free_defer": [.tableDefer], "table_free": [.tablePut], "table_put": [.tablePut],
    "rcu_queue": [.callRCU], "rcu_callback": [.callRCU],
    "rcu_cb": [.callbackStart], "rcu_invoke_callback": [.callbackStart],
    "rcu_cb_ret": [.callbackEnd],
    "tlb_invalidate": [.flushEnd], "ipi_sync": [.ipiSyncStart], "ipi_sync_ret": [.ipiSyncEnd],
    "rcu_sync": [.synchronizeStart], "rcu_sync_ret": [.synchronizeEnd],
    "ptlock_alloc": [.lockAlloc], "ptlock_free": [.lockFree],
    "read_access": [.readerLoad, .readerAccess], "pt_move": [],
    "exit_mmap": [.mmExit],
  ]

  /// The kinds a name stands for; nil if nothing has that name. `PT_DTOR` and `DTOR` are `pt_dtor`.
  static func kinds(named name: String) -> KindSet? {
    let wanted = name.lowercased()
    guard wanted == name || name.uppercased() == name else { return nil }
    for candidate in [wanted, "pt_" + wanted] {
      if let kind = EventKind(name: candidate) { return [kind] }
      if let kinds = aliases[candidate] { return kinds }
    }
    return nil
  }

  /// The known name most like an unknown one; nil if none is.
  static func suggestion(for name: String) -> String? {
    let wanted = Array(name.lowercased().utf8)
    let names = EventKind.allCases.map(\.name) + aliases.keys.sortedNames()
    let best = names.map { ($0, distance(wanted, Array($0.utf8))) }.min { $0.1 < $1.1 }
    guard let best, best.1 <= max(2, wanted.count / 3) else { return nil }
    return best.0
  }

  /// Letters to change, add or remove.
  private static func distance(_ first: [UInt8], _ second: [UInt8]) -> Int {
    guard first.count <= 64 else { return first.count }
    var row = Array(0...second.count)
    for (index, byte) in first.enumerated() {
      var diagonal = row[0]
      row[0] = index + 1
      for place in second.indices {
        let cost = diagonal + (second[place] == byte ? 0 : 1)
        diagonal = row[place + 1]
        row[place + 1] = min(cost, row[place] + 1, row[place + 1] + 1)
      }
    }
    return row[second.count]
  }
}
