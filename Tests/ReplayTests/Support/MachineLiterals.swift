import Replay
import TraceFormat

/// What a producer that knows its machine says, and the events that need it.
extension Trace {
  /// Sv39, batches of four, a linear map that begins at 0.
  static var machine: MachineFacts {
    var machine = MachineFacts()
    machine.levels = ["pgd", "pmd", "pte"]
    machine.linearMap = MachineFacts.LinearMap(address: 0, pfn: 0)
    machine.batchCapacity = 4
    machine.observesContext = true
    machine.observesEnqueue = true
    machine.observesFreeFunction = true
    return machine
  }

  /// A trace whose producer knows its machine.
  static func known(_ build: (inout Trace) -> Void) -> Trace {
    var trace = Trace(build)
    trace.header.machine = machine
    return trace
  }

  /// The same trace from a producer that knows nothing of its machine.
  var unknownMachine: Trace {
    var copy = self
    copy.header.machine = nil
    return copy
  }

  /// Address of the first entry of a table.
  static func entry(of upper: UInt64, _ index: UInt64 = 0) -> UInt64 { upper << 12 + index * 8 }

  mutating func install(
    _ pfn: UInt64, under upper: UInt64, _ index: UInt64 = 0, flags: EventFlags = []
  ) {
    emit(.tableInstall, pfn, Self.mm, Self.entry(of: upper, index), flags: flags)
  }
  mutating func unlink(
    _ pfn: UInt64, from upper: UInt64, _ index: UInt64 = 0, flags: EventFlags = []
  ) {
    emit(.tableUnlink, pfn, Self.mm, Self.entry(of: upper, index), flags: flags)
  }
  mutating func add(_ pfn: UInt64, to batch: UInt64, at index: UInt64) {
    emit(.batchAdd, pfn, batch, index)
  }
  mutating func typeClear(_ pfn: UInt64) { emit(.tableTypeClear, pfn) }
  mutating func reclaim(_ pfn: UInt64, pmdLock: UInt64, present: UInt64 = 0) {
    emit(.tableReclaim, pfn, pmdLock, present)
  }
  mutating func recheck(_ pfn: UInt64, in section: UInt64, unchanged: Bool = true) {
    emit(.readerRecheck, pfn, section, unchanged ? 1 : 0)
  }
  mutating func pin(_ pfn: UInt64, in section: UInt64) { emit(.readerPin, pfn, section) }
  mutating func write(_ pfn: UInt64, in section: UInt64) { emit(.readerAccess, pfn, section, 1) }
  mutating func mmNew(_ mm: UInt64 = Trace.mm) { emit(.mmNew, mm) }
  mutating func mmFree(_ mm: UInt64 = Trace.mm) { emit(.mmFree, mm) }
  mutating func bytes(
    _ delta: Int64, _ level: TableLevel = .pte, mm: UInt64 = Trace.mm
  ) {
    emit(.mmBytes, mm, UInt64(bitPattern: delta), level: level)
  }
  mutating func flushPending(_ delta: Int64) {
    emit(.mmFlushPending, Self.mm, UInt64(bitPattern: delta))
  }
  mutating func gatherStart() {
    emit(.gatherStart, Self.gather, Self.mm)
    flushPending(1)
  }
  mutating func gatherFinish() {
    flushPending(-1)
    emit(.gatherFinish, Self.gather, Self.mm)
  }
}
