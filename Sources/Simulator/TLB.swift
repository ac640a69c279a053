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
  private var cpus: UInt64 = 0
  /// The whole mm is invalidated, pointers to tables with it.
  private var isFull = false

  init(_ gather: MmuGather) { self.gather = gather }

  override func step(_ machine: Machine, _ task: KernelTask) -> Progress {
    switch state {
    case .start:
      isFull = gather.freedTables || gather.isFullMM
      // An offline CPU has no TLB to invalidate, and takes no interrupts.
      cpus = gather.mm.cpuMask & machine.onlineCPUs
      start = isFull ? 0 : gather.start
      size = isFull ? .max : gather.end - gather.start
      machine.emit(.flushStart, gather.mm.address, start, size)
      machine.emit(
        .flushCPUs, gather.mm.address, cpus, UInt64(machine.stage.transport.raw.rawValue))
      gather.noteFlushed()
      // Whoever sends interrupts and waits for them may not be switched out meanwhile.
      task.preemptCount += 1
      if machine.stage.transport == .ipi { interrupt(machine) }
      state = .wait
    case .wait:
      if receipt.outstanding == 0 { state = .finish }
    case .finish:
      machine.clock += UInt64(500 + machine.random.below(4_000))
      // Firmware and hardware are done by now, whenever they began.
      if isFull, machine.stage.transport != .ipi { machine.fenceWalkers(cpus, gather.mm) }
      machine.emit(.flushEnd, gather.mm.address, start, size)
      task.preemptCount -= 1
      return .done
    }
    return .more
  }

  private func interrupt(_ machine: Machine) {
    let own: UInt64 = 1 << UInt64(machine.actor.cpu)
    machine.interrupt(cpus & ~own, .flush(gather.mm, isFull: isFull), receipt)
    // on_each_cpu_mask() runs the function here as well, without an interrupt.
    guard cpus & own != 0 else { return }
    if isFull { machine.fenceWalkers(own, gather.mm) }
    machine.emit(.flushAck, gather.mm.address)
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
      let others = machine.onlineCPUs & ~(1 << UInt64(machine.actor.cpu))
      machine.emit(.ipiSyncStart, 0, others)
      task.preemptCount += 1
      machine.interrupt(others, .sync, receipt)
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
