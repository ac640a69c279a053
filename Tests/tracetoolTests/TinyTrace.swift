import Foundation
import TraceFormat

/// A trace written by hand: one table's life as before the patch, a loss, a mark, and one event
/// of every other kind, so that every way to print something is seen once.
enum TinyTrace {
  static let table: UInt64 = 0x8a1f3
  static let lock: UInt64 = 0xff60_0000_0173_b0c0
  static let batch: UInt64 = 0xff60_0000_0204_5000
  static let mm: UInt64 = 0xff60_0000_0155_aa00

  /// Writes it into `scratch` and returns its path.
  static func write(into scratch: Scratch) throws -> String {
    let path = scratch.path("tiny.ptt")
    var header = TraceHeader(
      source: "hand", producer: "a test", cpus: 2, clock: .nanoseconds("mono"))
    header.stage = "S1.sbi"
    header.kernel = "6.12.0-tiny"
    header.arch = "riscv64"
    header.workload = "one munmap"
    header.options = ["mode": "sv39", "transport": "sbi"]
    header.capabilities[.tableAlloc] = .sure
    header.capabilities[.tableUnlink] = .inferred
    header.capabilities[.tableDestruct] = .mayMiss
    header.capabilities[.tableWithdraw] = .sure
    header.capabilities.misses = ["pt_dtor": 3]
    header.capabilities.missesAreCumulative = true
    header.capabilities.reasons = ["pt_dtor": "the probe was missed"]
    header.counts = ["lines": 40, "lines not understood": 2]
    header.remarks = ["3 pt_dtor probe hits were missed"]

    let writer = try TraceWriter(path: path, header: header)
    try writer.setTaskName("munmap test", of: 71)
    let story = try writer.addString("a \"story\" with a\nline break")
    for event in life + [Event(.mark, time: 2_000_000_100, cpu: 1, object: story)] {
      try writer.append(event)
    }
    let seen = Set(life.map(\.kind) + [.mark])
    for kind in EventKind.allCases where !seen.contains(kind) {
      try writer.append(
        Event(
          kind, time: 2_000_000_200 + UInt64(kind.rawValue), cpu: 0, task: 14, context: .kthread,
          object: kind.fields.space == .table ? table : 0x40, arg0: 1, arg1: 2))
    }
    try writer.append(
      Event(
        .loss, time: 2_100_000_000, cpu: Event.allCPUs,
        object: UInt64(LossCause.lostEvents.rawValue), arg0: Event.unknownCount))
    try writer.finish()
    return path
  }

  private static var life: [Event] {
    let callback = UInt64(CallbackFunction.removeTableBatch.rawValue)
    let deferred = UInt64(CallbackFunction.freeDeferred.rawValue)
    let minusOne = UInt64(bitPattern: -1)
    return [
      Event(
        .loss, time: 1_999_000_000, cpu: 1, object: UInt64(LossCause.overrun.rawValue), arg0: 17),
      Event(.lossEnd, time: 1_999_000_001, cpu: 1, object: UInt64(LossCause.overrun.rawValue)),
      Event(.tableAlloc, time: 1_999_999_999, cpu: 1, task: 71, object: table, arg0: mm),
      Event(.lockAlloc, time: 2_000_000_000, cpu: 1, task: 71, object: lock, arg0: table),
      Event(
        .tableConstruct, time: 2_000_000_001, cpu: 1, task: 71, object: table, arg0: mm, arg1: 1,
        level: .pte),
      Event(
        .tableUnlink, time: 2_000_000_002, cpu: 1, task: 71, object: table, arg0: mm,
        arg1: 0xff60_0000_0173_b000, level: .pte, flags: .inferred),
      Event(.lockFree, time: 2_000_000_003, cpu: 1, task: 71, object: lock, arg0: table),
      Event(.tableDestruct, time: 2_000_000_004, cpu: 1, task: 71, object: table, arg1: minusOne),
      Event(
        .callRCU, time: 2_000_000_005, cpu: 1, task: 71, object: batch, arg0: callback, arg1: 1),
      Event(.gracePeriodStart, time: 2_000_000_006, cpu: 0, object: minusOne << 3),
      Event(
        .callbackStart, time: 2_000_000_007, cpu: 1, context: .softirq, object: batch,
        arg0: callback, arg1: 1),
      Event(
        .tableFree, time: 2_000_000_008, cpu: 1, context: .softirq, object: table,
        arg0: UInt64(FreeFunction.freePageAndSwapCache.rawValue)),
      Event(.tableAlloc, time: 2_000_000_009, cpu: 1, task: 71, object: table, flags: .kernelTable),
      Event(
        .callRCU, time: 2_000_000_010, cpu: 1, task: 71, object: batch + 8, arg0: deferred,
        arg1: table),
    ]
  }
}
