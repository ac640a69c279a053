import TraceFormat

/// A page of table pointers that is freed by one callback.
final class TableBatch {
  /// MAX_TABLE_BATCH: (4096 − 24) / 8 (kernel-facts §2.1).
  static let capacity = 509

  let pfn: UInt64
  /// In queue order.
  var tables: [Table] = []

  init(pfn: UInt64) { self.pfn = pfn }

  /// Its address, which is also that of its rcu_head.
  var address: UInt64 { PageAllocator.linear(pfn) }
}

/// Pages that are freed right after the next TLB flush.
struct PageGather {
  enum Entry {
    case data(pfn: UInt64)
    case table(Table)
  }

  static let embeddedSlots = 8
  static let slotsPerPage = 510
  static let pageLimit = 19

  private(set) var entries: [Entry] = []
  /// Pages of slots, kept from one flush to the next.
  private(set) var slotPages: [UInt64] = []
  private var slotPagesInUse = 0
  private var used = 0

  /// Adds a page; true if the gather must be flushed before the next one.
  ///
  /// `allocatePage` returns nil when there is no memory for further slots.
  mutating func add(_ entry: Entry, allocatePage: () -> UInt64?) -> Bool {
    entries.append(entry)
    used += 1
    let slots = slotPagesInUse == 0 ? Self.embeddedSlots : Self.slotsPerPage
    // One slot is kept for the second half of a folio and its count.
    guard used == slots - 1 else { return false }
    if slotPagesInUse == slotPages.count {
      guard slotPages.count < Self.pageLimit, let page = allocatePage() else { return true }
      slotPages.append(page)
    }
    slotPagesInUse += 1
    used = 0
    return false
  }

  /// Takes everything out; the slot pages stay.
  mutating func takeEntries() -> [Entry] {
    defer { entries = [] }
    slotPagesInUse = 0
    used = 0
    return entries
  }
}

/// One mmu_gather, on the stack of the unmapping task (kernel-facts §2).
final class MmuGather {
  let address: UInt64
  let mm: AddressSpace
  let isFullMM: Bool
  var batch: TableBatch?
  var pages = PageGather()
  /// Something was unmapped since the last TLB flush.
  var needsFlush = false
  /// A table was freed since the last TLB flush: the whole mm is flushed.
  var freedTables = false
  /// The range that was unmapped since then.
  var start = UInt64.max
  var end: UInt64 = 0
  /// The page list is full.
  var mustFlush = false

  init(address: UInt64, mm: AddressSpace, isFullMM: Bool = false) {
    self.address = address
    self.mm = mm
    self.isFullMM = isFullMM
  }

  func noteUnmapped(from start: UInt64, to end: UInt64) {
    needsFlush = true
    self.start = min(self.start, start)
    self.end = max(self.end, end)
  }

  func noteFreedTable(_ table: Table) {
    noteUnmapped(from: table.base, to: table.end)
    freedTables = true
  }

  func noteFlushed() {
    needsFlush = false
    freedTables = false
    start = .max
    end = 0
  }

  func add(_ entry: PageGather.Entry, _ machine: Machine) {
    if pages.add(entry, allocatePage: machine.allocateBatchPage) { mustFlush = true }
  }
}

/// `tlb_gather_mmu()`.
final class StartGather: Operation {
  private let gather: MmuGather

  init(_ gather: MmuGather) { self.gather = gather }

  override func step(_ machine: Machine, _ task: KernelTask) -> Progress {
    gather.mm.flushesPending += 1
    machine.emit(
      .gatherStart, gather.address, gather.mm.address, gather.isFullMM ? 1 : 0)
    machine.emit(.mmFlushPending, gather.mm.address, 1)
    return .done
  }
}

/// `tlb_finish_mmu()`: the last flush, forced if another gather was at work on the same mm.
final class FinishGather: Operation {
  private let gather: MmuGather
  private var flushed = false

  init(_ gather: MmuGather) { self.gather = gather }

  override func step(_ machine: Machine, _ task: KernelTask) -> Progress {
    guard flushed else {
      flushed = true
      if gather.mm.flushesPending > 1 {
        gather.needsFlush = true
        gather.freedTables = true
      }
      task.call(FlushGather(gather))
      return .more
    }
    for page in gather.pages.slotPages { machine.pages.release(page) }
    gather.mm.flushesPending -= 1
    machine.emit(.mmFlushPending, gather.mm.address, UInt64(bitPattern: -1))
    machine.emit(.gatherFinish, gather.address, gather.mm.address)
    return .done
  }
}

/// `tlb_flush_mmu()`: invalidate, hand the table batch to RCU, free the pages.
final class FlushGather: Operation {
  private enum State {
    case invalidate
    case submit
    case free([PageGather.Entry], next: Int)
  }

  private let gather: MmuGather
  private var state = State.invalidate

  init(_ gather: MmuGather) { self.gather = gather }

  override func step(_ machine: Machine, _ task: KernelTask) -> Progress {
    switch state {
    case .invalidate:
      state = .submit
      if gather.needsFlush { task.call(FlushTLB(gather)) }
    case .submit:
      machine.submitBatch(of: gather)
      state = .free(gather.pages.takeEntries(), next: 0)
      gather.mustFlush = false
    case .free(let entries, var next):
      // Data pages are silent; one table is one step.
      while next < entries.count {
        next += 1
        if case .table(let table) = entries[next - 1] {
          machine.free(table, by: machine.stage.freeFunction)
          state = .free(entries, next: next)
          return .more
        } else if case .data(let pfn) = entries[next - 1] {
          machine.pages.release(pfn)
        }
      }
      return .done
    }
    return .more
  }
}

/// `tlb_table_flush()`: invalidate, hand the table batch to RCU.
final class FlushTables: Operation {
  private let gather: MmuGather
  private var invalidated = false

  init(_ gather: MmuGather) { self.gather = gather }

  override func step(_ machine: Machine, _ task: KernelTask) -> Progress {
    if !invalidated, gather.needsFlush {
      invalidated = true
      task.call(FlushTLB(gather))
      return .more
    }
    machine.submitBatch(of: gather)
    // The rest of the gather may well go on elsewhere.
    if machine.random.chance(1, in: 4) { machine.migrate(task) }
    return .done
  }
}

extension Machine {
  /// Gives the gather's batch, if it has one, to RCU.
  func submitBatch(of gather: MmuGather) {
    guard let batch = gather.batch else { return }
    gather.batch = nil
    callRCU(head: batch.address, payload: .batch(batch))
  }
}
