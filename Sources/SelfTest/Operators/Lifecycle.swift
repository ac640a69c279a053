import TraceFormat

extension MutationOperator {
  /// The order of one table's own life.
  static let lifecycle: [MutationOperator] = [
    .init(
      "drop-alloc", "an allocation is missing: a freed page comes to life by itself",
      catches: ["I01"],
      related: ["I02", "I03", "I06", "I07", "I08", "I18", "I19", "I33", "I35", "I36"]
    ) { specimen, random in
      // The page had a life before, freed in the trace. A page directory that nobody constructs
      // has nothing but its free to show that it lived, and two frees are I08's business.
      let reborn = Set(specimen.tables.compactMap(\.next))
      guard
        let table = specimen.table(
          &random,
          where: { reborn.contains($0.alloc) && ($0.construct != nil || $0.install != nil) })
      else { return false }
      specimen.remove(table.alloc)
      return true
    },
    .init(
      "drop-ctor", "a table is installed unconstructed",
      catches: ["I02", "I33"], related: ["I03", "I06", "I39"]
    ) { specimen, random in
      guard
        let table = specimen.table(
          &random,
          where: {
            $0.construct != nil && $0.install != nil && $0.destruct != nil && $0.level == .pte
          })
      else { return false }
      specimen.remove(table.construct!)
      return true
    },
    .init(
      "late-ctor", "a table is constructed after it was installed",
      catches: ["I02"], related: ["I03", "I39"]
    ) { specimen, random in
      guard
        let table = specimen.table(
          &random, where: { $0.construct != nil && $0.install != nil && $0.level == .pte })
      else { return false }
      specimen.move([table.construct!], before: table.install! + 1)
      return true
    },
    .init(
      "double-ctor", "a table is constructed twice",
      catches: ["I02", "I33"], related: ["I06", "I35"]
    ) { specimen, random in
      guard
        let table = specimen.table(&random, where: { $0.construct != nil && $0.install != nil })
      else { return false }
      specimen.insert(specimen.events[table.construct!], before: table.construct! + 1)
      return true
    },
    .init(
      "drop-dtor", "a table is freed without its destructor",
      catches: ["I07"], related: ["I06", "I14", "I29", "I33", "I35", "I36"]
    ) { specimen, random in
      guard
        let table = specimen.table(
          &random, where: { $0.destruct != nil && $0.free != nil && $0.construct != nil })
      else { return false }
      specimen.remove(table.destruct!)
      return true
    },
    .init(
      "double-dtor", "a destructor runs twice", catches: ["I06", "I33"], related: ["I14"]
    ) { specimen, random in
      guard let table = specimen.table(&random, where: { $0.destruct != nil && $0.free != nil })
      else { return false }
      specimen.insert(specimen.events[table.destruct!], before: table.destruct! + 1)
      return true
    },
    .init(
      "late-dtor", "a destructor runs after the free",
      catches: ["I07"], related: ["I01", "I06", "I14", "I29", "I38"]
    ) { specimen, random in
      guard
        let table = specimen.table(
          &random,
          where: { table in
            guard let destruct = table.destruct, let free = table.free else { return false }
            return destruct + 1 == free
          })
      else { return false }
      specimen.move([table.destruct!], before: table.free! + 1)
      return true
    },
    .init(
      "drop-free", "a page is never freed",
      catches: ["I36"], related: ["I08", "I12", "I14", "I29"]
    ) { specimen, random in
      guard
        let table = specimen.table(
          &random, where: { $0.free != nil && $0.next == nil && $0.install != nil })
      else { return false }
      specimen.remove(table.free!)
      return true
    },
    .init(
      "reuse-before-free", "a page is allocated again without having been freed",
      catches: ["I08"], related: ["I06", "I29", "I35", "I36"]
    ) { specimen, random in
      guard
        let table = specimen.table(
          &random, where: { $0.free != nil && $0.next != nil && $0.install != nil })
      else { return false }
      specimen.remove(table.free!)
      return true
    },
    .init(
      "double-free", "a page is freed twice",
      catches: ["I08"], related: ["I01", "I12", "I14", "I29"]
    ) { specimen, random in
      guard let table = specimen.table(&random, where: { $0.free != nil }) else { return false }
      specimen.insert(specimen.events[table.free!], before: table.free! + 1)
      return true
    },
    .init(
      "touch-after-free", "an entry is made to point at a freed page",
      catches: ["I01"], related: ["I02", "I03", "I05", "I31", "I34"]
    ) { specimen, random in
      guard
        let table = specimen.table(
          &random, where: { $0.isPageIdleAfterFree && $0.install != nil })
      else { return false }
      var event = specimen.events[table.install!]
      event.time = specimen.events[table.free!].time
      specimen.insert(event, before: table.free! + 1)
      return true
    },
  ]
}
