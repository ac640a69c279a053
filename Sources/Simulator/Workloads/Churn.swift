import TraceFormat

/// How often a task does what, and how big its regions are.
struct ChurnMix: Sendable {
  var map = 0
  var unmap = 0
  var touch = 0
  var lookM = 0
  var lookN = 0
  var pin = 0
  var fork = 0
  /// Regions are whole PTE tables; one in four is smaller and shares its table.
  var tablesPerRegion = 1...6
  var pagesPerTable = 1...4
  var regionLimit = 8
  /// Pins in a row, in one region, that may be unmapped meanwhile.
  var pinsInARow = 1...1
  var thinkNanoseconds = 100_000...1_500_000
  /// Once in a while a whole gigabyte is mapped and unmapped (two batches).
  var hasHugeRounds = false
  /// Children of one task that may be alive at a time.
  var childLimit = 3
}

/// A task that maps, touches, walks and unmaps by chance until the run is over, then exits.
final class Churn: Operation {
  /// Counts the living children of a task.
  final class Children {
    var count = 0
  }

  private let mix: ChurnMix
  /// Operations after which the task exits although the run goes on; nil for never.
  private var lifetime: Int?
  private var untilHugeRound: Int?
  private let children = Children()
  private let ownCount: Children?

  init(_ mix: ChurnMix, lifetime: Int? = nil, hugeRoundAfter: Int? = nil, of: Children? = nil) {
    self.mix = mix
    self.lifetime = lifetime
    untilHugeRound = hugeRoundAfter
    ownCount = of
  }

  override func step(_ machine: Machine, _ task: KernelTask) -> Progress {
    guard let mm = task.mm, !machine.isOver, lifetime != 0 else {
      ownCount?.count -= 1
      return .become(Exit())
    }
    lifetime = lifetime.map { $0 - 1 }
    task.call(Sleep(nanoseconds: task.random.within(mix.thinkNanoseconds)))
    task.call(next(in: mm, task, machine))
    return .more
  }

  private func next(in mm: AddressSpace, _ task: KernelTask, _ machine: Machine) -> Operation {
    if let left = untilHugeRound {
      untilHugeRound = left == 0 ? 2_000 : left - 1
      if left == 0 { return hugeRound(mm) }
    }
    let weights = [mix.map, mix.unmap, mix.touch, mix.lookM, mix.lookN, mix.pin, mix.fork]
    var pick = task.random.below(weights.reduce(0, +))
    let choice = weights.firstIndex {
      pick -= $0
      return pick < 0
    }
    guard !mm.regions.isEmpty else { return map(mm, task) }
    switch choice {
    case 0: return mm.regions.count < mix.regionLimit ? map(mm, task) : unmap(mm, task)
    case 1: return unmap(mm, task)
    case 2:
      let preallocates = task.random.chance(1, in: 12)
      return Touch(mm, at: address(in: mm, task), preallocates: preallocates)
    case 3: return Walk(.map, mm, at: address(in: mm, task))
    case 4: return Walk(.nolock, mm, at: address(in: mm, task))
    case 5: return pin(mm, task)
    default: return fork(mm, task)
    }
  }

  private func map(_ mm: AddressSpace, _ task: KernelTask) -> Operation {
    let isSmall = task.random.chance(1, in: 4)
    let bytes =
      isSmall
      ? UInt64(task.random.within(1...255)) << 12
      : UInt64(task.random.within(mix.tablesPerRegion)) << 21
    return Map(
      mm, bytes: bytes, alignment: isSmall ? 1 << 20 : 1 << 21, pagesPerTable: mix.pagesPerTable)
  }

  private func unmap(_ mm: AddressSpace, _ task: KernelTask) -> Operation {
    Unmap(mm, mm.regions[task.random.below(mm.regions.count)])
  }

  private func address(in mm: AddressSpace, _ task: KernelTask) -> UInt64 {
    address(in: mm.regions[task.random.below(mm.regions.count)], task)
  }

  private func address(in region: Region, _ task: KernelTask) -> UInt64 {
    let page = task.random.below(Int((region.end - region.start) >> 12))
    return region.start + UInt64(page) << 12
  }

  private func pin(_ mm: AddressSpace, _ task: KernelTask) -> Operation {
    let region = mm.regions[task.random.below(mm.regions.count)]
    let count = task.random.within(mix.pinsInARow)
    return Steps((0..<count).map { _ in Pin(mm, at: address(in: region, task)) })
  }

  private func fork(_ mm: AddressSpace, _ task: KernelTask) -> Operation {
    guard children.count < mix.childLimit else { return Sleep(nanoseconds: 50_000) }
    children.count += 1
    var childMix = mix
    childMix.fork = 0
    let lifetime = task.random.within(1...8)
    let children = children
    return Fork(mm, name: task.name + "-child") {
      Churn(childMix, lifetime: lifetime, of: children)
    }
  }

  private func hugeRound(_ mm: AddressSpace) -> Operation {
    let map = Map(mm, bytes: 1 << 30, alignment: 1 << 30, gigabytes: 8...9)
    return Steps([map, UnmapMapped(map, mm)])
  }
}

/// Unmaps what another operation has mapped.
final class UnmapMapped: Operation {
  private let map: Map
  private let mm: AddressSpace

  init(_ map: Map, _ mm: AddressSpace) {
    self.map = map
    self.mm = mm
  }

  override func step(_ machine: Machine, _ task: KernelTask) -> Progress {
    guard let region = map.region else { return .done }
    return .become(Unmap(mm, region))
  }
}

extension Machine {
  /// Starts a process of several tasks that share an address space.
  func spawnProcess(_ name: String, programs: [() -> Operation]) {
    let mm = createAddressSpace()
    for program in programs {
      spawn(name, mm: mm, cpu: Int(createdTasks % UInt64(cpus.count)), program: program())
    }
  }

  /// Whether the run is long enough for rounds of some ten thousand events.
  var hasRoomForHugeRounds: Bool { targetEvents >= 15_000 }
}
