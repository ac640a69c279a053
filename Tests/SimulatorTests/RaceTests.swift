import Simulator
import Testing
import TraceFormat

/// Column R of kernel-facts §6 for the batch and page paths.
@Suite struct RaceTests {
  static let byTheBook = Stage.all + Stage.variants

  @Test(arguments: byTheBook, ["munmap-churn", "fork-exit", "gup-stress", "memory-pressure"])
  func unreachableTablesAreNeverTouched(stage: Stage, workload: String) throws {
    for seed in UInt64(1)...2 {
      let trace = try simulate(stage, workload, seed: seed, events: 5_000)
      let races = RaceCount(trace.events)
      #expect(races.all == [0, 0, 0, 0, 0], "seed \(seed)")
    }
  }

  @Test(arguments: ["S0a", "S0b", "S0b.sbi", "S1.ipi", "S3.ipi"])
  func pagePathLosesContentAndLock(name: String) throws {
    for seed in UInt64(1)...10 {
      let trace = try simulate(Stage(named: name), "reclaim-race", seed: seed, events: 1_000)
      let races = RaceCount(trace.events)
      #expect(races.all.allSatisfy { $0 >= 2 }, "seed \(seed): \(races.all)")
      #expect(!races.classes.contains(UInt64(ReaderClass.gupFast.rawValue)), "seed \(seed)")
    }
  }

  @Test(arguments: ["S1.sbi", "S2h", "S2h.sbi"])
  func earlyDestructorLosesTheLockOnly(name: String) throws {
    for seed in UInt64(1)...10 {
      let trace = try simulate(Stage(named: name), "reclaim-race", seed: seed, events: 1_000)
      let races = RaceCount(trace.events)
      #expect(races.content == 0 && races.pageReallocated == 0, "seed \(seed): \(races.all)")
      #expect(races.deadLock >= 2, "seed \(seed)")
      #expect(races.heldAtFree >= 2, "seed \(seed)")
      #expect(races.lockReallocated >= 2, "seed \(seed)")
    }
  }

  @Test(arguments: ["S3.sbi", "S3g", "S4", "S4.ipi", "S5", "S6", "S6.sync", "S6.ipi"])
  func lateDestructorLosesNothing(name: String) throws {
    for seed in UInt64(1)...10 {
      let trace = try simulate(Stage(named: name), "reclaim-race", seed: seed, events: 3_000)
      #expect(RaceCount(trace.events).all == [0, 0, 0, 0, 0], "seed \(seed)")
    }
  }

  @Test func twoCPUsAreEnough() throws {
    for seed in UInt64(1)...10 {
      let bad = try simulate(
        Stage(named: "S1.ipi"), "reclaim-race", seed: seed, events: 0, cpus: 2)
      #expect(RaceCount(bad.events).all.allSatisfy { $0 >= 1 }, "seed \(seed)")
    }
  }

  /// Readers of class G really meet tables that are being unmapped.
  @Test func fastGUPRacesWithUnmap() throws {
    var met = 0
    for seed in UInt64(1)...4 {
      met += try meetings(
        simulate(Stage(named: "S3.sbi"), "gup-stress", seed: seed, events: 20_000))
    }
    #expect(met > 0)
  }

  private func meetings(_ trace: EventArray) -> Int {
    var open: [UInt64: Set<UInt64>] = [:]
    var met = 0
    for event in trace.events {
      switch event.kind {
      case .readerEnter where event.arg0 == UInt64(ReaderClass.gupFast.rawValue):
        open[event.object] = []
      case .readerExit: open[event.object] = nil
      case .readerLoad: open[event.arg0]?.insert(event.object)
      case .tableUnlink where open.values.contains { $0.contains(event.object) }: met += 1
      default: break
      }
    }
    return met
  }
}
