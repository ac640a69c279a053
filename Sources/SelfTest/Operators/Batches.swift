import TraceFormat

extension MutationOperator {
  /// Callbacks and the batches they tear down.
  static let batches: [MutationOperator] = [
    .init(
      "callback-twice", "a callback runs twice", catches: ["I24"],
      related: ["I12", "I14", "I25", "I29"]
    ) { specimen, random in
      guard let callback = specimen.callback(&random, where: { $0.start != nil && $0.end != nil })
      else { return false }
      let end = callback.end!
      let pair = [specimen.events[callback.start!], specimen.events[end]]
      specimen.insert(pair[1], before: end + 1)
      specimen.insert(pair[0], before: end + 1)
      return true
    },
    .init(
      "callback-never", "a callback never runs, and nothing of its batch is torn down",
      catches: ["I24", "I36"], related: ["I06", "I08", "I29", "I33", "I35"]
    ) { specimen, random in
      guard
        let callback = specimen.callback(
          &random,
          where: { callback in
            callback.start != nil && callback.end != nil && !callback.members.isEmpty
              && callback.members.allSatisfy {
                specimen.tables[$0].next == nil && specimen.tables[$0].lockNext == nil
              }
              && specimen.isLastUse(callback)
          })
      else { return false }
      specimen.remove(specimen.inside(callback))
      return true
    },
    .init(
      "callback-unknown", "a callback starts without its cb_start: its work is done by nobody",
      catches: ["I24"],
      related: ["I12", "I13", "I14", "I25", "I27", "I29", "I36", "I38"]
    ) { specimen, random in
      guard
        let callback = specimen.callback(&random, where: { $0.start != nil && !$0.members.isEmpty })
      else { return false }
      specimen.remove(callback.start!)
      return true
    },
    .init(
      "barrier-too-early", "rcu_barrier() returns while a callback waits",
      catches: ["I24"]
    ) { specimen, random in
      guard
        let callback = specimen.callback(
          &random, where: { ($0.start ?? 0) > $0.call + 1 })
      else { return false }
      let place = callback.call + 1
      specimen.insert(specimen.stranger(.barrierEnd, at: place), before: place)
      specimen.insert(specimen.stranger(.barrierStart, at: place), before: place)
      return true
    },
    .init(
      "wrong-batch-member", "a callback frees a table of another batch",
      catches: ["I29"],
      related: ["I06", "I07", "I08", "I12", "I13", "I14", "I24", "I36", "I38"]
    ) { specimen, random in
      let batches = specimen.callbacks.filter {
        $0.function == .removeTableBatch && $0.start != nil && $0.end != nil
          && !$0.members.isEmpty
      }
      // Two callbacks that both run after the grace period of the later one.
      var pairs: [(Int, Int)] = []
      for (index, first) in batches.enumerated() {
        for second in batches.dropFirst(index + 1).prefix(4)
        where second.call < first.start! && second.start! > first.end! {
          pairs.append((first.members[0], second.members[0]))
        }
      }
      guard let pair = pairs.randomElement(using: &random) else { return false }
      let (one, other) = (specimen.tables[pair.0], specimen.tables[pair.1])
      for (table, stranger) in [(one, other), (other, one)] {
        for index in [table.destruct, table.free].compactMap({ $0 })
        where index > specimen.callbacks[table.callback!].start! {
          specimen.change(index) { $0.object = stranger.pfn }
        }
      }
      return true
    },
    .init(
      "wrong-order-in-batch", "a callback does not keep the order of its batch",
      catches: ["I29"], related: ["I14"]
    ) { specimen, random in
      guard
        let callback = specimen.callback(
          &random,
          where: { callback in
            specimen.runs(callback, forSeveral: { ($0.free ?? -1) > callback.start! })
          })
      else { return false }
      let first = specimen.tables[callback.members[0]]
      let late = [first.lockFree, first.destruct, first.free].compactMap { $0 }
        .filter { $0 > callback.start! }
      specimen.move(late, before: specimen.tables[callback.members[1]].free! + 1)
      return true
    },
    .init(
      "batch-page-leak", "a batch page is never freed", catches: ["I36"], related: ["I29"]
    ) { specimen, random in
      guard
        let callback = specimen.callback(
          &random, where: { $0.batchFree != nil && specimen.isLastUse($0) })
      else { return false }
      specimen.remove(callback.batchFree!)
      return true
    },
    .init(
      "batch-page-double-free", "a batch page is freed twice", catches: ["I29"]
    ) { specimen, random in
      guard let callback = specimen.callback(&random, where: { $0.batchFree != nil }) else {
        return false
      }
      specimen.insert(
        specimen.events[callback.batchFree!], before: callback.batchFree! + 1)
      return true
    },
    .init(
      "torn-apart", "destructor and free of a table have another one's between them",
      catches: ["I14"], related: ["I13", "I29"]
    ) { specimen, random in
      guard
        let callback = specimen.callback(
          &random,
          where: { callback in
            specimen.runs(
              callback,
              forSeveral: { ($0.destruct ?? -1) > callback.start! && $0.free != nil })
          })
      else { return false }
      let (first, second) = (
        specimen.tables[callback.members[0]], specimen.tables[callback.members[1]]
      )
      specimen.move([first.free!], before: second.destruct! + 1)
      return true
    },
  ]
}

extension Specimen {
  /// A callback runs, and for more than one table, all of them like this.
  fileprivate func runs(
    _ callback: CallbackParts, forSeveral isLike: (TableParts) -> Bool
  ) -> Bool {
    callback.start != nil && callback.members.count > 1
      && callback.members.allSatisfy { isLike(tables[$0]) }
  }

  /// Nobody uses the head of a callback again.
  fileprivate func isLastUse(_ callback: CallbackParts) -> Bool {
    !callbacks.contains { $0.head == callback.head && $0.call > callback.call }
  }
}
