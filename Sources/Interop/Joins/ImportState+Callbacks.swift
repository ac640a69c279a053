import TraceFormat

extension ImportState {
  /// `call_rcu()` and the callbacks, each with up to two witnesses that give one event.
  mutating func takeCallback(_ probe: Probe) throws {
    switch probe {
    case .callRCU, .callRCUTracepoint: try called(isTracepoint: probe == .callRCUTracepoint)
    case .batchCallback: try began(.removeTableBatch, isTracepoint: false)
    case .freeNow: try began(.freeDeferred, isTracepoint: false)
    case .oneCallback: try began(.removeTableOne, isTracepoint: false)
    case .invokeCallback: try began(callbackFunction(), isTracepoint: true)
    case .batchCallbackReturn: try ended(.removeTableBatch)
    case .freeNowReturn: try ended(.freeDeferred)
    default: try ended(.removeTableOne)
    }
  }

  private mutating func callbackFunction() -> CallbackFunction { Symbol.callback(event[.function]) }

  /// Load of a callback for one table: the head lies 8 bytes into the table's descriptor.
  private mutating func soleTable(_ head: UInt64) -> UInt64 { facts.pageMap.pfn(head &- 8) ?? 0 }

  private mutating func called(isTracepoint: Bool) throws {
    let function = callbackFunction()
    guard function != .other, let head = event[.head] else { return }
    if isTracepoint, tasks[task].calledHead == head {
      tasks[task].calledHead = 0
      return
    }
    tasks[task].calledHead = isTracepoint ? 0 : head
    var load = soleTable(head)
    if function == .removeTableBatch {
      load = event[.nr] ?? tasks[task].queued
      tasks[task].queued = 0
    }
    heads[head] = HeadRecord(function: function, load: load)
    try emit(.callRCU, head, UInt64(function.rawValue), load)
  }

  private mutating func began(_ function: CallbackFunction, isTracepoint: Bool) throws {
    guard let head = event[.head] else { return badValues += 1 }
    if let announced = cpus[cpu].announced, announced.object != head { try announce(cpu) }
    if let open = cpus[cpu].callback {
      let isRepeated = isTracepoint ? open.sawTracepoint : open.sawProbe
      if open.head == head, open.pid == event.pid, !isRepeated {
        cpus[cpu].callback!.sawProbe = true
        cpus[cpu].callback!.sawTracepoint = true
        return
      }
      try endCallback(cpu, open, inferred: true)
    }
    guard function != .other else { return }
    var load = heads[head]?.load
    if function != .removeTableBatch {
      load = soleTable(head)
    } else if !isTracepoint {
      load = event[.nr] ?? load
    }
    let name = UInt64(function.rawValue)
    if isTracepoint, load == nil, facts.hasBatchCallback {
      cpus[cpu].announced = Event(
        .callbackStart, time: event.time, cpu: event.cpu, task: event.pid, context: inCallback(),
        object: head, arg0: name)
      cpus[cpu].announcedInSoftirq = event.interrupt == 0x73
      return
    }
    try start(head, function, load ?? 0, isTracepoint: isTracepoint)
  }

  /// Context of the callback that starts: a softirq unless a kernel thread runs it.
  private mutating func inCallback() -> ExecutionContext {
    context == .kthread ? .kthread : .softirq
  }

  private mutating func start(
    _ head: UInt64, _ function: CallbackFunction, _ load: UInt64, isTracepoint: Bool
  ) throws {
    let sawTracepoint = isTracepoint || cpus[cpu].announced != nil
    cpus[cpu].announced = nil
    heads[head] = nil
    context = inCallback()
    cpus[cpu].callback = CPURecord.Callback(
      head: head, function: function, load: load, pid: event.pid, isThread: context == .kthread,
      showsSoftirq: event.interrupt == 0x73, sawProbe: !isTracepoint, sawTracepoint: sawTracepoint)
    try emit(.callbackStart, head, UInt64(function.rawValue), load)
  }

  /// Writes the start of a callback whose probe did not follow its trace point.
  mutating func announce(_ cpu: Int) throws {
    guard let start = cpus[cpu].announced else { return }
    cpus[cpu].announced = nil
    heads[start.object] = nil
    cpus[cpu].callback = CPURecord.Callback(
      head: start.object, function: start.callbackFunction,
      load: 0, pid: start.task, isThread: start.context == .kthread,
      showsSoftirq: cpus[cpu].announcedInSoftirq, sawProbe: false,
      sawTracepoint: true)
    try write(start)
  }

  private mutating func ended(_ function: CallbackFunction) throws {
    context = inCallback()
    guard let open = cpus[cpu].callback else {
      try emit(.callbackEnd, 0, UInt64(function.rawValue))
      return
    }
    let isThis = open.function == function && open.pid == event.pid
    try endCallback(cpu, open, inferred: !isThis)
    if !isThis { try emit(.callbackEnd, 0, UInt64(function.rawValue)) }
  }

  /// Ends the callback that runs on `cpu`.
  mutating func endCallback(
    _ cpu: Int, _ open: CPURecord.Callback, inferred: Bool
  ) throws {
    cpus[cpu].callback = nil
    try write(
      Event(
        .callbackEnd, time: event.time, cpu: UInt16(cpu), task: open.pid,
        context: open.isThread ? .kthread : .softirq, object: open.head,
        arg0: UInt64(open.function.rawValue), flags: inferred ? .inferred : []))
  }
}
