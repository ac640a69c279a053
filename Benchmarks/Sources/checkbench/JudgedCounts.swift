import Replay
import TraceFormat

/// The nine counts by the judge.
///
/// Seven are invariants. A *leak* counts tables (I29 counts callbacks), and an access to a table
/// that was unlinked before the section began breaks no promise of the kernel: these two are read
/// off the resolver's state.
enum JudgedCounts {
  /// The invariants that decide them.
  static let invariants = ["I07", "I08", "I12", "I13", "I18", "I20", "I29"]

  static func of(_ open: () throws -> any EventSource) throws -> NineCounts {
    var options = CheckOptions()
    options.only = invariants
    let checker = try Checker(options: options)
    let result = try checker.check(try open())
    var counts = NineCounts()
    func count(_ id: String, _ causes: String...) -> Int {
      let judgement = result.judgements.first { $0.invariant.id == id }
      return judgement?.findings.filter { group in
        causes.isEmpty || causes.contains { group.cause.hasPrefix($0) }
      }.reduce(0) { $0 + $1.count } ?? 0
    }
    counts.dtorBeforeGP = count("I13")
    counts.freeBeforeGP = count("I12")
    counts.doubleFree = count("I08", "freed a second time")
    counts.allocOfLive = count("I08", "page allocated again, never freed")
    counts.useAfterFree = count("I18")
    counts.freeWithoutDtor = count("I07", "freed without its destructor")
    counts.lockAfterDtor = count("I20")
    try countState(try open(), into: &counts)
    return counts
  }

  private static func countState(_ source: any EventSource, into counts: inout NineCounts) throws {
    var resolver = Resolver()
    var batch = EventBatch()
    var resolved = ResolvedBatch()
    var enteredAt = [Ordinal](repeating: -1, count: 65_536)
    func isLeft(_ table: TableLife, _ callback: CallbackLife?) -> Bool {
      table.path == .batch && !table.isFreed && (callback?.endedAt ?? .none) != .none
    }
    while try source.next(into: &batch) {
      resolver.resolve(batch, into: &resolved)
      for index in batch.events.indices {
        let event = batch.events[index]
        switch event.kind {
        case .readerEnter: enteredAt[Int(event.cpu)] = Ordinal(batch.firstOrdinal) + Ordinal(index)
        case .readerAccess where event.arg0 != 0:
          guard let table = resolved.table(at: Int32(index)), !table.isFreed,
            table.unlinkAt != .none, enteredAt[Int(event.cpu)] > table.unlinkAt
          else { continue }
          counts.staleAccess += 1
        case .tableAlloc:
          let view = resolved[Int32(index)]
          if let table = view.table, isLeft(table, view.callback) { counts.leak += 1 }
        default: continue
        }
      }
    }
    for table in resolver.tables where table.callback >= 0 {
      let callback = resolver.callbacks[Int(table.callback)]
      if callback.serial == table.callbackSerial, isLeft(table, callback) { counts.leak += 1 }
    }
  }
}
