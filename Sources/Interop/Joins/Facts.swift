import TraceFormat

/// What is known before the first event is written: survey, side files and options put together.
struct Facts: Equatable {
  var pageMap: PageMap
  /// Whether the page allocator's lines can be joined with the probes' lines.
  var joinsPages = true
  /// Address of pfn 0 in the linear map.
  var linearBase: UInt64?
  var entryFormat: EntryFormat?
  var nrPageTable: UInt64
  var lockSites: Set<UInt64>
  /// Holes, ordered by where they begin.
  var holes: [Hole] = []
  /// CPUs whose oldest part was overwritten: the hole ends before their first event.
  var startHoles: Set<UInt16> = []
  var cpus: Int
  var remarks: [String] = []

  // Which witnesses there are decides which one speaks where two see the same thing.
  let hasPageFree: Bool
  let hasFlushReturn: Bool
  let hasFreeRange: Bool
  let hasPteLockReturn: Bool
  let hasBatchCallback: Bool
  let hasBatchReturn: Bool
  let hasFreeNowReturn: Bool
  let usesGPTracepoint: Bool
  let usesRunTracepoint: Bool
  let usesQSTracepoint: Bool
  /// Heads are hashed in the lines of trace points and not in those of probes: only the probes say
  /// which head is which.
  let ignoresCallbackTracepoints: Bool
  /// Locks are hashed in the slab's lines and not in those of probes: only the slab's name them.
  let ignoresLockProbe: Bool
  /// Allocations from a slab name their cache, so that a lock's is known whoever asked for it.
  let namesLockAllocs: Bool
  /// Tables go into the page gather and no probe shows it.
  let hasSilentGather: Bool

  /// `isLive`: the survey has seen the first part of the trace only.
  init(_ survey: Survey, _ side: SideFiles, _ options: ImportOptions, isLive: Bool = false) {
    let (map, hashed) = survey.addresses.pageMap()
    pageMap = map ?? PageMap(base: 0, size: 64, isSubstitute: true)
    if let map {
      linearBase = survey.addresses.linearBase(map)
      entryFormat = survey.addresses.entryFormat(map)
    } else {
      joinsPages = false
    }
    let arch = options.arch ?? side.arch
    if entryFormat == nil { entryFormat = arch.flatMap(EntryFormat.init(arch:)) }
    nrPageTable = options.nrPageTable ?? survey.statistics.number
    lockSites = survey.locks.sites
    cpus = max(survey.lastLine.count, survey.heading.cpus ?? 0, side.statistics.count)
    hasPageFree = survey.count(.pageFree) > 0 && joinsPages
    hasFlushReturn = survey.count(.flushReturn) > 0
    hasFreeRange = survey.count(.freeRange) > 0
    hasPteLockReturn = survey.count(.pteLockReturn) > 0
    hasBatchCallback = survey.count(.batchCallback) > 0
    hasBatchReturn = survey.count(.batchCallbackReturn) > 0
    hasFreeNowReturn = survey.count(.freeNowReturn) > 0
    usesGPTracepoint = survey.count(.gpTracepoint) > 0
    usesRunTracepoint = survey.count(.runStartTracepoint) > 0
    usesQSTracepoint = usesGPTracepoint && survey.count(.quiescent) == 0
    let queues = survey.count(.queueTable) + survey.count(.queuePage)
    let queueHits = (side.hits(of: "tlb_table") ?? 0) + (side.hits(of: "tlb_page") ?? 0)
    let mayQueueLater =
      isLive
      && ((side.definitions["tlb_table"] ?? side.definitions["tlb_page"]) != nil
        || survey.count(.destruct) < 64)
    hasSilentGather = queues == 0 && queueHits == 0 && hasFreeRange && !mayQueueLater
    if survey.addresses.pairs > 0, hashed {
      remarks.append(
        map == nil
          ? "page addresses are hashed (options/hash-ptr=0 was not set): allocation and free of "
            + "pages cannot be joined with tables"
          : "page addresses of the page allocator are hashed (options/hash-ptr=0 was not set); "
            + "the pages were found by their neighbours")
    } else if map == nil, survey.eventLines > 0 {
      remarks.append("no line names a page's address and its pfn: pfns stand for addresses / 64")
    }
    ignoresCallbackTracepoints =
      survey.hashesPointers && survey.count(.callRCU) + survey.count(.batchCallback) > 0
    namesLockAllocs = survey.locks.sawName
    ignoresLockProbe = survey.hashesPointers && survey.count(.slabFree) > 0
    if isLive {
      findStartHoles(survey, [])
    } else {
      findHoles(survey, side)
    }
  }

  /// The same, now that more of a live trace was seen: what names pages stays as it is.
  func refreshed(_ survey: Survey, _ side: SideFiles, _ options: ImportOptions) -> Facts {
    var new = Facts(survey, side, options, isLive: true)
    if new.pageMap != pageMap {
      new.pageMap = pageMap
      new.joinsPages = joinsPages
      new.linearBase = linearBase
      new.entryFormat = entryFormat
    }
    new.nrPageTable = nrPageTable
    new.holes = holes
    new.startHoles = startHoles
    new.remarks = remarks
    return new
  }

  /// The holes as the report names them.
  var losses: [ImportReport.Loss] {
    holes.filter { $0.cause != .unread }.map {
      ImportReport.Loss(cpu: Int($0.cpu), count: $0.count, afterLine: $0.afterLine)
    }
  }

  /// Whether lines of `probe` name an object in a way no other line does.
  func ignores(_ probe: Probe) -> Bool {
    switch probe {
    case .callRCUTracepoint, .invokeCallback: ignoresCallbackTracepoints
    default: false
    }
  }

  private mutating func findHoles(_ survey: Survey, _ side: SideFiles) {
    holes = survey.holes
    let statistics = trusted(side, survey)
    // A pipe has no heading, and tells of the oldest part too by a line.
    if holes.isEmpty || survey.heading.entries != nil {
      findStartHoles(survey, statistics)
    }
    if !side.isReadToEnd, !survey.holes.isEmpty || side.isPipe {
      // A pipe is read page by page: when its reader stops, the CPUs stop at different times.
      for (cpu, last) in survey.lastLine.enumerated() where last > 0 && last < survey.lastEvent {
        holes.append(
          Hole(afterLine: last, cpu: UInt16(clamping: cpu), cause: .unread, count: nil))
      }
    }
    for cpu in statistics where cpu.dropped > 0 {
      let last = cpu.cpu < survey.lastLine.count ? survey.lastLine[cpu.cpu] : 0
      holes.append(
        Hole(
          afterLine: last, cpu: UInt16(clamping: cpu.cpu), cause: .lostEvents, count: cpu.dropped))
    }
    for cpu in statistics where cpu.commitOverrun > 0 {
      holes.append(
        Hole(
          afterLine: 0, cpu: UInt16(clamping: cpu.cpu), cause: .unknown, count: cpu.commitOverrun))
      remarks.append(
        "\(cpu.commitOverrun) events of CPU \(cpu.cpu) were lost at places nobody noted")
    }
    holes = holes.enumerated().sorted {
      ($0.element.afterLine, $0.offset) < ($1.element.afterLine, $1.offset)
    }.map(\.element)
  }

  /// A buffer that wrapped lost the oldest part of every CPU, up to its first event.
  private mutating func findStartHoles(
    _ survey: Survey, _ statistics: [SideFiles.CPUStatistics]
  ) {
    var missing: UInt64?
    if let entries = survey.heading.entries, let written = survey.heading.written,
      entries < written
    {
      missing = written - entries
    }
    var wrapped: [(cpu: Int, count: UInt64?)] = []
    for cpu in statistics where cpu.overrun > 0 { wrapped.append((cpu.cpu, cpu.overrun)) }
    if wrapped.isEmpty, missing != nil {
      for cpu in 0..<(survey.heading.cpus ?? cpus) {
        wrapped.append((cpu, cpus == 1 ? missing : nil))
      }
    }
    for (cpu, count) in wrapped {
      let id = UInt16(clamping: cpu)
      holes.append(Hole(afterLine: 0, cpu: id, cause: .overrun, count: count))
      startHoles.insert(id)
    }
    if !wrapped.isEmpty {
      let total = missing.map { "\($0) events" } ?? "events"
      remarks.append("the ring buffer was too small: the oldest \(total) are missing")
    }
  }

  /// The statistics, unless they clearly belong to another recording.
  private mutating func trusted(
    _ side: SideFiles, _ survey: Survey
  ) -> [SideFiles.CPUStatistics] {
    guard !side.statistics.isEmpty else { return [] }
    let counted = side.statistics.reduce(UInt64(0)) { $0 &+ $1.entries &+ $1.read }
    let found = UInt64(survey.eventLines)
    let difference = counted > found ? counted - found : found - counted
    if difference > 64 + found / 20 {
      remarks.append(
        "stats.txt beside the trace counts \(counted) events, the trace has \(found): not used")
      return []
    }
    return side.statistics
  }
}
