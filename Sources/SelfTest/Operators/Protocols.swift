import TraceFormat

extension MutationOperator {
  /// How a table is published, reached and emptied.
  static let protocols: [MutationOperator] = [
    .init(
      "late-zero", "a page is cleared after an entry points at it", catches: ["I03"]
    ) { specimen, random in
      guard
        let table = specimen.table(
          &random,
          where: { $0.install != nil && specimen.place(of: .tableZero, in: $0) != nil })
      else { return false }
      let zero = specimen.place(of: .tableZero, in: table)!
      specimen.move([zero], before: table.install! + 1)
      return true
    },
    .init(
      "late-unlink", "a table is queued before its entry is cleared",
      catches: ["I04"],
      related: ["I10", "I11", "I13", "I14", "I15", "I16", "I17", "I31", "I38", "I40"]
    ) { specimen, random in
      guard
        let table = specimen.table(
          &random,
          where: { table in
            guard let unlink = table.unlink, let queue = table.queue else { return false }
            return unlink < queue && table.level == .pte && table.path != .tableDefer
          })
      else { return false }
      specimen.move([table.unlink!], before: table.queue! + 1)
      return true
    },
    .init(
      "queue-twice", "a table is queued twice", catches: ["I05"], related: ["I28", "I29", "I30"]
    ) { specimen, random in
      guard
        let table = specimen.table(
          &random, where: { $0.queue != nil && $0.path != .tableDefer && $0.fallback == nil })
      else { return false }
      specimen.insert(specimen.events[table.queue!], before: table.queue! + 1)
      return true
    },
    .init(
      "install-after-queue", "an entry points at a queued table again", catches: ["I05"],
      related: ["I02", "I03", "I10", "I11", "I13", "I31", "I32", "I38"]
    ) { specimen, random in
      guard
        let table = specimen.table(
          &random,
          where: { table in
            guard let queue = table.queue, let free = table.free else { return false }
            return table.install != nil && table.path != .tableDefer && free > queue + 1
          })
      else { return false }
      var event = specimen.events[table.install!]
      event.time = specimen.events[table.queue!].time
      specimen.insert(event, before: table.queue! + 1)
      return true
    },
    .init(
      "second-entry", "two entries point at one table", catches: ["I32"],
      related: ["I02", "I03", "I04", "I31"]
    ) { specimen, random in
      guard
        let table = specimen.table(
          &random, where: { $0.install != nil && $0.unlink != nil && $0.level == .pte })
      else { return false }
      var event = specimen.events[table.install!]
      event.arg1 = event.arg1 ^ 8
      specimen.insert(event, before: table.install! + 1)
      return true
    },
    .init(
      "child-left-behind", "a table is queued while one below it is installed",
      catches: ["I31"],
      related: ["I04", "I10", "I11", "I13", "I14", "I15", "I16", "I17", "I38"]
    ) { specimen, random in
      guard let map = specimen.header.machine?.linearMap else { return false }
      var pairs: [(child: Int, parent: Int)] = []
      for child in specimen.tables where child.level == .pte {
        guard let unlink = child.unlink, let upper = map.page(of: specimen.events[unlink].arg1)
        else { continue }
        for parent in specimen.tables where parent.pfn == upper && parent.level != .pgd {
          guard let queue = parent.queue, unlink < queue, parent.alloc < unlink,
            (child.free ?? .max) > queue
          else { continue }
          pairs.append((unlink, queue))
        }
      }
      guard let pair = pairs.randomElement(using: &random) else { return false }
      specimen.move([pair.child], before: pair.parent + 1)
      return true
    },
    .init(
      "missing-recheck", "a reader writes without having compared its entry again",
      catches: ["I23"]
    ) { specimen, random in
      var rechecks: [Int] = []
      for (place, event) in specimen.events.enumerated()
      where event.kind == .readerAccess && event.arg1 == 1 && event.arg0 != 0 {
        let before = specimen.events[..<place].lastIndex {
          $0.kind == .readerRecheck && $0.arg0 == event.arg0 && $0.object == event.object
        }
        if let before, place - before < 40 { rechecks.append(before) }
      }
      guard let place = rechecks.randomElement(using: &random) else { return false }
      specimen.remove(place)
      return true
    },
    .init(
      "type-cleared-at-queue", "the page's type is cleared before the table is queued",
      catches: ["I38"]
    ) { specimen, random in
      guard
        let table = specimen.table(
          &random,
          where: { table in
            guard table.isBatched, let queue = table.queue else { return false }
            return (specimen.place(of: .tableTypeClear, in: table) ?? -1) > queue
          })
      else { return false }
      let place = specimen.place(of: .tableTypeClear, in: table)!
      specimen.moveToTask([place], of: table.queue!, before: table.queue!)
      return true
    },
    .init(
      "deposit-forgotten", "a deposited table is used without having been withdrawn",
      catches: ["I39"]
    ) { specimen, random in
      guard let place = specimen.event(&random, where: { $0.kind == .tableWithdraw }) else {
        return false
      }
      specimen.remove(place)
      return true
    },
    .init(
      "reclaim-in-use", "a table is reclaimed with an entry in use", catches: ["I40"]
    ) { specimen, random in
      guard let place = specimen.event(&random, where: { $0.kind == .tableReclaim }) else {
        return false
      }
      specimen.change(place) { $0.arg1 = 1 }
      return true
    },
    .init(
      "wrong-free-function", "a page function frees a table", catches: ["I09"]
    ) { specimen, random in
      let right = UInt64(FreeFunction.pagetableFree.rawValue)
      guard
        let table = specimen.table(
          &random,
          where: { table in
            table.free.map { specimen.events[$0].arg0 == right && table.path != nil } ?? false
          })
      else { return false }
      specimen.change(table.free!) {
        $0.arg0 = UInt64(FreeFunction.freePageAndSwapCache.rawValue)
      }
      return true
    },
  ]
}

extension Specimen {
  /// Place of the first event of a kind in a table's life.
  func place(of kind: EventKind, in table: TableParts) -> Int? {
    events[table.alloc..<(table.next ?? events.count)].firstIndex {
      $0.kind == kind && $0.object == table.pfn
    }
  }
}
