import Simulator
import Testing
import TraceFormat

@Suite struct ConservationTests {
  static let stages = Stage.all + Stage.variants

  @Test(arguments: stages, Workloads.names)
  func everythingAddsUp(stage: Stage, workload: String) throws {
    for seed in UInt64(1)...2 {
      let trace = try simulate(stage, workload, seed: seed)
      let audit = Audit(trace.events)
      #expect(audit.complaints.isEmpty, "seed \(seed)")
      #expect(trace.events.count >= 5_000)
      #expect(audit.counts[.readerAccess, default: 0] > 100, "seed \(seed)")
      #expect(audit.counts[.lockAcquire, default: 0] > 100, "seed \(seed)")
      #expect(audit.neverInstalled > 0, "seed \(seed)")
      if stage.path(of: .pte) == .table {
        #expect(audit.counts[.callRCU, default: 0] > 3, "seed \(seed)")
        #expect(audit.counts[.tableQueuePage] == nil)
      } else {
        // Only `pte_free_defer()` is RCU on every stage.
        #expect(audit.counts[.callRCU] == audit.counts[.tableDefer])
        #expect(audit.counts[.tableQueueBatch] == nil)
      }
      let acks = audit.counts[.flushAck, default: 0]
      #expect(stage.transport == .ipi ? acks > 0 : acks == 0, "seed \(seed)")
    }
  }

  @Test(arguments: PagingMode.allCases, [1, 2, 7, 64])
  func everyModeAndSizeAddsUp(mode: PagingMode, cpus: Int) throws {
    for workload in Workloads.names where cpus > 1 || workload != "reclaim-race" {
      for name in ["S1.sbi", "S3.ipi", "S4.ipi"] {
        let trace = try simulate(
          Stage(named: name), workload, seed: 5, events: 3_000, cpus: cpus, mode: mode)
        #expect(Audit(trace.events).complaints.isEmpty, "\(name) \(workload)")
        let levels = Set(trace.events.map(\.level))
        #expect(levels == Set([.unknown, .pgd] + mode.levels))
      }
    }
  }

  @Test(arguments: stages)
  func fallbacksHappenUnderPressureOnTheTablePathOnly(stage: Stage) throws {
    for seed in UInt64(1)...3 {
      let trace = try simulate(stage, "memory-pressure", seed: seed, events: 40_000)
      let audit = Audit(trace.events)
      #expect(audit.complaints.isEmpty, "seed \(seed)")
      if stage.path(of: .pte) == .table {
        let queued = audit.counts[.tableQueueBatch, default: 0]
        #expect(audit.fallbacks >= 5, "seed \(seed)")
        #expect(audit.fallbacks * 5 < queued, "seed \(seed)")
        #expect(audit.counts[.batchFail] == audit.fallbacks)
      } else {
        #expect(audit.fallbacks == 0)
      }
    }
  }

  @Test func withoutPressureNothingFallsBack() throws {
    for workload in Workloads.names where workload != "memory-pressure" {
      let audit = Audit(try simulate(Stage(named: "S4"), workload).events)
      #expect(audit.fallbacks == 0)
    }
  }

  @Test func aParentIsSometimesFreedBeforeItsChild() throws {
    var count = 0
    for seed in UInt64(1)...10 {
      let trace = try simulate(
        Stage(named: "S3.sbi"), "munmap-churn", seed: seed, events: 30_000)
      count += Audit(trace.events).parentFreedFirst
    }
    #expect(count > 0)
  }

  @Test func embeddedLocksLeaveNoLockEvents() throws {
    for workload in Workloads.names {
      let trace = try simulate(Stage(named: "S1.sbi"), workload, splitPtlock: false)
      #expect(Audit(trace.events).complaints.isEmpty)
      #expect(!trace.events.contains { $0.kind.fields.space == .lock })
      #expect(trace.header.capabilities[.lockFree] == nil)
    }
  }
}
