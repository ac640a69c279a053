import TraceFormat

/// `fork()`: copies the page tables of the parent and starts a task in the copy.
final class Fork: Operation {
  private enum State {
    case lock
    case create
    case copy(AddressSpace, [UInt64], next: Int)
    case read(AddressSpace, [UInt64], next: Int)
  }

  private let parent: AddressSpace
  private let name: String
  private let program: () -> Operation
  private var state = State.lock

  /// `program` is what the child runs.
  init(_ parent: AddressSpace, name: String, program: @escaping () -> Operation) {
    self.parent = parent
    self.name = name
    self.program = program
  }

  override func step(_ machine: Machine, _ task: KernelTask) -> Progress {
    switch state {
    case .lock:
      if parent.mmapLock.acquire(task, exclusive: true, on: machine) { state = .create }
    case .create:
      let child = machine.createAddressSpace()
      machine.emit(.intentFork, parent.address, child.address)
      for region in parent.regions { child.insert(region) }
      state = .read(child, mappedAddresses(), next: 0)
    case .read(let child, let addresses, let next):
      guard next < addresses.count else {
        parent.mmapLock.releaseWrite(on: machine)
        let cpu = machine.random.below(machine.cpus.count)
        machine.spawn(name, mm: child, cpu: cpu, program: program())
        return .done
      }
      state = .copy(child, addresses, next: next)
      task.call(ReaderSection(.nolock, parent, at: addresses[next]))
    case .copy(let child, let addresses, let next):
      state = .read(child, addresses, next: next + 1)
      task.call(Fault(child, at: addresses[next]))
    }
    return .more
  }

  /// One mapped address per PTE table; the others are copied with it, silently.
  private func mappedAddresses() -> [UInt64] {
    parent.pteTables(from: 0, to: parent.mode.userTop).compactMap { table in
      table.leaves.first.map { table.base + UInt64($0.index) << 12 }
    }
  }
}
