import Replay
import TraceFormat

/// A trace written down as a literal: one call per event, with defaults for cpu, task and context.
///
/// ```swift
/// let trace = Trace { $0.born(1); $0.s3([1]) }
/// ```
struct Trace {
  private(set) var events: [Event] = []
  var header = TraceHeader(
    source: "literal", producer: "tests", cpus: 4, clock: .nanoseconds("simulated"))
  var cpu: UInt16 = 0
  var task: UInt32 = 100
  var context: ExecutionContext = .task
  private var nextSeq: UInt64 = 4

  init(_ build: (inout Trace) -> Void) {
    header.capabilities = .sure
    build(&self)
  }

  init(events: [Event], capabilities: Capabilities) {
    self.events = events
    header.capabilities = capabilities
  }

  /// Writes one event.
  mutating func emit(
    _ kind: EventKind, _ object: UInt64 = 0, _ arg0: UInt64 = 0, _ arg1: UInt64 = 0,
    level: TableLevel = .unknown, flags: EventFlags = []
  ) {
    events.append(
      Event(
        kind, time: 1_000 + UInt64(events.count) * 10, cpu: cpu, task: task, context: context,
        object: object, arg0: arg0, arg1: arg1, level: level, flags: flags))
  }

  /// Takes an event as it is.
  mutating func append(_ event: Event) { events.append(event) }

  /// Writes what `body` writes as happening on another CPU, in another task.
  mutating func on(
    cpu: UInt16? = nil, task: UInt32? = nil, context: ExecutionContext? = nil,
    _ body: (inout Trace) -> Void
  ) {
    let before = (self.cpu, self.task, self.context)
    self.cpu = cpu ?? self.cpu
    self.task = task ?? self.task
    self.context = context ?? self.context
    body(&self)
    (self.cpu, self.task, self.context) = before
  }

  /// The same trace without the events `isLost` says.
  func dropping(_ isLost: (Int, Event) -> Bool) -> Trace {
    var copy = self
    copy.events = events.enumerated().filter { !isLost($0.offset, $0.element) }.map(\.element)
    return copy
  }

  /// The same trace without any event of `kind`.
  func dropping(_ kind: EventKind) -> Trace { dropping { $1.kind == kind } }

  /// The same trace from a source that may miss `kinds` without saying so.
  func missing(_ kinds: EventKind...) -> Trace {
    var copy = self
    for kind in kinds { copy.header.capabilities[kind] = .mayMiss }
    return copy
  }

  /// The same trace from a source that cannot see `kinds`.
  func without(_ kinds: EventKind...) -> Trace {
    var copy = dropping { kinds.contains($1.kind) }
    for kind in kinds { copy.header.capabilities[kind] = nil }
    return copy
  }

  /// The first `count` events.
  func prefix(_ count: Int) -> Trace { dropping { index, _ in index >= count } }

  /// Everything but the first `count` events.
  func suffix(from count: Int) -> Trace { dropping { index, _ in index < count } }

  /// The trace up to the first event of `kind`, exclusively.
  func cut(before kind: EventKind) -> Trace {
    prefix(events.firstIndex { $0.kind == kind } ?? events.count)
  }

  /// The trace from the first event of `kind` on.
  func cut(from kind: EventKind) -> Trace {
    suffix(from: events.firstIndex { $0.kind == kind } ?? 0)
  }
}

// MARK: - One event each

extension Trace {
  static let mm: UInt64 = 0xff60_0001
  static let gather: UInt64 = 0xff20_0010

  mutating func alloc(_ pfn: UInt64, _ level: TableLevel = .pte, flags: EventFlags = []) {
    emit(.tableAlloc, pfn, Self.mm, level: level, flags: flags)
  }
  mutating func ctor(_ pfn: UInt64, nr: Int64 = 1, flags: EventFlags = []) {
    emit(.tableConstruct, pfn, Self.mm, UInt64(bitPattern: nr), flags: flags)
  }
  mutating func install(_ pfn: UInt64, _ level: TableLevel = .unknown, flags: EventFlags = []) {
    emit(.tableInstall, pfn, Self.mm, 0x5000 &+ pfn &* 8, level: level, flags: flags)
  }
  mutating func unlink(_ pfn: UInt64, flags: EventFlags = []) {
    emit(.tableUnlink, pfn, Self.mm, 0x5000 &+ pfn &* 8, flags: flags)
  }
  mutating func queue(_ pfn: UInt64, gather: UInt64 = Trace.gather, flags: EventFlags = []) {
    emit(.tableQueueBatch, pfn, gather, Self.mm, flags: flags)
  }
  mutating func queuePage(_ pfn: UInt64, flags: EventFlags = []) {
    emit(.tableQueuePage, pfn, Self.gather, Self.mm, flags: flags)
  }
  mutating func fallback(_ pfn: UInt64) { emit(.tableFallback, pfn, Self.gather) }
  mutating func dtor(_ pfn: UInt64, nr: Int64 = -1) {
    emit(.tableDestruct, pfn, 0, UInt64(bitPattern: nr))
  }
  mutating func put(_ pfn: UInt64) { emit(.tablePut, pfn, 1) }
  mutating func free(_ pfn: UInt64) { emit(.tableFree, pfn, 1) }
  mutating func zero(_ pfn: UInt64) { emit(.tableZero, pfn) }
  mutating func reuse(_ pfn: UInt64) { emit(.pageReuse, pfn) }
  mutating func deposit(_ pfn: UInt64) { emit(.tableDeposit, pfn, Self.mm) }
  mutating func withdraw(_ pfn: UInt64) { emit(.tableWithdraw, pfn, Self.mm) }
  mutating func deferFree(_ pfn: UInt64) { emit(.tableDefer, pfn, Self.mm) }

  mutating func lockAlloc(_ lock: UInt64, of pfn: UInt64) { emit(.lockAlloc, lock, pfn) }
  mutating func lockFree(_ lock: UInt64, of pfn: UInt64 = 0) { emit(.lockFree, lock, pfn) }
  mutating func wait(_ lock: UInt64, section: UInt64 = 0, pfn: UInt64 = 0) {
    emit(.lockWait, lock, section, pfn)
  }
  mutating func lock(_ lock: UInt64, section: UInt64 = 0, pfn: UInt64 = 0) {
    emit(.lockAcquire, lock, section, pfn)
  }
  mutating func unlock(_ lock: UInt64, section: UInt64 = 0, pfn: UInt64 = 0) {
    emit(.lockRelease, lock, section, pfn)
  }

  mutating func flushStart(_ mm: UInt64 = Self.mm) { emit(.flushStart, mm, 0, .max) }
  mutating func flushCPUs(_ mask: UInt64, _ transport: FlushRoute = .interrupt) {
    emit(.flushCPUs, Self.mm, mask, UInt64(transport.rawValue))
  }
  mutating func flushAck(cpu: UInt16, _ mm: UInt64 = Self.mm) {
    on(cpu: cpu, task: 0, context: .hardirq) { $0.emit(.flushAck, mm) }
  }
  mutating func flushEnd(_ mm: UInt64 = Self.mm) { emit(.flushEnd, mm, 0, .max) }
  /// A whole invalidation of the mm.
  mutating func flush() {
    flushStart()
    flushEnd()
  }
  mutating func syncAck(cpu: UInt16) {
    on(cpu: cpu, task: 0, context: .hardirq) { $0.emit(.ipiSyncAck) }
  }
  mutating func hardwareLoad(_ pfn: UInt64, cpu: UInt16 = 2) {
    on(cpu: cpu) { $0.emit(.hardwareLoad, pfn, Self.mm) }
  }
  mutating func hardwareAccess(_ pfn: UInt64, cpu: UInt16 = 2) {
    on(cpu: cpu) { $0.emit(.hardwareAccess, pfn, Self.mm) }
  }

  mutating func callRCU(
    _ head: UInt64, load: Int, _ function: CallbackFunction = .removeTableBatch
  ) {
    emit(.callRCU, head, UInt64(function.rawValue), UInt64(load))
  }
  mutating func cbStart(
    _ head: UInt64, load: Int = 0, _ function: CallbackFunction = .removeTableBatch
  ) {
    emit(.callbackStart, head, UInt64(function.rawValue), UInt64(load))
  }
  mutating func cbEnd(_ head: UInt64) { emit(.callbackEnd, head) }

  /// A whole grace period.
  mutating func gp() {
    nextSeq += 4
    on(cpu: 3, task: 15, context: .kthread) {
      $0.emit(.gracePeriodStart, $0.nextSeq | 1)
      $0.emit(.gracePeriodEnd, $0.nextSeq | 1)
    }
  }
  mutating func gpStart(_ seq: UInt64) { emit(.gracePeriodStart, seq) }
  mutating func gpEnd(_ seq: UInt64) { emit(.gracePeriodEnd, seq) }

  mutating func enter(_ section: UInt64, _ readerClass: ReaderClass = .nolock) {
    emit(.readerEnter, section, UInt64(readerClass.rawValue), Self.mm)
  }
  mutating func exit(_ section: UInt64) { emit(.readerExit, section) }
  mutating func load(_ pfn: UInt64, in section: UInt64) { emit(.readerLoad, pfn, section) }
  mutating func access(_ pfn: UInt64, in section: UInt64) { emit(.readerAccess, pfn, section) }

  mutating func loss(cpu: UInt16 = 1, count: UInt64 = 5, _ cause: LossCause = .lostEvents) {
    on(cpu: cpu) { $0.emit(.loss, UInt64(cause.rawValue), count) }
  }
  mutating func lossEnd(cpu: UInt16 = 1) { on(cpu: cpu) { $0.emit(.lossEnd) } }
  /// A hole that begins and ends here.
  mutating func hole(cpu: UInt16 = 1) {
    loss(cpu: cpu)
    lossEnd(cpu: cpu)
  }
  mutating func quiesce() { emit(.quiesce) }
}
