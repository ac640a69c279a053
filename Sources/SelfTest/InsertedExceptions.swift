import TraceFormat

extension NeutralTransformation {
  /// Legal endings of kernel-facts §5, put between the lives of a trace.
  static let insertedExceptions: [NeutralTransformation] = [
    exception("insert-E1", "lost allocation races: never installed, freed at once") { script, pfn in
      script.table(.tableAlloc, pfn)
      script.lock(.lockAlloc, pfn)
      script.construct(pfn)
      script.destruct(pfn)
      script.table(.tableFree, pfn, script.freeFunction)
    },
    exception("insert-E2", "constructors that fail: allocated and freed") { script, pfn in
      script.table(.tableAlloc, pfn)
      script.table(.tableFree, pfn, script.freeFunction)
    },
    exception("insert-E8", "page directories that __mmdrop() frees") { script, pfn in
      script.level = .pgd
      script.table(.tableAlloc, pfn)
      if script.constructsDirectories { script.construct(pfn) }
      if script.constructsDirectories { script.destruct(pfn, hasLock: false) }
      script.table(.tableFree, pfn, script.freeFunction)
    },
    exception("insert-E10", "tables of init_mm that nobody constructs or queues") { script, pfn in
      script.flags = .kernelTable
      script.table(.tableAlloc, pfn)
      script.table(.tableFree, pfn, script.freeFunction)
    },
    exception("insert-page-reuse", "pages that are no table any more") { script, pfn in
      script.table(.tableAlloc, pfn)
      script.construct(pfn)
      script.destruct(pfn)
      script.table(.tableFree, pfn, script.freeFunction)
      script.table(.pageReuse, pfn)
    },
  ]

  /// What a task that nobody else sees does to a table that nobody else uses.
  private static func exception(
    _ name: String, _ summary: String,
    _ life: @escaping @Sendable (inout LifeScript, UInt64) -> Void
  ) -> NeutralTransformation {
    NeutralTransformation(name, summary) { specimen, random in
      let fresh = (specimen.tables.map(\.pfn).max() ?? 0) + 4_096
      for count in 0..<UInt64(3) {
        // Never behind `quiesce`, where nothing may be left.
        let place = Int.random(in: 1..<max(2, specimen.events.count - 1), using: &random)
        var script = LifeScript(specimen, at: place)
        life(&script, fresh + count)
        for event in script.events.reversed() { specimen.insert(event, before: place) }
      }
      return true
    }
  }
}

/// Events of one life, as the specimen's own source would show them.
struct LifeScript {
  private let specimen: Specimen
  private let place: Int
  private(set) var events: [Event] = []
  var level = TableLevel.pte
  var flags: EventFlags = []

  init(_ specimen: Specimen, at place: Int) {
    self.specimen = specimen
    self.place = place
  }

  /// From v6.14 on a PGD has a constructor.
  var constructsDirectories: Bool {
    specimen.tables.contains { $0.level == .pgd && $0.construct != nil }
  }

  /// `pte_free()` and its like were never a page or swap-cache function.
  var freeFunction: UInt64 { UInt64(FreeFunction.pagetableFree.rawValue) }

  mutating func table(_ kind: EventKind, _ pfn: UInt64, _ arg0: UInt64 = 0, _ arg1: UInt64 = 0) {
    guard specimen.header.capabilities[kind] != nil else { return }
    var event = specimen.stranger(kind, at: place, pfn, arg0, arg1, level: level)
    event.flags = flags
    events.append(event)
  }

  /// Only where locks are objects of their own.
  mutating func lock(_ kind: EventKind, _ pfn: UInt64) {
    guard specimen.header.capabilities[kind] != nil else { return }
    events.append(specimen.stranger(kind, at: place, 0x5e1f_0000 &+ pfn &* 64, pfn))
  }

  mutating func construct(_ pfn: UInt64) {
    table(.tableConstruct, pfn, 0, 1)
  }

  mutating func destruct(_ pfn: UInt64, hasLock: Bool = true) {
    if hasLock { lock(.lockFree, pfn) }
    table(.tableDestruct, pfn, 0, UInt64(bitPattern: -1))
  }
}
