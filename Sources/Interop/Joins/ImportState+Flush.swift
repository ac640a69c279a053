import TraceFormat

extension ImportState {
  /// TLB invalidation and the sync IPI.
  mutating func takeFlush(_ probe: Probe) throws {
    switch probe {
    case .flush: try flushBegan()
    case .flushReturn:
      let open = tasks[task].flush
      tasks[task].flush = nil
      guard let mm = open?.object ?? event[.mm] else { return }
      try emit(.flushEnd, mm, open?.arg0 ?? 0, open?.arg1 ?? 0)
    case .flushHere:
      guard let mm = event[.mm] else { return }
      try emit(.flushAck, mm)
    case .sync:
      tasks[task].isSyncing = true
      try emit(.ipiSyncStart)
    case .syncReturn:
      tasks[task].isSyncing = false
      syncs += 1
      try emit(.ipiSyncEnd)
    case .syncAck: try emit(.ipiSyncAck)
    case .syncCall:
      // smp_call_function() inside tlb_remove_table_sync_one(): a second witness.
      guard event[.function] == Symbol.syncHandler, !tasks[task].isSyncing else { return }
      try emit(.ipiSyncStart)
    case .syncRCU: try emit(.synchronizeStart)
    case .syncRCUReturn: try emit(.synchronizeEnd)
    default: break
    }
  }

  private mutating func flushBegan() throws {
    guard let mm = event[.mm], let start = event[.start] else { return badValues += 1 }
    var size = event[.size] ?? UInt64.max
    if let end = event[.end], end != UInt64.max { size = end &- start }
    try emit(.flushStart, mm, start, size)
    tasks[task].flush = Event(
      .flushEnd, time: event.time, cpu: event.cpu, task: event.pid, context: context, object: mm,
      arg0: start, arg1: size)
  }
}
