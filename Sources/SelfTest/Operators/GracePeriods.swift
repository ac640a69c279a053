import TraceFormat

extension MutationOperator {
  /// What has to wait for a grace period and does not.
  static let gracePeriods: [MutationOperator] = [
    .init(
      "dtor-at-queue", "the destructor runs before the table is queued, as before the patch",
      catches: ["I13", "I14"], related: ["I20", "I21", "I22b", "I38"]
    ) { specimen, random in
      guard
        let table = specimen.table(
          &random,
          where: { table in
            guard table.isBatched, let destruct = table.destruct, let queue = table.queue else {
              return false
            }
            return destruct > queue && table.loads.isEmpty
          })
      else { return false }
      specimen.moveToTask([table.lockFree, table.destruct], of: table.queue!, before: table.queue!)
      return true
    },
    .init(
      "lock-freed-at-queue", "the lock alone dies before the table is queued",
      catches: ["I13"], related: ["I14", "I20", "I21", "I22b"]
    ) { specimen, random in
      guard
        let table = specimen.table(
          &random,
          where: { table in
            guard table.isBatched, let free = table.lockFree, let queue = table.queue else {
              return false
            }
            return free > queue && table.loads.isEmpty
          })
      else { return false }
      specimen.moveToTask([table.lockFree], of: table.queue!, before: table.queue!)
      return true
    },
    .init(
      "free-before-callback", "a queued page is freed in the task, not in its callback",
      catches: ["I12"], related: ["I10", "I13", "I14", "I18", "I29", "I38"]
    ) { specimen, random in
      guard let table = specimen.table(&random, where: { $0.isBatched && $0.loads.isEmpty }),
        let callback = table.callback
      else { return false }
      let call = specimen.callbacks[callback].call
      let late = [table.lockFree, table.destruct].filter { ($0 ?? -1) > call }
      specimen.moveToTask(late + [table.free], of: call, before: call + 1)
      return true
    },
    .init(
      "callback-without-gp", "a callback runs as soon as it is queued",
      catches: ["I12", "I25"],
      related: ["I13", "I14", "I17", "I20", "I21", "I22a", "I22b", "I26", "I38"]
    ) { specimen, random in
      guard
        let callback = specimen.callback(
          &random,
          where: { callback in
            guard callback.function == .removeTableBatch, let start = callback.start,
              let end = callback.end
            else { return false }
            return end > start && !callback.members.isEmpty
              && callback.members.allSatisfy { specimen.tables[$0].loads.isEmpty }
          })
      else { return false }
      specimen.moveCallback(callback, before: callback.call + 1)
      return true
    },
    .init(
      "drop-gp", "no grace period passes between call_rcu and callback",
      catches: ["I25"], related: ["I12", "I13", "I14", "I16", "I17", "I38"]
    ) { specimen, random in
      guard
        let callback = specimen.callback(
          &random, where: { $0.start != nil && !$0.members.isEmpty })
      else { return false }
      // Everything the periods from the call to the start are known by.
      let range = callback.call..<callback.start!
      let kinds: Set<EventKind> = [
        .gracePeriodStart, .gracePeriodEnd, .synchronizeStart, .synchronizeEnd,
      ]
      var doomed = specimen.events.indices.filter {
        range.contains($0) && kinds.contains(specimen.events[$0].kind)
      }
      // The end of the one that was running at the start belongs to it.
      doomed += specimen.gracePeriods.filter { range.contains($0.start) }.map(\.end)
      guard !doomed.isEmpty else { return false }
      specimen.remove(doomed)
      return true
    },
    .init(
      "fallback-without-wait", "a fallback frees its table without having waited for readers",
      catches: ["I13", "I17"],
      related: [
        "I12", "I14", "I16", "I18", "I20", "I21", "I22a", "I22b", "I24", "I25", "I29", "I36", "I38",
      ]
    ) { specimen, random in
      guard
        let table = specimen.table(
          &random,
          where: { table in
            guard table.path == .tableFallback, let fallback = table.fallback,
              let free = table.free, let destruct = table.destruct
            else { return false }
            // Only where it waits for a grace period at all.
            return destruct > fallback
              && specimen.gracePeriods.contains { $0.start > fallback && $0.end < free }
              && specimen.header.stage.map { ["S5", "S6", "S6.sync"].contains($0) } ?? false
          })
      else { return false }
      specimen.moveToTask(
        [table.lockFree, table.destruct, table.free], of: table.fallback!,
        before: table.fallback! + 1)
      return true
    },
  ]
}

extension Specimen {
  /// Moves events into the task (and CPU) of the event at `model`.
  mutating func moveToTask(_ indices: [Int?], of model: Int, before target: Int) {
    let actor = events[model]
    let known = indices.compactMap { $0 }
    for index in known {
      change(index) {
        $0.cpu = actor.cpu
        $0.task = actor.task
        $0.context = actor.context
      }
    }
    move(known, before: target)
  }

  /// Moves a callback and what happens inside it.
  mutating func moveCallback(_ callback: CallbackParts, before target: Int) {
    move(inside(callback), before: target)
  }

  /// A callback's start, its end, and what its CPU and task do between them; nothing if it did not
  /// run to its end.
  func inside(_ callback: CallbackParts) -> [Int] {
    guard let start = callback.start, let end = callback.end else { return [] }
    let actor = events[start]
    return (start...end).filter {
      events[$0].cpu == actor.cpu && events[$0].task == actor.task
    }
  }
}
