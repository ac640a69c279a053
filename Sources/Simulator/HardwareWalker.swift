import TraceFormat

/// Class H: the page walker of one CPU, with the pointers to tables it has cached.
///
/// A pointer stays until an invalidation of its whole mm reaches the CPU, whatever became of the
/// entry it came from; with ASIDs a switch of tasks drops none. The walker asks nobody: no lock,
/// no RCU, no interrupt holds it off (kernel-facts §4.1). Leaf translations are not modelled, since
/// using one touches no table.
struct HardwareWalker {
  private struct Pointer {
    let mm: UInt64
    let table: Table
  }

  private static let capacity = 24
  private var pointers: [Pointer] = []

  /// The lowest table on the way to an address that it need not look up.
  func lowest(for address: UInt64, in mm: AddressSpace) -> Table? {
    pointers.filter {
      $0.mm == mm.address && $0.table.base <= address && address < $0.table.end
    }.min { $0.table.level < $1.table.level }?.table
  }

  /// A pointer whose entry has been cleared since, if there is one; to an upper table first.
  func stale(in mm: AddressSpace) -> Table? {
    var found: Table?
    for pointer in pointers where pointer.table.parent == nil && pointer.mm == mm.address {
      if found.map({ $0.level < pointer.table.level }) ?? true { found = pointer.table }
    }
    return found
  }

  mutating func remember(_ table: Table, of mm: AddressSpace) {
    if pointers.count == Self.capacity {
      // Pointers to upper tables have a cache of their own, as it were: they are few.
      pointers.remove(at: pointers.firstIndex { $0.table.level == .pte } ?? 0)
    }
    pointers.append(Pointer(mm: mm.address, table: table))
  }

  mutating func invalidate(_ mm: AddressSpace) {
    pointers.removeAll { $0.mm == mm.address }
  }
}

extension Machine {
  /// What a CPU that runs in `mm` may do at any time: walk to addresses nobody asked for. Pointers
  /// into what has just been unlinked are its favourites, upper tables above all.
  func speculate(_ cpu: CPU, _ mm: AddressSpace) {
    if let table = cpu.walker.stale(in: mm) {
      guard random.chance(1, in: table.level == .pte ? 16 : 3) else { return }
      access(table, at: table.base, mm)
    } else if !mm.regions.isEmpty, random.chance(1, in: 96) {
      let region = mm.regions[random.below(mm.regions.count)]
      let page = random.below(Int((region.end - region.start) >> 12))
      walk(cpu, mm, to: region.start + UInt64(page) << 12)
    }
  }

  /// Walks as far as there are tables, from the lowest one the walker knows.
  func walk(_ cpu: CPU, _ mm: AddressSpace, to address: UInt64) {
    var table = cpu.walker.lowest(for: address, in: mm) ?? mm.root
    while true {
      if table !== mm.root { access(table, at: address, mm) }
      guard table.level != .pte else { return }
      let levels = mm.mode.levels
      let level =
        table.level == .pgd ? levels[0] : levels[levels.firstIndex(of: table.level)! + 1]
      guard let child = table.child(level: level, at: address) else { return }
      emit(.hardwareLoad, child.pfn, mm.address, table.slot(of: child), level: level)
      cpu.walker.remember(child, of: mm)
      table = child
    }
  }

  private func access(_ table: Table, at address: UInt64, _ mm: AddressSpace) {
    emit(.hardwareAccess, table.pfn, mm.address, address, level: table.level)
  }

  /// An invalidation of a whole mm has reached the walkers of some CPUs.
  func fenceWalkers(_ mask: UInt64, _ mm: AddressSpace) {
    for cpu in cpus where mask >> UInt64(cpu.id) & 1 != 0 { cpu.walker.invalidate(mm) }
  }
}

extension Stage.Transport {
  /// Its name in a trace.
  var raw: FlushRoute {
    switch self {
    case .sbi: .firmware
    case .ipi: .interrupt
    case .broadcast: .broadcast
    }
  }
}
