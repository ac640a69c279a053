import TraceFormat

/// The what-if: PTE tables are reclaimed by madvise while M, L and N readers may be inside
/// (trigger R of kernel-facts §4.2), on stages that never did so as well.
///
/// A reclaimer and a reader, each on a CPU of its own, meet in every scenario of ``RaceRound`` in
/// shuffled order, at least `cycles` times; between the meetings tables are reclaimed and walked
/// at random, by a third task too.
struct ReclaimRace: Workload {
  let name = "reclaim-race"
  let summary = "what-if: madvise frees PTE tables while readers may be inside"

  static let cycles = 3

  func start(on machine: Machine) throws(TraceError) {
    guard machine.cpus.count >= 2 else {
      throw TraceError(
        file: name, what: "needs two CPUs: one reads while the other frees",
        hint: "use --cpus 2 or more")
    }
    for pair in 0..<min(4, machine.cpus.count / 2) {
      let arena = RaceArena()
      let mm = machine.createAddressSpace()
      let reclaimer = machine.spawn(
        "reclaimer", mm: mm, cpu: 2 * pair, program: Reclaimer(arena))
      let reader = machine.spawn("reader", mm: mm, cpu: 2 * pair + 1, program: RaceReader(arena))
      reclaimer.isPinned = true
      reader.isPinned = true
      arena.reader = reader
      machine.unfinishedDuties += 1
      machine.spawn("rover", mm: mm, cpu: 2 * pair, program: Rover(arena))
    }
  }
}

/// What the tasks of one race share.
final class RaceArena {
  /// Tables that readers walk and the reclaimer takes away.
  var target: Region?
  /// Tables that are faulted in to reuse what was freed.
  var spare: Region?
  var round: RaceRound?
  var reader: KernelTask?
  var isClosed = false

  func address(in region: Region, slot: Int) -> UInt64 { region.start + UInt64(slot) << 21 }
}

/// Leads the rounds: populate, let the reader in, madvise, fault in another table.
final class Reclaimer: Operation {
  private static let targetSlots = 4
  private static let spareSlots = 32

  private enum State {
    case map
    case mapped(Map, Map)
    case plan
    case next
    case populated(RaceRound)
    case waiting(RaceRound)
    case returned(RaceRound)
    case reallocated(RaceRound)
  }

  private let arena: RaceArena
  private var state = State.map
  private var scenarios: [RaceRound.Scenario?] = []
  private var cyclesDone = 0
  private var spareSlot = 0

  init(_ arena: RaceArena) { self.arena = arena }

  override func step(_ machine: Machine, _ task: KernelTask) -> Progress {
    guard let mm = task.mm else { preconditionFailure("a reclaimer without mm") }
    switch state {
    case .map:
      let target = Map(mm, bytes: UInt64(Self.targetSlots) << 21)
      let spare = Map(
        mm, bytes: UInt64(Self.spareSlots) << 21, gigabytes: 8...9, pagesPerTable: 0...0)
      state = .mapped(target, spare)
      task.call(Steps([target, spare]))
    case .mapped(let target, let spare):
      arena.target = target.region
      arena.spare = spare.region
      state = .plan
    case .plan: return plan(machine, mm, task)
    case .next: startNext(machine, mm, task)
    case .populated(let round):
      arena.round = round
      if let reader = arena.reader { machine.wake(reader) }
      state = .waiting(round)
    case .waiting(let round):
      guard round.mayReclaimerStart() else { return .more }
      state = .returned(round)
      task.call(Advise(mm, from: round.address, to: round.address + 1 << 21, round: round))
    case .returned(let round):
      state = .reallocated(round)
      task.call(Touch(mm, at: nextSpareAddress()))
    case .reallocated(let round):
      round.isReallocated = true
      guard round.mayReclaimerLeave() else { return .more }
      arena.round = nil
      state = .next
    }
    return .more
  }

  /// Shuffles the scenarios of a cycle, with random rounds (nil) between.
  private func plan(_ machine: Machine, _ mm: AddressSpace, _ task: KernelTask) -> Progress {
    if cyclesDone == ReclaimRace.cycles { machine.unfinishedDuties -= 1 }
    if machine.isOver, cyclesDone >= ReclaimRace.cycles {
      arena.isClosed = true
      if let reader = arena.reader { machine.wake(reader) }
      return .become(Exit())
    }
    cyclesDone += 1
    scenarios = RaceRound.Scenario.allCases + [nil, nil, nil]
    scenarios.shuffle(using: &task.random)
    spareSlot = 0
    state = .next
    if let spare = arena.spare { task.call(Advise(mm, from: spare.start, to: spare.end)) }
    return .more
  }

  private func startNext(_ machine: Machine, _ mm: AddressSpace, _ task: KernelTask) {
    guard let target = arena.target, let scenario = scenarios.popLast() else {
      state = .plan
      return
    }
    task.call(Sleep(nanoseconds: task.random.within(20_000...400_000)))
    let slot = task.random.below(Self.targetSlots)
    let address = arena.address(in: target, slot: slot)
    guard let scenario else {
      let slots = task.random.within(1...(Self.targetSlots - slot))
      task.call(Advise(mm, from: address, to: address + UInt64(slots) << 21))
      return
    }
    state = .populated(RaceRound(scenario, at: address))
    task.call(Touch(mm, at: address, preallocates: task.random.chance(1, in: 4)))
  }

  private func nextSpareAddress() -> UInt64 {
    guard let spare = arena.spare else { preconditionFailure("no spare region") }
    defer { spareSlot = (spareSlot + 1) % Self.spareSlots }
    return arena.address(in: spare, slot: spareSlot)
  }
}

/// Takes the reader's part in each round.
final class RaceReader: Operation {
  private let arena: RaceArena
  private var last: RaceRound?

  init(_ arena: RaceArena) { self.arena = arena }

  override func step(_ machine: Machine, _ task: KernelTask) -> Progress {
    guard let mm = task.mm, !arena.isClosed else { return .become(Exit()) }
    guard let round = arena.round, round !== last else {
      machine.block(task)
      return .more
    }
    last = round
    switch round.scenario {
    case .content, .contentReallocated:
      task.call(Walk(.map, mm, at: round.address, round: round))
    case .staleLock, .strangersLock:
      task.call(Walk(.nolock, mm, at: round.address, round: round))
    case .spinning: task.call(Walk(.lock, mm, at: round.address, round: round))
    case .pin: task.call(Pin(mm, at: round.address, round: round))
    }
    return .more
  }
}

/// Walks and touches the target tables at random.
final class Rover: Operation {
  private let arena: RaceArena

  init(_ arena: RaceArena) { self.arena = arena }

  override func step(_ machine: Machine, _ task: KernelTask) -> Progress {
    guard let mm = task.mm, !arena.isClosed else { return .become(Exit()) }
    task.call(Sleep(nanoseconds: task.random.within(10_000...200_000)))
    guard let target = arena.target else { return .more }
    let page = task.random.below(Int((target.end - target.start) >> 12))
    let address = target.start + UInt64(page) << 12
    switch task.random.below(5) {
    case 0: task.call(Touch(mm, at: address, preallocates: task.random.chance(1, in: 3)))
    case 1: task.call(Walk(.map, mm, at: address))
    case 2: task.call(Walk(.lock, mm, at: address))
    case 3: task.call(Walk(.nolock, mm, at: address))
    default: task.call(Pin(mm, at: address))
    }
    return .more
  }
}
