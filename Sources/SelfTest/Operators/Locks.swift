import TraceFormat

extension MutationOperator {
  /// The ptlock as an object of its own.
  static let locks: [MutationOperator] = [
    .init(
      "lock-leak", "a lock is never freed", catches: ["I35"], related: ["I13", "I36"]
    ) { specimen, random in
      guard
        let table = specimen.table(
          &random, where: { $0.lockFree != nil && $0.free != nil && $0.lockNext == nil })
      else { return false }
      specimen.remove(table.lockFree!)
      return true
    },
    .init(
      "lock-double-free", "a lock is freed twice", catches: ["I35"], related: ["I13"]
    ) { specimen, random in
      guard let table = specimen.table(&random, where: { $0.lockFree != nil }) else { return false }
      specimen.insert(specimen.events[table.lockFree!], before: table.lockFree! + 1)
      return true
    },
    .init(
      "lock-shared", "two tables get one lock",
      catches: ["I35"], related: ["I13", "I20", "I21", "I22b", "I40"]
    ) { specimen, random in
      let fresh = specimen.tables.filter { $0.lockAlloc != nil && $0.lockFree != nil }
      var pairs: [(UInt64, Int)] = []
      for second in fresh {
        for first in fresh
        where first.lockAlloc! < second.lockAlloc! && first.lockFree! > second.lockAlloc! {
          pairs.append((first.lock!, second.lockAlloc!))
        }
      }
      guard let pair = pairs.randomElement(using: &random) else { return false }
      specimen.change(pair.1) { $0.object = pair.0 }
      return true
    },
    .init(
      "lock-after-free", "a lock is taken after it was freed", catches: ["I20"]
    ) { specimen, random in
      guard let table = specimen.table(&random, where: \.isLockIdleAfterFree) else { return false }
      specimen.touchLock(.lockAcquire, of: table, before: table.lockFree! + 1)
      return true
    },
    .init(
      "unlock-after-free", "a lock is released after it was freed", catches: ["I20", "I21"]
    ) { specimen, random in
      guard
        let table = specimen.table(
          &random, where: { $0.isLockIdleAfterFree && $0.lockAlloc != nil })
      else { return false }
      let place = table.lockFree!
      specimen.insert(
        specimen.stranger(.lockRelease, at: place, table.lock!, 0, table.pfn), before: place + 1)
      specimen.touchLock(.lockAcquire, of: table, before: place)
      return true
    },
    .init(
      "spin-after-free", "a reader spins on a freed lock", catches: ["I20"]
    ) { specimen, random in
      guard let table = specimen.table(&random, where: \.isLockIdleAfterFree) else { return false }
      specimen.touchLock(.lockWait, of: table, before: table.lockFree! + 1)
      return true
    },
    .init(
      "freed-while-held", "a lock is freed while somebody holds it", catches: ["I21"]
    ) { specimen, random in
      guard
        let table = specimen.table(
          &random, where: { $0.lockFree != nil && $0.lockAlloc != nil })
      else { return false }
      specimen.touchLock(.lockAcquire, of: table, before: table.lockFree!)
      return true
    },
    .init(
      "freed-while-awaited", "a lock is freed while somebody spins on it", catches: ["I21"]
    ) { specimen, random in
      guard
        let table = specimen.table(
          &random, where: { $0.lockFree != nil && $0.lockAlloc != nil })
      else { return false }
      specimen.touchLock(.lockWait, of: table, before: table.lockFree!)
      return true
    },
  ]
}

extension Specimen {
  /// Lets a task that is in nobody's way do something to the lock of `table`.
  fileprivate mutating func touchLock(
    _ kind: EventKind, of table: TableParts, before place: Int
  ) {
    insert(stranger(kind, at: place, table.lock!, 0, table.pfn), before: place)
  }
}
