import TraceFormat

/// Huge pages: faults deposit PTE tables, splits and failed collapses install them again, collapses
/// of anonymous memory deposit them, those of files free them by a callback of their own; other
/// tasks walk the same tables meanwhile.
struct HugePageChurn: Workload {
  let name = "huge-pages"
  let summary = "huge pages are faulted in, split and collapsed while readers walk"

  func start(on machine: Machine) {
    let mix = ChurnMix(
      map: 3, unmap: 2, touch: 4, lookM: 3, lookN: 3, pin: 3, regionLimit: 5,
      thinkNanoseconds: 50_000...500_000)
    for _ in 0..<max(1, machine.cpus.count / 2) {
      machine.spawnProcess(
        "huge", programs: [{ HugeChurn() }, { Churn(mix) }, { HugeChurn() }, { Churn(mix) }])
    }
  }
}

/// A task that does with huge pages what chance says, until the run is over.
final class HugeChurn: Operation {
  /// Every task does each thing at least this often.
  private static let rounds = 4

  private var duties = (0..<HugeChurn.rounds).flatMap { _ in Action.allCases }
  private var isCounted = false

  private enum Action: CaseIterable {
    case fault
    case split
    case collapse
    case retract
    case unmap
  }

  override func step(_ machine: Machine, _ task: KernelTask) -> Progress {
    if !isCounted {
      isCounted = true
      machine.unfinishedDuties += 1
      duties.shuffle(using: &task.random)
    }
    guard let mm = task.mm, !machine.isOver else { return .become(Exit()) }
    task.call(Sleep(nanoseconds: task.random.within(20_000...300_000)))
    task.call(next(in: mm, task, machine))
    return .more
  }

  private func next(in mm: AddressSpace, _ task: KernelTask, _ machine: Machine) -> Operation {
    guard let region = region(of: mm, task) else {
      return Map(mm, bytes: UInt64(task.random.within(2...4)) << 21)
    }
    let action = duty(machine) ?? Action.allCases[task.random.below(Action.allCases.count)]
    let slots = Int((region.end - region.start) >> 21)
    let address = region.start + UInt64(task.random.below(slots)) << 21
    switch action {
    case .fault:
      guard mm.regions.count < 8 else { return Unmap(mm, region) }
      let fresh = Map(mm, bytes: UInt64(task.random.within(1...3)) << 21, pagesPerTable: 0...0)
      return Steps([fresh, HugeTouchMapped(fresh, mm), HugeTouchMapped(fresh, mm)])
    case .split: return HugeTouch(mm, at: splittable(in: mm) ?? address, .split)
    case .collapse:
      return Steps([Touch(mm, at: address), CollapseHugePage(mm, at: address)])
    case .retract: return Steps([Touch(mm, at: address), RetractTable(mm, at: address)])
    case .unmap: return mm.regions.count > 2 ? Unmap(mm, region) : Touch(mm, at: address)
    }
  }

  /// A huge page of this mm, if there is one.
  private func splittable(in mm: AddressSpace) -> UInt64? {
    mm.hugePages(from: 0, to: mm.mode.userTop).first
  }

  private func duty(_ machine: Machine) -> Action? {
    guard let next = duties.popLast() else { return nil }
    if duties.isEmpty { machine.unfinishedDuties -= 1 }
    return next
  }

  /// A region of whole PTE tables.
  private func region(of mm: AddressSpace, _ task: KernelTask) -> Region? {
    let whole = mm.regions.filter { $0.start & (1 << 21 - 1) == 0 && $0.end & (1 << 21 - 1) == 0 }
    return whole.isEmpty ? nil : whole[task.random.below(whole.count)]
  }
}

/// Faults a huge page into what another operation has mapped.
final class HugeTouchMapped: Operation {
  private let map: Map
  private let mm: AddressSpace

  init(_ map: Map, _ mm: AddressSpace) {
    self.map = map
    self.mm = mm
  }

  override func step(_ machine: Machine, _ task: KernelTask) -> Progress {
    guard let region = map.region else { return .done }
    let slot = task.random.below(Int((region.end - region.start) >> 21))
    return .become(HugeTouch(mm, at: region.start + UInt64(slot) << 21, .fault))
  }
}

/// A huge fault or a split under mmap_lock held for read.
final class HugeTouch: Operation {
  enum Purpose {
    case fault
    case split
  }

  private enum State {
    case lock
    case check
    case unlock
  }

  private let mm: AddressSpace
  private let address: UInt64
  private let purpose: Purpose
  private var state = State.lock

  init(_ mm: AddressSpace, at address: UInt64, _ purpose: Purpose) {
    self.mm = mm
    self.address = address
    self.purpose = purpose
  }

  override func step(_ machine: Machine, _ task: KernelTask) -> Progress {
    switch state {
    case .lock:
      guard mm.mmapLock.acquire(task, exclusive: false, on: machine) else { return .more }
      state = .check
    case .check:
      state = .unlock
      guard let region = mm.region(at: address), region.end >= address + 1 << 21 else {
        return .more
      }
      task.call(
        purpose == .fault ? HugeFault(mm, at: address) : SplitHugePage(mm, at: address))
    case .unlock:
      mm.mmapLock.releaseRead(on: machine)
      return .done
    }
    return .more
  }
}
