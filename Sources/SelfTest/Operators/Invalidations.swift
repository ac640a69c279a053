import TraceFormat

extension MutationOperator {
  /// What page walkers and fast GUP rely on: invalidations, their acknowledgements, the sync IPI.
  static let invalidations: [MutationOperator] = [
    .init(
      "missed-invalidate", "no TLB invalidation between a table's unlink and its free",
      catches: ["I10"], related: ["I11", "I15", "I16", "I19", "I30"]
    ) { specimen, random in
      guard
        let table = specimen.table(
          &random,
          where: { table in
            // Not where the stage frees before it invalidates anyway.
            guard let unlink = table.unlink, let free = table.free, table.queue != nil else {
              return false
            }
            return unlink < free && table.deposit == nil
          })
      else { return false }
      let mm = specimen.events[table.unlink!].arg0
      let kinds: Set<EventKind> = [.flushStart, .flushEnd, .flushCPUs, .flushAck]
      let doomed = (table.unlink!..<table.free!).filter {
        kinds.contains(specimen.events[$0].kind) && specimen.events[$0].object == mm
      }
      specimen.remove(doomed)
      return !doomed.isEmpty
    },
    .init(
      "late-invalidate", "a batch is given to RCU before its tables are invalidated",
      catches: ["I11"], related: ["I30"]
    ) { specimen, random in
      var pairs: [(call: Int, flush: Int)] = []
      for callback in specimen.callbacks where callback.function == .removeTableBatch {
        let task = specimen.events[callback.call].task
        guard let last = callback.members.compactMap({ specimen.tables[$0].queue }).max() else {
          continue
        }
        let flush = (last..<callback.call).first {
          specimen.events[$0].kind == .flushStart && specimen.events[$0].task == task
        }
        if let flush { pairs.append((callback.call, flush)) }
      }
      guard let pair = pairs.randomElement(using: &random) else { return false }
      specimen.move([pair.call], before: pair.flush)
      return true
    },
    .init(
      "missing-flush-ack", "a CPU never acknowledged the flush that a table waited for",
      catches: ["I15"]
    ) { specimen, random in
      guard specimen.header.options["transport"] == "ipi" else { return false }
      guard
        let table = specimen.table(
          &random,
          where: { table in
            guard table.path == .tableQueuePage, let unlink = table.unlink, let free = table.free
            else { return false }
            return !specimen.foreignAcks(from: unlink, to: free).isEmpty
          })
      else { return false }
      let acks = specimen.foreignAcks(from: table.unlink!, to: table.free!)
      let cpu = specimen.events[acks[0]].cpu
      specimen.remove(acks.filter { specimen.events[$0].cpu == cpu })
      return true
    },
    .init(
      "missing-sync-ack", "a fallback frees its table before a CPU acknowledged the sync IPI",
      catches: ["I16"]
    ) { specimen, random in
      guard
        let table = specimen.table(
          &random,
          where: { table in
            guard let fallback = table.fallback, let free = table.free, let unlink = table.unlink
            else { return false }
            return !specimen.gracePeriods.contains { $0.start > unlink && $0.end < free }
              && specimen.events[fallback..<free].contains { $0.kind == .ipiSyncAck }
          })
      else { return false }
      let doomed = (table.fallback!..<table.free!).filter {
        specimen.events[$0].kind == .ipiSyncAck
      }
      specimen.remove(doomed)
      return true
    },
    .init(
      "walk-after-free", "a page walker reads a freed table", catches: ["I19"]
    ) { specimen, random in
      guard let table = specimen.table(&random, where: \.isPageIdleAfterFree) else { return false }
      let place = table.free! + 1
      specimen.insert(specimen.stranger(.hardwareAccess, at: place, table.pfn), before: place)
      return true
    },
    .init(
      "flush-pending-kept", "tlb_flush_pending stays raised after a gather", catches: ["I30"]
    ) { specimen, random in
      guard
        let place = specimen.event(
          &random, where: { $0.kind == .mmFlushPending && Int64(bitPattern: $0.arg0) < 0 })
      else { return false }
      specimen.remove(place)
      return true
    },
    .init(
      "wrong-bytes", "pgtables_bytes changes by two pages at once", catches: ["I34"]
    ) { specimen, random in
      guard
        let place = specimen.event(
          &random, where: { $0.kind == .mmBytes && Int64(bitPattern: $0.arg0) > 0 })
      else { return false }
      specimen.change(place) { $0.arg0 = 8192 }
      return true
    },
  ]

  /// What RCU itself promises about callbacks.
  static let callbackRules: [MutationOperator] = [
    .init(
      "head-queued-twice", "a head is given to call_rcu twice", catches: ["I24", "I27"],
      related: ["I12", "I13", "I14", "I25", "I28", "I29", "I36"]
    ) { specimen, random in
      guard let callback = specimen.callback(&random, where: { !$0.members.isEmpty }) else {
        return false
      }
      specimen.insert(specimen.events[callback.call], before: callback.call + 1)
      return true
    },
    .init(
      "callbacks-swapped", "two callbacks of one CPU run in the wrong order", catches: ["I26"]
    ) { specimen, random in
      var pairs: [(Specimen.CallbackParts, Int)] = []
      for (first, second) in zip(specimen.callbacks, specimen.callbacks.dropFirst())
      where specimen.events[first.call].cpu == specimen.events[second.call].cpu {
        guard let start = first.start, let end = first.end, let later = second.start,
          let last = second.end, second.call < start, end < later,
          specimen.events[start].cpu == specimen.events[later].cpu,
          !specimen.events[end...last].contains(where: {
            [.tableAlloc, .batchNew, .lockAlloc, .callbacksSpliced, .quiesce].contains($0.kind)
          })
        else { continue }
        pairs.append((first, last))
      }
      guard let pair = pairs.randomElement(using: &random) else { return false }
      specimen.moveCallback(pair.0, before: pair.1 + 1)
      return true
    },
    .init(
      "overfull-batch", "a table is put behind the end of its batch page", catches: ["I28"],
      related: ["I29"]
    ) { specimen, random in
      guard let capacity = specimen.header.machine?.batchCapacity,
        let place = specimen.event(&random, where: { $0.kind == .batchAdd })
      else { return false }
      specimen.change(place) { $0.arg1 = capacity }
      return true
    },
    .init(
      "callback-in-task", "a callback runs in a task's own context", catches: ["I37"],
      related: ["I14"]
    ) { specimen, random in
      guard let callback = specimen.callback(&random, where: { $0.start != nil }) else {
        return false
      }
      specimen.change(callback.start!) { $0.context = .task }
      return true
    },
  ]
}

extension Specimen {
  /// Acknowledgements by other CPUs than the flushing one, of the mm unlinked from at `from`.
  fileprivate func foreignAcks(from: Int, to: Int) -> [Int] {
    let mm = events[from].arg0
    let cpu = events[from].cpu
    return (from..<to).filter {
      events[$0].kind == .flushAck && events[$0].object == mm && events[$0].cpu != cpu
    }
  }
}
