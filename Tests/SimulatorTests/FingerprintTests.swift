import Replay
import Simulator
import Testing
import TraceFormat

/// A run of a stage behaves like that stage, and like no stage that frees its tables otherwise.
///
/// Verifies the rules against the simulator. Not verified here: reclaim on stages without
/// PT_RECLAIM, which only a simulator can do (`reclaim-race`).
@Suite struct FingerprintTests {
  /// Every stage, by the row that describes it, and the rows its runs cannot be told from.
  static let alike: [(stage: String, labels: Set<String>)] = [
    ("S0a", ["S0", "S1.ipi", "S3.ipi"]), ("S0b", ["S0", "S1.ipi", "S3.ipi"]),
    ("S1.sbi", ["S1.sbi", "S2h"]), ("S1.ipi", ["S0", "S1.ipi", "S3.ipi"]),
    ("S2h", ["S2h"]), ("S3.sbi", ["S3.sbi", "S4", "S5", "S6", "S6.sync"]),
    ("S3.ipi", ["S3.ipi"]), ("S3g", ["S3.sbi", "S4", "S5", "S6", "S6.sync"]),
    ("S4.ipi", ["S4", "S5", "S6", "S6.sync"]), ("S5", ["S3.sbi", "S4", "S5", "S6", "S6.sync"]),
    ("S6", ["S3.sbi", "S4", "S5", "S6", "S6.sync"]),
  ]

  static let withoutIPIs: [String: Set<String>] = [
    "S2h": ["S1.sbi", "S2h"], "S4.ipi": ["S3.sbi", "S4", "S5", "S6", "S6.sync"],
  ]

  static func fingerprint(_ stage: String, _ workload: String, seed: UInt64) throws -> Fingerprint {
    var options = SimulationOptions(stage: try Stage(named: stage), workload: workload)
    options.seed = seed
    options.events = 12_000
    let simulation = try Simulation(options)
    let trace = EventArray(header: simulation.header())
    try simulation.run(into: trace)
    return try Fingerprint(of: trace)
  }

  @Test(arguments: alike, ["munmap-churn", "fork-exit", "gup-stress"])
  func aRunBehavesLikeItsStage(
    _ row: (stage: String, labels: Set<String>), _ workload: String
  ) throws {
    for seed in UInt64(1)...5 {
      let fingerprint = try Self.fingerprint(row.stage, workload, seed: seed)
      let labels = Set(fingerprint.candidates.map(\.label))
      // An mm that only one CPU ran is flushed without an IPI.
      let isQuiet = workload == "fork-exit" && fingerprint.traits.transport.total == 0
      let expected = isQuiet ? Self.withoutIPIs[row.stage] ?? row.labels : row.labels
      #expect(fingerprint.isCertain, "\(row.stage) \(workload) seed \(seed)")
      #expect(labels == expected, "\(row.stage) \(workload) seed \(seed): \(labels)")
    }
  }

  /// Under memory pressure the fallback tells what other workloads leave open.
  @Test(arguments: [
    ("S1.sbi", ["S1.sbi", "S2h"]), ("S3.sbi", ["S3.sbi", "S4"]), ("S4.ipi", ["S4"]),
    ("S6", ["S5", "S6"]), ("S6.sync", ["S6.sync"]),
  ])
  func theFallbackTellsStagesApart(_ stage: String, _ labels: [String]) throws {
    for seed in UInt64(1)...5 {
      let fingerprint = try Self.fingerprint(stage, "memory-pressure", seed: seed)
      #expect(fingerprint.traits.fallback.total > 0)
      #expect(fingerprint.candidates.map(\.label) == labels, "\(stage) seed \(seed)")
    }
  }

  @Test func reclaimTellsTheStagesThatHaveIt() throws {
    let fingerprint = try Self.fingerprint("S6", "reclaim-race", seed: 1)
    #expect(fingerprint.traits.reclaim.total > 0)
    #expect(fingerprint.candidates.map(\.label) == ["S5", "S6"])
  }
}
