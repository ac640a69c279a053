import TraceFormat

/// One level of `free_pgd_range()`: unlink the table, and on the way the stage gives it, free it.
final class FreeTable: Operation {
  enum State {
    case unlink
    case destruct
    case queue
    case account
  }

  private let table: Table
  private let gather: MmuGather
  private var state: State
  /// How the events that queue the table are marked.
  private let flags: EventFlags

  /// Starts at `unlink`.
  init(_ table: Table, _ gather: MmuGather) {
    self.table = table
    self.gather = gather
    state = .unlink
    flags = []
  }

  /// Starts behind the unlink, which madvise has done already.
  init(reclaimed table: Table, _ gather: MmuGather) {
    self.table = table
    self.gather = gather
    state = .destruct
    flags = .reclaimed
  }

  override func step(_ machine: Machine, _ task: KernelTask) -> Progress {
    let stage = machine.stage
    switch state {
    case .unlink:
      if table.level != .pte {
        // The walker of this CPU has just been there, as it may: worst luck for S0a.
        machine.walk(machine.cpus[task.cpu], gather.mm, to: table.base)
      }
      machine.unlink(table, gather.mm)
      state = .destruct
    case .destruct:
      gather.noteFreedTable(table)
      if stage.destructor == .atQueue || stage.path(of: table.level) == .immediate {
        machine.destruct(table)
        state = .queue
        return .more
      }
      state = .account
      queue(machine, task)
    case .queue:
      state = .account
      queue(machine, task)
    case .account:
      machine.addTableBytes(-4096, table.level, gather.mm)
      return .done
    }
    return .more
  }

  private func queue(_ machine: Machine, _ task: KernelTask) {
    switch machine.stage.path(of: table.level) {
    case .table: queueInBatch(machine, task)
    case .page:
      machine.emit(
        .tableQueuePage, table.pfn, gather.address, gather.mm.address, level: table.level,
        flags: flags)
      gather.add(.table(table), machine)
      if gather.mustFlush { task.call(FlushGather(gather)) }
    case .immediate: machine.free(table, by: .pagetableFree)
    }
  }

  /// `tlb_remove_table()`.
  private func queueInBatch(_ machine: Machine, _ task: KernelTask) {
    machine.emit(
      .tableQueueBatch, table.pfn, gather.address, gather.mm.address, level: table.level,
      flags: flags)
    if gather.batch == nil {
      guard let pfn = machine.allocateBatchPage() else {
        machine.emit(.batchFail, gather.address, gather.mm.address)
        task.call(FreeWithoutBatch(table, gather))
        return
      }
      let batch = TableBatch(pfn: pfn)
      machine.liveBatches += 1
      machine.emit(.batchNew, batch.address, pfn, gather.address)
      gather.batch = batch
    }
    guard let batch = gather.batch else { return }
    machine.emit(
      .batchAdd, table.pfn, batch.address, UInt64(batch.tables.count), level: table.level)
    batch.tables.append(table)
    if batch.tables.count == TableBatch.capacity { task.call(FlushTables(gather)) }
  }
}

extension Machine {
  /// Clears the upper entry.
  func unlink(_ table: Table, _ mm: AddressSpace) {
    guard let parent = table.parent else { preconditionFailure("table is not installed") }
    emit(.tableUnlink, table.pfn, mm.address, parent.slot(of: table), level: table.level)
    table.unlink()
  }
}

/// `tlb_remove_table_one()`, after the invalidation: the table is freed on its own.
final class FreeWithoutBatch: Operation {
  private enum State {
    case invalidate
    case fallback
    case synchronize
    case free
  }

  private let table: Table
  private let gather: MmuGather
  private var state = State.invalidate

  init(_ table: Table, _ gather: MmuGather) {
    self.table = table
    self.gather = gather
  }

  override func step(_ machine: Machine, _ task: KernelTask) -> Progress {
    switch state {
    case .invalidate:
      state = .fallback
      if gather.needsFlush { task.call(FlushTLB(gather)) }
    case .fallback:
      machine.emit(.tableFallback, table.pfn, gather.address, level: table.level)
      if machine.stage.fallback == .rcuCallback {
        machine.callRCU(
          head: PageAllocator.ptdescHead(table.pfn), payload: .table(table))
        return .done
      }
      state = .synchronize
    case .synchronize:
      state = .free
      switch machine.stage.fallback {
      case .ipiSync: task.call(SyncIPI())
      case .synchronizeRCU: task.call(SynchronizeRCU())
      case .rcuCallback: break
      }
    case .free:
      machine.finalFree(table)
      return .done
    }
    return .more
  }
}
