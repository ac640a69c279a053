import TraceFormat

/// Says which kinds of events a trace is able to show, and how surely.
///
/// A trace point never misses outside a declared loss. A kprobe has a miss counter. BPF programs
/// and fprobes skip recursive hits and count nothing.
struct CapabilityRules {
  let survey: Survey
  let side: SideFiles
  let facts: Facts
  private let names = NameTable.shared

  init(_ survey: Survey, _ side: SideFiles, _ facts: Facts) {
    self.survey = survey
    self.side = side
    self.facts = facts
  }

  /// Kinds that are seen by any one of some witnesses; the surest one counts.
  private static let witnesses: [(EventKind, [[Probe]])] = [
    (.tableAlloc, [[.pageAlloc]]), (.tableConstruct, [[.construct]]),
    (.tableDestruct, [[.destruct]]), (.tableQueueBatch, [[.queueTable]]),
    (.tableQueuePage, [[.queuePage]]), (.tableFallback, [[.tableOne]]),
    (.tableDefer, [[.deferFree]]), (.tablePut, [[.tableFree, .tablePut]]),
    (.tableFree, [[.pageFree]]), (.lockFree, [[.slabFree], [.lockFree]]),
    (.gatherStart, [[.gather, .gatherFull, .gatherVMA]]),
    (.flushStart, [[.flush]]), (.flushEnd, [[.flushReturn]]), (.flushAck, [[.flushHere]]),
    (.ipiSyncStart, [[.sync], [.syncCall]]), (.ipiSyncAck, [[.syncAck]]),
    (.ipiSyncEnd, [[.syncReturn]]), (.synchronizeStart, [[.syncRCU]]),
    (.synchronizeEnd, [[.syncRCUReturn]]),
    (.callRCU, [[.callRCUTracepoint], [.callRCU]]),
    (.callbackStart, [[.invokeCallback], [.batchCallback, .freeNow, .oneCallback]]),
    (.callbackEnd, [[.batchCallbackReturn]]),
    (.gracePeriodStart, [[.gpTracepoint], [.gpInitReturn]]),
    (.gracePeriodEnd, [[.gpTracepoint], [.gpCleanup]]),
    (.quiescentState, [[.quiescent], [.gpTracepoint]]),
    (.callbackRunStart, [[.runStartTracepoint], [.runStart]]),
    (.callbackRunEnd, [[.runEndTracepoint], [.runEnd]]),
    (.readerEnter, [[.gupFast]]), (.readerExit, [[.gupFastReturn]]),
    (.readerLoad, [[.pteLock, .pteMap]]),
    (.mmNew, [[.pgdAlloc]]), (.mmExit, [[.exitMM]]), (.mmFree, [[.pgdFree]]),
  ]

  /// Adds capabilities, reasons and remarks to `header`.
  func apply(to header: inout TraceHeader, locksWithoutAlloc: UInt64) {
    var capabilities = Capabilities()
    let profile = trustedProfile(&header)
    capabilities.missesAreCumulative = profile && side.profileBefore == nil
    for (kind, groups) in Self.witnesses {
      var best: Sight?
      for group in groups {
        guard let sight = sight(of: group, profile) else { continue }
        if best == nil || sight.visibility == .sure { best = sight }
        if sight.visibility == .sure { break }
      }
      if let best { best.enter(kind, into: &capabilities) }
    }
    weakenCallbacks(&capabilities)
    addInferred(&capabilities)
    addLocks(&capabilities, profile, locksWithoutAlloc)
    header.capabilities = capabilities
    for (kind, misses) in capabilities.misses.sorted(by: { $0.key < $1.key }) where misses > 0 {
      let when = capabilities.missesAreCumulative ? " since boot" : ""
      header.remarks.append("\(misses) \(kind) probe hits were missed\(when)")
    }
    addSilentDrops(&header, profile)
  }

  /// Kinds that are concluded from others.
  private static let concluded: [EventKind] = [
    .tableInstall, .tableUnlink, .tableDeposit, .tableWithdraw, .pageReuse, .batchFree,
    .gatherFinish, .batchFail, .lockAlloc, .mark,
  ]

  /// Adds what may still come to the first header of a live trace: whoever reads it before the end
  /// must not take a kind for one that is not recorded.
  func admitLaterKinds(to header: inout TraceHeader) {
    for kind in Self.witnesses.map(\.0) + Self.concluded
    where header.capabilities[kind] == nil {
      header.capabilities[kind] = .mayMiss
      header.capabilities.reasons[kind.name] = "not seen when the recording began"
    }
  }

  /// The probes were hit and the trace has not one line of any of them.
  private var recordsNothing: Bool {
    survey.tallies.allSatisfy { $0.probes == 0 && $0.programs == 0 }
      && side.profile?.values.contains { $0.hits > 0 } ?? false
  }

  /// How one kind is seen.
  private struct Sight {
    var visibility = Capabilities.Visibility.sure
    var misses: UInt64 = 0
    var reason: String?

    mutating func weaken(_ why: String) {
      visibility = .mayMiss
      if reason == nil { reason = why }
    }

    func enter(_ kind: EventKind, into capabilities: inout Capabilities) {
      capabilities[kind] = visibility
      if misses > 0 { capabilities.misses[kind.name] = misses }
      if let reason { capabilities.reasons[kind.name] = reason }
    }
  }

  /// How the probes of a group are seen together; nil if none of them is there.
  private func sight(of group: [Probe], _ profile: Bool) -> Sight? {
    var sight: Sight?
    for probe in group where !facts.ignores(probe) {
      for index in names.indices(of: probe) {
        let name = names.entries[index].name
        let isDefined = side.definitions[name] != nil && !side.disabled.contains(name)
        guard survey.tallies[index].lines > 0 || isDefined else { continue }
        var found = sight ?? Sight()
        judge(index, name, profile, &found)
        sight = found
      }
    }
    return sight
  }

  private func judge(_ index: Int, _ name: String, _ profile: Bool, _ sight: inout Sight) {
    if let why = side.hidesLosses { return sight.weaken(why) }
    if survey.tallies[index].programs > 0 {
      return sight.weaken("BPF programs skip recursive hits and count nothing")
    }
    let isProbe = survey.tallies[index].probes > 0 || side.definitions[name] != nil
    guard isProbe else { return }
    if recordsNothing {
      let hits = side.hits(of: name) ?? 0
      return sight.weaken(
        hits > 0 ? "\(hits) hits, none recorded" : "this kernel recorded no line of any probe")
    }
    if side.definitions[name] == .fprobe {
      return sight.weaken("fprobes have no miss counter")
    }
    guard profile, let misses = side.misses(of: name), let hits = side.hits(of: name) else {
      return sight.weaken("no kprobe_profile beside the trace tells misses")
    }
    sight.misses += misses
    if misses > 0 { sight.weaken("the kernel counts missed probe hits") }
    if survey.tallies[index].lines == 0, hits > 0, isSilent(name) {
      sight.weaken("\(hits) hits, none recorded")
    }
  }

  /// The profile belongs to this recording only if it has a hit for every line.
  private func trustedProfile(_ header: inout TraceHeader) -> Bool {
    guard let profile = side.profile else { return false }
    for (index, entry) in names.entries.enumerated() where survey.tallies[index].probes > 0 {
      guard let counts = profile[entry.name] else { continue }
      let slack = UInt64(survey.tallies[index].lines / 50 + 4)
      if counts.hits + slack < UInt64(survey.tallies[index].lines) {
        header.remarks.append(
          "kprobe_profile beside the trace has fewer \(entry.name) hits than the trace: not used")
        return false
      }
    }
    return true
  }

  private func addInferred(_ capabilities: inout Capabilities) {
    let tables = survey.count(.construct) + survey.count(.destruct) + survey.count(.queueTable)
    if survey.count(.install) + survey.count(.pmdAllocReturn) > 0
      || side.definitions["pmd_install"] != nil
    {
      capabilities[.tableInstall] = .inferred
      capabilities.reasons["pt_install"] = "seen for PTE tables only"
    }
    if tables > 0 { capabilities[.tableUnlink] = .inferred }
    if survey.count(.syncReturn) > 0, facts.hasFreeRange {
      capabilities[.tableDeposit] = .inferred
      capabilities[.tableWithdraw] = .inferred
    }
    if capabilities[.tableQueuePage] == nil, facts.hasSilentGather {
      capabilities[.tableQueuePage] = .inferred
    }
    if !facts.hasPageFree, let put = capabilities[.tablePut] {
      capabilities[.tableFree] = put == .inferred ? put : .mayMiss
      capabilities.reasons["pt_free"] =
        capabilities.reasons["pt_put"] ?? "not every call that drops a page is probed"
    }
    if !facts.joinsPages || tables == 0, recordsNothing || !facts.joinsPages {
      capabilities[.tableAlloc] = nil
      capabilities[.tableFree] = nil
    }
    if capabilities[.tableAlloc] != nil {
      capabilities[.pageReuse] = .mayMiss
      capabilities.reasons["page_reuse"] = "known where flags or a later free show it"
    }
    if facts.linearBase != nil, facts.hasPageFree {
      capabilities[.batchFree] = .mayMiss
      capabilities.reasons["batch_free"] = "joined by the address of the batch"
    }
    if capabilities[.flushEnd] == nil, capabilities[.flushStart] != nil {
      capabilities[.flushEnd] = .inferred
    }
    if capabilities[.gatherStart] != nil { capabilities[.gatherFinish] = .inferred }
    if survey.count(.allocFailure) > 0 { capabilities[.batchFail] = .inferred }
    if facts.entryFormat == nil { capabilities[.readerLoad] = nil }
    if survey.count(.marker) > 0 { capabilities[.mark] = .sure }
  }

  /// Probes show the callbacks of one function each; one of another function starts unseen.
  private func weakenCallbacks(_ capabilities: inout Capabilities) {
    guard capabilities[.callbackStart] == .sure,
      facts.ignores(.invokeCallback) || sight(of: [.invokeCallback], false) == nil
    else { return }
    let probes: [(CallbackFunction, Probe, String)] = [
      (.removeTableBatch, .batchCallback, "tlb_remove_table_rcu"),
      (.freeDeferred, .freeNow, "pte_free_now"),
      (.removeTableOne, .oneCallback, "__tlb_remove_table_one_rcu"),
    ]
    for (function, probe, name) in probes
    where survey.calls.contains(function) && sight(of: [probe], false) == nil {
      capabilities[.callbackStart] = .mayMiss
      capabilities.reasons["cb_start"] = "no probe shows \(name)() start"
      return
    }
  }

  private func addLocks(
    _ capabilities: inout Capabilities, _ profile: Bool, _ locksWithoutAlloc: UInt64
  ) {
    if capabilities[.lockFree] == .sure, survey.count(.slabFree) == 0, survey.count(.lockFree) == 0
    {
      // Defined and never hit: this kernel's locks are no objects of their own.
      capabilities[.lockFree] = nil
    }
    guard survey.count(.slabAlloc) > 0, capabilities[.lockFree] != nil else { return }
    capabilities[.lockAlloc] = .sure
    if !survey.locks.areSitesCertain {
      capabilities[.lockAlloc] = .mayMiss
      capabilities.reasons["ptl_alloc"] = "allocations of locks cannot be told from others"
    }
    if locksWithoutAlloc > 0 {
      capabilities[.lockAlloc] = .mayMiss
      capabilities.reasons["ptl_alloc"] =
        "\(locksWithoutAlloc) locks were freed whose allocation was not recorded"
    }
  }

  /// Whether zero lines of this probe, in spite of hits, mean that they were dropped: without a
  /// count from before, only a trace without any probe line says so; a filter drops lines too.
  private func isSilent(_ name: String) -> Bool {
    if recordsNothing { return true }
    let filtered = [
      "pt_ctor", "pt_dtor", "rcu_queue", "fail_ret", "tlb_page", "ipi_call", "table_one",
    ]
    return side.profileBefore != nil && !filtered.contains(name)
  }

  private func addSilentDrops(_ header: inout TraceHeader, _ profile: Bool) {
    guard profile else { return }
    var silent: [String] = []
    for (index, entry) in names.entries.enumerated() where survey.tallies[index].lines == 0 {
      guard side.definitions[entry.name] == .kprobe, !side.disabled.contains(entry.name),
        let hits = side.hits(of: entry.name), hits > 0, isSilent(entry.name)
      else { continue }
      header.counts["hits not recorded: \(entry.name)"] = hits
      silent.append("\(entry.name): \(hits) hits, none recorded")
    }
    guard !silent.isEmpty else { return }
    let more = silent.count > 4 ? " and \(silent.count - 4) more" : ""
    header.remarks.append(
      "probes were hit and left no line: " + silent.prefix(4).joined(separator: "; ") + more)
  }
}
