import TraceFormat

/// `mmap()` and populate: a few pages in each PTE table of the region.
final class Map: Operation {
  private enum State {
    case lock
    case insert
    case populate(Region, next: UInt64)
  }

  private let mm: AddressSpace
  private let bytes: UInt64
  private let alignment: UInt64
  private let gigabytes: ClosedRange<Int>
  private let pagesPerTable: ClosedRange<Int>
  private var state = State.lock
  /// Where the region lies, once it exists.
  private(set) var region: Region?

  init(
    _ mm: AddressSpace, bytes: UInt64, alignment: UInt64 = 1 << 21,
    gigabytes: ClosedRange<Int> = 1...5, pagesPerTable: ClosedRange<Int> = 1...1
  ) {
    self.mm = mm
    self.bytes = bytes
    self.alignment = alignment
    self.gigabytes = gigabytes
    self.pagesPerTable = pagesPerTable
  }

  override func step(_ machine: Machine, _ task: KernelTask) -> Progress {
    switch state {
    case .lock:
      if mm.mmapLock.acquire(task, exclusive: true, on: machine) { state = .insert }
    case .insert:
      defer { mm.mmapLock.releaseWrite(on: machine) }
      guard
        let start = mm.findPlace(
          bytes: bytes, alignment: alignment, gigabytes: gigabytes, random: &task.random)
      else { return .done }
      machine.emit(.intentMap, mm.address, start, bytes)
      let region = Region(start: start, end: start + bytes)
      mm.insert(region)
      self.region = region
      state = .populate(region, next: start)
    case .populate(let region, let next):
      guard next < region.end else { return .done }
      let tableEnd = min(region.end, (next >> 21 + 1) << 21)
      state = .populate(region, next: tableEnd)
      for _ in 0..<task.random.within(pagesPerTable) {
        let pages = Int((tableEnd - next) >> 12)
        let address = next + UInt64(task.random.below(pages)) << 12
        let preallocates = task.random.chance(1, in: 24)
        task.call(Touch(mm, at: address, preallocates: preallocates, isIntent: false))
      }
    }
    return .more
  }
}

/// A memory access by the task: a fault under mmap_lock held for read.
final class Touch: Operation {
  private enum State {
    case lock
    case check
    case unlock
  }

  private let mm: AddressSpace
  private let address: UInt64
  private let preallocates: Bool
  private let isIntent: Bool
  private var state = State.lock

  init(
    _ mm: AddressSpace, at address: UInt64, preallocates: Bool = false, isIntent: Bool = true
  ) {
    self.mm = mm
    self.address = address
    self.preallocates = preallocates
    self.isIntent = isIntent
  }

  override func step(_ machine: Machine, _ task: KernelTask) -> Progress {
    switch state {
    case .lock:
      guard mm.mmapLock.acquire(task, exclusive: false, on: machine) else { return .more }
      if isIntent {
        machine.emit(.intentWalk, mm.address, address, UInt64(ReaderClass.lock.rawValue))
      }
      state = .check
    case .check:
      state = .unlock
      if mm.isMapped(address) {
        task.call(Fault(mm, at: address, preallocates: preallocates))
      }
    case .unlock:
      mm.mmapLock.releaseRead(on: machine)
      return .done
    }
    return .more
  }
}

/// A walk of class M, L or N under mmap_lock held for read.
final class Walk: Operation {
  private enum State {
    case lock
    case check
    case unlock
  }

  private let readerClass: ReaderClass
  private let mm: AddressSpace
  private let address: UInt64
  private let round: RaceRound?
  private var state = State.lock

  init(
    _ readerClass: ReaderClass, _ mm: AddressSpace, at address: UInt64, round: RaceRound? = nil
  ) {
    self.readerClass = readerClass
    self.mm = mm
    self.address = address
    self.round = round
  }

  override func step(_ machine: Machine, _ task: KernelTask) -> Progress {
    switch state {
    case .lock:
      guard mm.mmapLock.acquire(task, exclusive: false, on: machine) else { return .more }
      machine.emit(.intentWalk, mm.address, address, UInt64(readerClass.rawValue))
      state = .check
    case .check:
      state = .unlock
      if mm.isMapped(address) {
        task.call(ReaderSection(readerClass, mm, at: address, round: round))
      }
    case .unlock:
      mm.mmapLock.releaseRead(on: machine)
      return .done
    }
    return .more
  }
}

/// `pin_user_pages_fast()`, and the slow path where the fast one fails or does not exist.
final class Pin: Operation {
  private enum State {
    case start
    case walked(GupFast)
  }

  private let mm: AddressSpace
  private let address: UInt64
  private let round: RaceRound?
  private var state = State.start

  init(_ mm: AddressSpace, at address: UInt64, round: RaceRound? = nil) {
    self.mm = mm
    self.address = address
    self.round = round
  }

  override func step(_ machine: Machine, _ task: KernelTask) -> Progress {
    switch state {
    case .start:
      machine.emit(.intentPin, mm.address, address)
      guard machine.stage.hasFastGUP else {
        return .become(Touch(mm, at: address, isIntent: false))
      }
      let walk = GupFast(mm, at: address, round: round)
      state = .walked(walk)
      task.call(walk)
      return .more
    case .walked(let walk):
      return walk.succeeded ? .done : .become(Touch(mm, at: address, isIntent: false))
    }
  }
}
