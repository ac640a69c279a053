import TraceFormat

/// `unmap_vmas()` and `free_pgtables()` over a range whose regions are gone already.
final class UnmapRange: Operation {
  private enum State {
    case start
    case zap([Table], next: Int)
    case zapHuge([UInt64], next: Int)
    case collect
    case free([Table], next: Int)
  }

  private let gather: MmuGather
  private let start: UInt64
  private let end: UInt64
  private var state = State.start

  init(_ gather: MmuGather, from start: UInt64, to end: UInt64) {
    self.gather = gather
    self.start = start
    self.end = end
  }

  override func step(_ machine: Machine, _ task: KernelTask) -> Progress {
    let mm = gather.mm
    switch state {
    case .start: state = .zap(mm.pteTables(from: start, to: end), next: 0)
    case .zap(let tables, let next):
      if gather.mustFlush {
        // The table before may have pages left.
        state = .zap(tables, next: next - 1)
        task.call(FlushGather(gather))
      } else if next < tables.count {
        state = .zap(tables, next: next + 1)
        let from = max(start, tables[next].base)
        task.call(
          ReaderSection(.lock, mm, at: from, .zap(from: start, to: end, gather)))
      } else {
        state = .zapHuge(mm.hugePages(from: start, to: end), next: 0)
      }
    case .zapHuge(let addresses, let next):
      if gather.mustFlush {
        task.call(FlushGather(gather))
      } else if next < addresses.count {
        state = .zapHuge(addresses, next: next + 1)
        task.call(ZapHugePage(gather, at: addresses[next]))
      } else {
        state = .collect
      }
    case .collect: state = .free(mm.unneededTables(from: start, to: end), next: 0)
    case .free(let tables, let next):
      guard next < tables.count else { return .done }
      state = .free(tables, next: next + 1)
      task.call(FreeTable(tables[next], gather))
    }
    return .more
  }
}

/// `munmap()` of one region.
///
/// The range is detached under the write lock and torn down under the read lock, so that faults
/// in other regions go on meanwhile, but nobody but class G can reach the range.
final class Unmap: Operation {
  private enum State {
    case lock
    case detach
    case tearDown
    case unlock
  }

  private let mm: AddressSpace
  private let region: Region
  private var state = State.lock

  init(_ mm: AddressSpace, _ region: Region) {
    self.mm = mm
    self.region = region
  }

  override func step(_ machine: Machine, _ task: KernelTask) -> Progress {
    switch state {
    case .lock:
      if mm.mmapLock.acquire(task, exclusive: true, on: machine) { state = .detach }
    case .detach:
      guard mm.regions.contains(region) else {
        mm.mmapLock.releaseWrite(on: machine)
        return .done
      }
      machine.emit(.intentUnmap, mm.address, region.start, region.end - region.start)
      mm.remove(region)
      mm.mmapLock.downgrade(on: machine)
      state = .tearDown
    case .tearDown:
      state = .unlock
      let gather = MmuGather(address: task.gatherAddress, mm: mm)
      task.call(
        Steps([
          StartGather(gather), UnmapRange(gather, from: region.start, to: region.end),
          FinishGather(gather),
        ]))
    case .unlock:
      mm.mmapLock.releaseRead(on: machine)
      return .done
    }
    return .more
  }
}

/// `exit()`: the last task of an address space tears all of it down.
final class Exit: Operation {
  private enum State {
    case leave
    case tearDown
    case drop
  }

  private var state = State.leave

  override func step(_ machine: Machine, _ task: KernelTask) -> Progress {
    guard let mm = task.mm else { return .done }
    switch state {
    case .leave:
      mm.users -= 1
      guard mm.users == 0 else {
        task.mm = nil
        return .done
      }
      machine.emit(.intentExit, mm.address)
      state = .tearDown
    case .tearDown:
      state = .drop
      machine.emit(.mmExit, mm.address)
      mm.removeAllRegions()
      let gather = MmuGather(address: task.gatherAddress, mm: mm, isFullMM: true)
      task.call(
        Steps([
          StartGather(gather), UnmapRange(gather, from: 0, to: mm.mode.userTop),
          FinishGather(gather),
        ]))
    case .drop:
      task.mm = nil
      machine.drop(mm)
      return .done
    }
    return .more
  }
}
