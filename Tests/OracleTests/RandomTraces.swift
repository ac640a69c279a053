import TraceFormat

/// Short random traces over a universe so small that everything meets: two CPUs, three tables, two
/// address spaces, two locks, two batches, two sections.
///
/// A trace is a shuffle of stories, each of which a kernel could tell (one life of a table under
/// some stage, a reader, a callback, a gather, a grace period …), broken in a few places: events
/// left out, doubled, moved, given to another object, CPU or task, holes put in, ends cut off.
struct RandomTraces {
  private var random: Numbers
  private var story: [Event] = []
  private var cpu: UInt16 = 0
  private var task: UInt32 = 100
  private var context = ExecutionContext.task
  private var sequence: UInt64 = 0

  init(seed: UInt64) { random = Numbers(state: seed) }

  /// The numbers of one seed (SplitMix64).
  struct Numbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var mixed = state
      mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
      mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
      return mixed ^ (mixed >> 31)
    }

    mutating func below(_ count: Int) -> Int { Int.random(in: 0..<count, using: &self) }
    mutating func oneIn(_ count: Int) -> Bool { below(count) == 0 }
  }

  /// What the producer says of its machine.
  static var machine: MachineFacts {
    var machine = MachineFacts()
    machine.levels = ["pgd", "pmd", "pte"]
    machine.linearMap = MachineFacts.LinearMap(address: 0, pfn: 0)
    machine.batchCapacity = 2
    machine.observesContext = true
    machine.observesEnqueue = true
    machine.observesFreeFunction = true
    return machine
  }

  /// The next trace.
  mutating func next() -> [Event] {
    var events: [Event] = []
    for _ in 0..<1 + random.below(3) {
      events = shuffle(events, tell())
      // Now and then one after the other, so that pages and locks are used again.
      if random.oneIn(2) { events += tell() }
    }
    if random.oneIn(2) { events.append(Event(.quiesce, time: 0)) }
    for _ in 0..<[0, 1, 1, 2, 3, 5][random.below(6)] { damage(&events) }
    if random.oneIn(12) { events.removeFirst(min(events.count, random.below(8))) }
    if random.oneIn(12) { events.removeLast(min(events.count, random.below(8))) }
    for index in events.indices { events[index].time = UInt64(index) }
    return events
  }

  /// Both stories as one, each in its own order.
  private mutating func shuffle(_ one: [Event], _ other: [Event]) -> [Event] {
    var result: [Event] = []
    var left = one[...]
    var right = other[...]
    while !left.isEmpty || !right.isEmpty {
      let takesLeft = right.isEmpty || !left.isEmpty && random.oneIn(2)
      for _ in 0..<1 + random.below(4) {
        if let event = takesLeft ? left.popFirst() : right.popFirst() { result.append(event) }
      }
    }
    return result
  }

  // MARK: - Universe

  private static let batches: [UInt64] = [0xb100, 0xb200]
  private static let mms: [UInt64] = [0xaa00, 0xbb00]
  private static func lock(of pfn: UInt64) -> UInt64 { 0xe000 + pfn % 2 * 0x40 }
  private static func gather(of task: UInt32) -> UInt64 { 0x9000 + UInt64(task) }
  private static func mm(of pfn: UInt64) -> UInt64 { mms[Int(pfn / 4) % 2] }
  /// Tables 1 and 2 hang below table 3, a PMD table, which hangs below a PGD.
  private static func entry(of pfn: UInt64) -> UInt64 {
    pfn < 3 ? 0x3000 + pfn * 8 : 0x7000 + pfn * 8
  }
  private static func level(of pfn: UInt64) -> TableLevel {
    [.unknown, .pte, .pte, .pmd, .pte, .pgd][Int(pfn) % 6]
  }

  // MARK: - Telling

  private mutating func emit(
    _ kind: EventKind, _ object: UInt64 = 0, _ arg0: UInt64 = 0, _ arg1: UInt64 = 0
  ) {
    let isTable = kind.fields.space == .table
    story.append(
      Event(
        kind, time: 0, cpu: cpu, task: task, context: context, object: object, arg0: arg0,
        arg1: arg1, level: isTable ? Self.level(of: object) : .unknown))
  }

  private mutating func elsewhere(
    cpu: UInt16, task: UInt32, context: ExecutionContext, _ body: (inout Self) -> Void
  ) {
    let before = (self.cpu, self.task, self.context)
    (self.cpu, self.task, self.context) = (cpu, task, context)
    body(&self)
    (self.cpu, self.task, self.context) = before
  }

  /// One story, told by one of two tasks.
  private mutating func tell() -> [Event] {
    story = []
    cpu = UInt16(random.below(2))
    task = 100 + UInt32(cpu)
    context = .task
    let pfn = UInt64(1 + random.below(3))
    switch random.below(20) {
    case 0..<3: batchLife([pfn], early: random.oneIn(2))
    case 3..<6: batchLife([1, 2], early: random.oneIn(3))
    case 6, 7: pageLife(pfn)
    case 8..<11: fallbackLife(pfn)
    case 11: deferredLife(pfn)
    case 12: shortLife(pfn)
    case 13, 14: reader(pfn)
    case 15: readerAcross(pfn)
    case 16: callbackAlone()
    case 17: space()
    case 18: lockAlone(pfn)
    default: rest(pfn)
    }
    return story
  }

  private mutating func birth(_ pfn: UInt64, locked: Bool) {
    emit(.tableAlloc, pfn, Self.mm(of: pfn))
    emit(.tableZero, pfn)
    if locked { emit(.lockAlloc, Self.lock(of: pfn), pfn) }
    emit(.tableConstruct, pfn, Self.mm(of: pfn), 1)
    emit(.tableInstall, pfn, Self.mm(of: pfn), Self.entry(of: pfn))
  }

  private mutating func destruct(_ pfn: UInt64, locked: Bool) {
    if locked { emit(.lockFree, Self.lock(of: pfn), random.oneIn(4) ? 0 : pfn) }
    emit(.tableTypeClear, pfn)
    emit(.tableDestruct, pfn, 0, UInt64(bitPattern: -1))
  }

  private mutating func unlink(_ pfn: UInt64) {
    emit(.tableUnlink, pfn, Self.mm(of: pfn), Self.entry(of: pfn))
  }

  private mutating func free(_ pfn: UInt64) {
    let functions: [FreeFunction] = [.pagetableFree, .pagetableFree, .freePagesAndSwapCache]
    emit(.tableFree, pfn, UInt64(functions[random.below(3)].rawValue))
  }

  private mutating func flush(_ mm: UInt64, by route: FlushRoute = .firmware) {
    emit(.flushStart, mm, 0, .max)
    emit(.flushCPUs, mm, 0b11, UInt64(route.rawValue))
    if route == .interrupt {
      for cpu: UInt16 in 0..<2 {
        elsewhere(cpu: cpu, task: 100 + UInt32(cpu), context: .hardirq) { $0.emit(.flushAck, mm) }
      }
    }
    emit(.flushEnd, mm, 0, .max)
  }

  private mutating func gracePeriod() {
    sequence += 4
    let sequence = sequence + UInt64(random.below(2)) * 4
    elsewhere(cpu: 1, task: 15, context: .kthread) {
      $0.emit(.gracePeriodStart, sequence | 1)
      $0.emit(.gracePeriodEnd, sequence | 1)
    }
  }

  private mutating func callback(
    _ head: UInt64, _ function: CallbackFunction, load: UInt64, _ body: (inout Self) -> Void
  ) {
    let isThread = random.oneIn(4)
    elsewhere(cpu: cpu, task: isThread ? 20 : task, context: isThread ? .kthread : .softirq) {
      $0.emit(.callbackStart, head, UInt64(function.rawValue), load)
      body(&$0)
      $0.emit(.callbackEnd, $0.random.oneIn(4) ? 0 : head, UInt64(function.rawValue))
    }
  }

  // MARK: - Lives

  private mutating func batchLife(_ pfns: [UInt64], early: Bool) {
    let locked = random.oneIn(2)
    let head = Self.batches[random.below(2)]
    for pfn in pfns { birth(pfn, locked: locked) }
    let gather = Self.gather(of: task)
    emit(.gatherStart, gather, Self.mm(of: pfns[0]))
    emit(.mmFlushPending, Self.mm(of: pfns[0]), 1)
    for pfn in pfns {
      if random.oneIn(6) { emit(.tableReclaim, pfn, 0, 0) }
      unlink(pfn)
      if early { destruct(pfn, locked: locked) }
      if pfn == pfns[0] { emit(.batchNew, head, 9, gather) }
      emit(.tableQueueBatch, pfn, gather, Self.mm(of: pfn))
      emit(.batchAdd, pfn, head, UInt64(pfn == pfns[0] ? 0 : 1))
    }
    flush(Self.mm(of: pfns[0]))
    emit(
      .callRCU, head, UInt64(CallbackFunction.removeTableBatch.rawValue), UInt64(pfns.count))
    emit(.mmFlushPending, Self.mm(of: pfns[0]), UInt64(bitPattern: -1))
    emit(.gatherFinish, gather, Self.mm(of: pfns[0]))
    gracePeriod()
    callback(head, .removeTableBatch, load: UInt64(pfns.count)) {
      for pfn in pfns {
        if !early { $0.destruct(pfn, locked: locked) }
        $0.free(pfn)
      }
      $0.emit(.batchFree, head, 9)
    }
  }

  private mutating func pageLife(_ pfn: UInt64) {
    let locked = random.oneIn(2)
    birth(pfn, locked: locked)
    emit(.gatherStart, Self.gather(of: task), Self.mm(of: pfn))
    unlink(pfn)
    destruct(pfn, locked: locked)
    emit(.tableQueuePage, pfn, Self.gather(of: task), Self.mm(of: pfn))
    flush(Self.mm(of: pfn), by: random.oneIn(3) ? .firmware : .interrupt)
    free(pfn)
    emit(.gatherFinish, Self.gather(of: task), Self.mm(of: pfn))
  }

  private mutating func fallbackLife(_ pfn: UInt64) {
    let locked = random.oneIn(2)
    birth(pfn, locked: locked)
    unlink(pfn)
    emit(.tableQueueBatch, pfn, Self.gather(of: task), Self.mm(of: pfn))
    emit(.batchFail, Self.gather(of: task), Self.mm(of: pfn))
    flush(Self.mm(of: pfn))
    emit(.tableFallback, pfn, Self.gather(of: task))
    switch random.below(3) {
    case 0:
      emit(.ipiSyncStart, 0, random.oneIn(2) ? 0 : UInt64(2 - cpu))
      elsewhere(cpu: 1 - cpu, task: 0, context: .hardirq) { $0.emit(.ipiSyncAck) }
      emit(.ipiSyncEnd)
    case 1:
      emit(.synchronizeStart)
      if random.oneIn(2) { gracePeriod() }
      emit(.synchronizeEnd)
    default:
      emit(.callRCU, 0xc000 + pfn, UInt64(CallbackFunction.removeTableOne.rawValue), pfn)
      gracePeriod()
      return callback(0xc000 + pfn, .removeTableOne, load: pfn) {
        $0.destruct(pfn, locked: locked)
        $0.free(pfn)
      }
    }
    destruct(pfn, locked: locked)
    free(pfn)
  }

  private mutating func deferredLife(_ pfn: UInt64) {
    let locked = random.oneIn(2)
    birth(pfn, locked: locked)
    unlink(pfn)
    flush(Self.mm(of: pfn))
    emit(.tableDefer, pfn, Self.mm(of: pfn))
    emit(.callRCU, 0xc000 + pfn, UInt64(CallbackFunction.freeDeferred.rawValue), pfn)
    gracePeriod()
    callback(0xc000 + pfn, .freeDeferred, load: pfn) {
      $0.destruct(pfn, locked: locked)
      $0.free(pfn)
    }
  }

  /// Endings without a queue: a lost race, a failed constructor, a deposit, a PGD, a kernel table.
  private mutating func shortLife(_ pfn: UInt64) {
    let which = random.below(5)
    let pfn = which == 3 ? 5 : pfn
    let start = story.count
    emit(.tableAlloc, pfn, Self.mm(of: pfn))
    if which != 1 {
      emit(.tableZero, pfn)
      emit(.tableConstruct, pfn, Self.mm(of: pfn), 1)
    }
    if which == 2 {
      emit(.tableDeposit, pfn, Self.mm(of: pfn))
      emit(.tableWithdraw, pfn, Self.mm(of: pfn))
    }
    if which == 4 {
      emit(.tableInstall, pfn, Self.mm(of: pfn), Self.entry(of: pfn))
      unlink(pfn)
    }
    if which != 1 { destruct(pfn, locked: false) }
    free(pfn)
    if which == 4 {
      for index in start..<story.count { story[index].flags.insert(.kernelTable) }
    }
  }

  private mutating func reader(_ pfn: UInt64) {
    let section = UInt64(1 + random.below(2))
    let readerClass = ReaderClass.allCases[1 + random.below(5)]
    let lock = Self.lock(of: pfn)
    emit(.readerEnter, section, UInt64(readerClass.rawValue), Self.mm(of: pfn))
    if random.oneIn(4) { emit(.hardwareLoad, pfn, Self.mm(of: pfn)) }
    emit(.readerLoad, pfn, section)
    if readerClass.mayTakeLock {
      if random.oneIn(2) { emit(.lockWait, lock, section, pfn) }
      emit(.lockAcquire, lock, section, pfn)
      emit(.readerRecheck, pfn, section, random.oneIn(5) ? 0 : 1)
      emit(.readerAccess, pfn, section, UInt64(random.below(2)))
      emit(.lockRelease, lock, section, pfn)
    } else {
      emit(.readerAccess, pfn, section, 0)
      if readerClass == .gupFast {
        emit(.readerPin, pfn, section)
        emit(.readerRecheck, pfn, section, 1)
      }
    }
    if random.oneIn(4) { emit(.hardwareAccess, pfn, Self.mm(of: pfn)) }
    emit(.readerExit, section, UInt64(readerClass.rawValue))
  }

  /// A reader that holds a table over the end of its life, and over the next.
  private mutating func readerAcross(_ pfn: UInt64) {
    let section = UInt64(1 + random.below(2))
    let readerClass = ReaderClass.allCases[1 + random.below(5)]
    birth(pfn, locked: true)
    emit(.readerEnter, section, UInt64(readerClass.rawValue), Self.mm(of: pfn))
    emit(.readerLoad, pfn, section)
    unlink(pfn)
    if random.oneIn(2) { emit(.readerExit, section, UInt64(readerClass.rawValue)) }
    flush(Self.mm(of: pfn))
    destruct(pfn, locked: true)
    free(pfn)
    birth(pfn, locked: random.oneIn(2))
    if random.oneIn(2) { emit(.lockAcquire, Self.lock(of: pfn), section, pfn) }
    if random.oneIn(2) { emit(.readerAccess, pfn, section, 1) }
    emit(.readerExit, section, UInt64(readerClass.rawValue))
  }

  /// A head of something else, and those who wait for it.
  private mutating func callbackAlone() {
    let head = Self.batches[random.below(2)]
    emit(.callRCU, head)
    if random.oneIn(2) { emit(.barrierStart) }
    gracePeriod()
    if random.oneIn(4) { emit(.callbacksSpliced, 0, UInt64(random.below(2))) }
    callback(head, .other, load: 0) { _ in }
    if random.oneIn(2) { emit(.barrierEnd) }
  }

  private mutating func space() {
    let mm = Self.mms[random.below(2)]
    emit(.mmNew, mm)
    for delta: Int64 in [4096, 4096, -4096, -4096] { emit(.mmBytes, mm, UInt64(bitPattern: delta)) }
    emit(.mmFree, mm)
  }

  private mutating func lockAlone(_ pfn: UInt64) {
    let lock = Self.lock(of: pfn)
    emit(.lockAlloc, lock, pfn)
    for _ in 0..<random.below(3) {
      emit(.lockWait, lock, 0, pfn)
      emit(.lockAcquire, lock, 0, pfn)
      if random.oneIn(4) {
        emit(.synchronizeStart)
        emit(.synchronizeEnd)
      }
      emit(.lockRelease, lock, 0, pfn)
    }
    emit(.lockFree, lock, pfn)
  }

  private mutating func rest(_ pfn: UInt64) {
    switch random.below(4) {
    case 0: flush(Self.mms[random.below(2)])
    case 1: gracePeriod()
    case 2: emit(.pageReuse, pfn)
    default:
      emit(.loss, 0, 3)
      for _ in 0..<random.below(3) { flush(Self.mms[0]) }
      emit(.lossEnd)
    }
  }

  // MARK: - Breaking

  private mutating func damage(_ events: inout [Event]) {
    guard !events.isEmpty else { return }
    let index = random.below(events.count)
    switch random.below(10) {
    case 0, 1: events.remove(at: index)
    case 2: events.insert(events[index], at: random.below(events.count + 1))
    case 3, 4:
      let event = events.remove(at: index)
      events.insert(event, at: random.below(events.count + 1))
    case 5:
      let other = events[random.below(events.count)]
      if other.kind.fields.space == events[index].kind.fields.space {
        events[index].object = other.object
      }
    case 6:
      events[index].cpu = 1 - min(events[index].cpu, 1)
      if random.oneIn(2) { events[index].task = 100 + UInt32(events[index].cpu) }
    case 7:
      // Something quite different about the same table.
      guard events[index].kind.fields.space == .table else { return }
      events[index].kind =
        events.filter { $0.kind.fields.space == .table }
        .randomElement(using: &random)!.kind
      if events[index].kind.fields.arg0.type == .none { events[index].arg0 = 0 }
      if events[index].kind.fields.arg1.type == .none { events[index].arg1 = 0 }
    case 8: hole(&events)
    default: spoil(&events[index])
    }
  }

  private mutating func hole(_ events: inout [Event]) {
    let cpu = random.oneIn(4) ? Event.allCPUs : UInt16(random.below(2))
    let first = random.below(events.count + 1)
    events.insert(Event(.loss, time: 0, cpu: cpu, arg0: 3), at: first)
    guard !random.oneIn(4) else { return }
    let last = first + 1 + random.below(min(4, events.count - first))
    events.insert(Event(.lossEnd, time: 0, cpu: cpu), at: last)
  }

  /// A wrong argument.
  private mutating func spoil(_ event: inout Event) {
    switch event.kind {
    case .tableConstruct, .tableDestruct, .mmBytes, .mmFlushPending:
      event.kind == .mmBytes ? (event.arg0 &+= 4096) : (event.arg1 &+= 1)
    case .flushCPUs: event.arg0 = 0b111
    case .callRCU, .callbackStart: event.arg1 = UInt64(random.below(4))
    case .batchAdd: event.arg1 &+= 1
    case .tableReclaim: event = with(event) { $0.arg1 = 3 }
    case .readerRecheck, .readerAccess: event.arg1 ^= 1
    case .gracePeriodStart, .gracePeriodEnd: event.object = UInt64(1 + random.below(4)) << 2 | 1
    case .tableAlloc, .tableInstall: event.level = .pud
    case .ipiSyncStart, .synchronizeStart: event.context = .softirq
    default: break
    }
  }

  private func with(_ event: Event, _ change: (inout Event) -> Void) -> Event {
    var event = event
    change(&event)
    return event
  }
}
