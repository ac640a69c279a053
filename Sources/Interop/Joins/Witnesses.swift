/// Collects what tells addresses and page frame numbers apart.
struct AddressWitnesses {
  private struct CPU {
    var freedPointer: UInt64?
    var allocatedPFN: UInt64?
    var freedPFN: UInt64?
    var head: UInt64?
    var virtual: UInt64?
  }

  private static let typicalSize: UInt64 = 64
  private var cpus: [CPU] = []
  private var previous: (page: UInt64, pfn: UInt64)?
  private var sizes = Ballot()
  private var bases = Ballot()
  /// Bases named by probe lines next to page-allocator lines, for traces with hashed pointers.
  private var neighbourBases = Ballot()
  private var batchBases = Ballot()
  private var virtualBases = Ballot()
  private var installs = NumberTable<UInt64>()
  private var entries: [(page: UInt64, entry: UInt64)] = []
  /// Lines with both the address of a struct page and its pfn.
  private(set) var pairs = 0
  /// The base is found: further lines only verify it, so not each of them need be read.
  private var isSampling = false
  private var skipped = 0

  /// Whether the next page line is worth reading: all of the first, then a sample to verify.
  mutating func wantsPage() -> Bool {
    guard isSampling else { return true }
    skipped += 1
    return skipped % 16 == 0
  }

  /// Whether more entries would help.
  var wantsEntries: Bool { entries.count < 1024 && !installs.isEmpty }

  mutating func take(_ probe: Probe, _ fields: inout Fields, cpu: Int) {
    if cpu >= cpus.count {
      cpus.append(contentsOf: repeatElement(CPU(), count: cpu + 1 - cpus.count))
    }
    switch probe {
    case .pageAlloc, .pageFree: pagePair(probe, &fields, cpu)
    case .tableFree, .tablePut: cpus[cpu].freedPointer = fields.first(.page, .folio)
    case .construct:
      if !isSampling, let folio = fields[.folio], let pfn = cpus[cpu].allocatedPFN {
        neighbourBases.vote(folio &- pfn &* Self.typicalSize)
      }
      cpus[cpu].allocatedPFN = nil
    case .install:
      guard let slot = fields[.pmd], let page = fields[.pte] else { return }
      if installs.count < 1 << 16 || installs.has(slot) { installs[slot] = page }
    case .freePMD, .freePUD: cpus[cpu].virtual = fields[.virt]
    case .queueTable, .queuePage:
      if let virtual = cpus[cpu].virtual, let page = fields.first(.table, .page) {
        virtualBases.vote(virtual &- page &* (4096 / Self.typicalSize))
      }
      cpus[cpu].virtual = nil
    case .batchCallback:
      cpus[cpu].head = fields[.head]
      cpus[cpu].freedPFN = nil
    case .batchCallbackReturn:
      // The callback gives back the batch's own page last; its address is the head.
      if !isSampling, let head = cpus[cpu].head, let pfn = cpus[cpu].freedPFN {
        batchBases.vote(head &- pfn << 12)
      }
      cpus[cpu].head = nil
    default: break
    }
  }

  private mutating func pagePair(_ probe: Probe, _ fields: inout Fields, _ cpu: Int) {
    guard let pfn = fields[.pfn], pfn != 0 || fields[.page] != nil else { return }
    // trace-cmd cannot print the address on every architecture; its neighbours tell it then.
    if let page = fields[.page], page != 0 { pair(page, pfn) }
    guard !isSampling else { return }
    if probe == .pageAlloc {
      cpus[cpu].allocatedPFN = pfn
    } else {
      cpus[cpu].freedPFN = pfn
      if let pointer = cpus[cpu].freedPointer {
        neighbourBases.vote(pointer &- pfn &* Self.typicalSize)
      }
      cpus[cpu].freedPointer = nil
    }
  }

  private mutating func pair(_ page: UInt64, _ pfn: UInt64) {
    pairs += 1
    bases.vote(page &- pfn &* Self.typicalSize)
    if let last = previous, last.pfn != pfn {
      let (pages, frames) =
        pfn > last.pfn
        ? (page &- last.page, pfn - last.pfn) : (last.page &- page, last.pfn - pfn)
      sizes.vote(pages % frames == 0 ? pages / frames : 0)
    }
    previous = (page, pfn)
    if !isSampling, pairs % 8192 == 0 {
      isSampling = bases.winner(quorum: 1, share: 95) != nil && batchBases.total > 8
    }
  }

  mutating func takeEntry(_ fields: inout Fields) {
    // A live trace is read for its events, too: entries come whether they are wanted or not.
    guard wantsEntries, let slot = fields[.pmd], let entry = fields[.pmdv],
      let page = installs[slot]
    else { return }
    entries.append((page, entry))
  }

  /// The page map, and whether the page allocator's own lines show hashed pointers.
  func pageMap() -> (map: PageMap?, hashed: Bool) {
    if let base = bases.winner(quorum: 1, share: 95) {
      return (PageMap(base: base, size: Self.typicalSize), false)
    }
    if let size = sizes.winner(quorum: 2, share: 95), (24...512).contains(size),
      let pair = previous
    {
      return (PageMap(base: pair.page &- pair.pfn &* size, size: size), false)
    }
    if let base = neighbourBases.winner(quorum: 8, share: 50) {
      return (PageMap(base: base, size: Self.typicalSize), pairs > 0)
    }
    return (nil, pairs > 0)
  }

  /// Address of pfn 0 in the linear map, modulo 2^64.
  func linearBase(_ map: PageMap) -> UInt64? {
    if let base = batchBases.winner(quorum: 2, share: 80) { return base }
    guard map.size == Self.typicalSize, let winner = virtualBases.winner(quorum: 2, share: 80)
    else { return nil }
    return winner &+ map.base &* (4096 / Self.typicalSize)
  }

  /// The entry format that leads from most entries to the table installed there.
  func entryFormat(_ map: PageMap) -> EntryFormat? {
    var best: (format: EntryFormat, hits: Int)?
    for format in EntryFormat.allCases {
      var hits = 0
      for sample in entries
      where format.pfn(sample.entry) != nil && format.isTypical(sample.entry) {
        if format.pfn(sample.entry) == map.pfn(sample.page) { hits += 1 }
      }
      if hits > best?.hits ?? 0 { best = (format, hits) }
    }
    guard let best, best.hits * 2 > entries.count else { return nil }
    return best.format
  }
}

/// Collects which statistic counts page tables: the one that changes for pages that are installed
/// or queued as tables.
struct StatisticWitnesses {
  /// NR_PAGETABLE of every kernel read so far (kernel-facts §8.1).
  static let usual: UInt64 = 38
  private var last = NumberTable<UInt64>()
  private var tables = Ballot()
  private var all = Ballot()
  private(set) var sawUsual = false

  mutating func take(_ probe: Probe, _ fields: inout Fields) {
    switch probe {
    case .construct, .destruct:
      guard let folio = fields[.folio], let index = fields[.idx] else { return }
      if index == Self.usual { sawUsual = true }
      all.vote(index)
      if last.count < 1 << 16 || last.has(folio) { last[folio] = index }
    case .install, .queueTable, .queuePage:
      guard let page = fields.first(.pte, .table, .page) else { return }
      if let index = last[page] { tables.vote(index) }
    default: break
    }
  }

  /// NR_PAGETABLE as far as the trace tells.
  var number: UInt64 {
    if let winner = tables.winner(quorum: 8, share: 60) { return winner }
    if sawUsual { return Self.usual }
    return all.winner(quorum: 1, share: 100) ?? Self.usual
  }
}

/// Collects from where ptlock objects are allocated, where the allocation does not name its cache.
struct LockWitnesses {
  private(set) var sawName = false
  private var live = NumberTable<UInt64>()
  private var sitesFor: [UInt64: Int] = [:]
  private var sitesAgainst: [UInt64: Int] = [:]

  mutating func take(_ probe: Probe, _ fields: inout Fields) {
    guard let address = fields[.ptr] else { return }
    if probe == .slabAlloc {
      if fields[.name] != nil { sawName = true }
      guard fields[.name] == nil, let site = fields[.callSite] else { return }
      if live.count < 1 << 20 || live.has(address) { live[address] = site }
    } else if let site = live[address] {
      live[address] = nil
      if fields[.name] == Symbol.lockCache {
        sitesFor[site, default: 0] += 1
      } else {
        sitesAgainst[site, default: 0] += 1
      }
    }
  }

  /// Hashes of the functions from which ptlocks are allocated.
  var sites: Set<UInt64> {
    var sites: Set<UInt64> = [Symbol.lockAlloc]
    for (site, count) in sitesFor where count > sitesAgainst[site] ?? 0 { sites.insert(site) }
    return sites
  }

  /// Whether allocations of locks are told from others for certain. Where a free was lost, the
  /// memory comes back as something else, and its site looks like that of something else.
  var areSitesCertain: Bool { sitesFor.allSatisfy { sitesAgainst[$0.key] == nil } }
}
