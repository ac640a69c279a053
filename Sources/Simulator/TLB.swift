import TraceFormat

/// `tlb_flush_mmu_tlbonly()`: invalidates the gather's range on every CPU in mm_cpumask.
final class FlushTLB: Operation {
  private enum State {
    case start
    case wait
    case finish
  }

  private let gather: MmuGather
  private let receipt = CPU.Receipt()
  private var state = State.start
  private var start: UInt64 = 0
  private var size: UInt64 = 0

  init(_ gather: MmuGather) { self.gather = gather }

  override func step(_ machine: Machine, _ task: KernelTask) -> Progress {
    switch state {
    case .start:
      let isFull = gather.freedTables || gather.isFullMM
      start = isFull ? 0 : gather.start
      size = isFull ? .max : gather.end - gather.start
      machine.emit(.flushStart, gather.mm.address, start, size)
      gather.noteFlushed()
      // Whoever sends interrupts and waits for them may not be switched out meanwhile.
      task.preemptCount += 1
      if machine.stage.transport == .ipi { interrupt(machine) }
      state = .wait
    case .wait:
      if receipt.outstanding == 0 { state = .finish }
    case .finish:
      machine.clock += UInt64(500 + machine.random.below(4_000))
      machine.emit(.flushEnd, gather.mm.address, start, size)
      task.preemptCount -= 1
      return .done
    }
    return .more
  }

  private func interrupt(_ machine: Machine) {
    let own: UInt64 = 1 << UInt64(machine.actor.cpu)
    let others = gather.mm.cpuMask & machine.onlineCPUs & ~own
    machine.interrupt(others, .flush(mm: gather.mm.address), receipt)
    // on_each_cpu_mask() runs the function here as well, without an interrupt.
    if gather.mm.cpuMask & own != 0 { machine.emit(.flushAck, gather.mm.address) }
  }
}

/// `tlb_remove_table_sync_one()`: an empty interrupt to every other CPU.
///
/// Proves that each had interrupts enabled at some instant, and nothing about RCU readers.
final class SyncIPI: Operation {
  private let receipt = CPU.Receipt()
  private var started = false

  override func step(_ machine: Machine, _ task: KernelTask) -> Progress {
    guard started else {
      started = true
      machine.emit(.ipiSyncStart)
      task.preemptCount += 1
      machine.interrupt(machine.onlineCPUs & ~(1 << UInt64(machine.actor.cpu)), .sync, receipt)
      return .more
    }
    guard receipt.outstanding == 0 else { return .more }
    machine.emit(.ipiSyncEnd)
    task.preemptCount -= 1
    return .done
  }
}

extension Machine {
  /// Sends an interrupt to the CPUs of a mask; `receipt` counts who has yet to handle it.
  func interrupt(_ mask: UInt64, _ function: CPU.Interrupt.Function, _ receipt: CPU.Receipt) {
    for cpu in cpus where mask >> UInt64(cpu.id) & 1 != 0 {
      cpu.interrupts.append(CPU.Interrupt(function: function, receipt: receipt))
      receipt.outstanding += 1
      refresh(cpu)
    }
  }
}
