@testable import Simulator
import Testing
import TraceFormat

@Suite struct MmuGatherTests {
  /// One task that maps a gigabyte, one page per PTE table, and unmaps it.
  private struct Gigabyte: Workload {
    let name = "gigabyte"
    let summary = "one task maps and unmaps a gigabyte"

    func start(on machine: Machine) {
      let mm = machine.createAddressSpace()
      let map = Map(mm, bytes: 1 << 30, alignment: 1 << 30)
      machine.spawn(
        "gigabyte", mm: mm, cpu: 0, program: Steps([map, UnmapMapped(map, mm), Exit()]))
    }
  }

  private func run(_ stage: String) throws -> [Event] {
    let sink = EventArray(
      header: TraceHeader(
        source: "test", producer: "test", cpus: 2, clock: .nanoseconds("simulated")))
    let machine = Machine(
      stage: try Stage(named: stage), mode: .sv39, cpus: 2, seed: 1, targetEvents: 0,
      splitPtlock: true, schedule: RandomSchedule(seed: 1), sink: sink)
    try machine.run(Gigabyte())
    return sink.events
  }

  @Test(arguments: ["S1.sbi", "S3.sbi", "S4.ipi"])
  func aGigabyteIsTwoCallbacks(stage: String) throws {
    let events = try run(stage)
    let munmap = events.prefix { $0.kind != .intentExit }
    let loads = munmap.filter { $0.kind == .callRCU }.map(\.arg1)
    #expect(loads == [509, 4])
    #expect(munmap.filter { $0.kind == .tableQueueBatch }.count == 513)
    #expect(Audit(events).complaints.isEmpty)
  }

  /// Every invalidation is complete before the batch it covers goes to RCU.
  @Test func aFullBatchIsInvalidatedFirst() throws {
    let events = try run("S3.sbi")
    var queuedSinceFlush = 0
    for event in events {
      switch event.kind {
      case .tableQueueBatch: queuedSinceFlush += 1
      case .flushStart: queuedSinceFlush = 0
      case .callRCU: #expect(queuedSinceFlush == 0)
      default: break
      }
    }
  }

  @Test func thePageGatherGrowsByPages() {
    var gather = PageGather()
    var pages: UInt64 = 0
    var full: [Int] = []
    for index in 1...12_000 {
      let mustFlush = gather.add(.data(pfn: 1)) {
        pages += 1
        return pages
      }
      if mustFlush {
        full.append(index)
        break
      }
    }
    // One slot of each page stays empty: 7 + 19 × 509.
    #expect(full == [7 + 19 * 509])
    #expect(pages == 19)
    #expect(gather.takeEntries().count == 9_678)
    #expect(gather.slotPages.count == 19)
  }

  @Test func withoutMemoryTheEmbeddedSlotsMustDo() {
    var gather = PageGather()
    let results = (1...7).map { _ in gather.add(.data(pfn: 1)) { nil } }
    #expect(results == [false, false, false, false, false, false, true])
    #expect(gather.takeEntries().count == 7)
    let refill = gather.add(.data(pfn: 1)) { nil }
    #expect(!refill)
  }
}
