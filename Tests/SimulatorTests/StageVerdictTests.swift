import Foundation
import Replay
import Simulator
import Testing
import TraceFormat

/// Every stage under every workload gets exactly the verdicts of kernel-facts §6's table.
///
/// The table is written here from that page, column by column, and shares nothing with the judge.
@Suite struct StageVerdictTests {
  /// The columns; S5+ is run as S6.
  static let stages = ["S0a", "S0b", "S1.sbi", "S1.ipi", "S2h", "S3.sbi", "S3.ipi", "S4", "S6"]

  /// y holds, x violated by design, U violated once readers race with the reclaim (trigger R),
  /// B violated on the no-memory fallback (accesses: only if readers race there), - not applicable.
  static let table: [(id: String, codes: String)] = [
    ("I01", "yyyyyyyyy"), ("I02", "yyyyyyyyy"), ("I03", "yyyyyyyyy"), ("I04", "yyyyyyyyy"),
    ("I05", "yyyyyyyyy"), ("I06", "yyyyyyyyy"), ("I07", "yyyyyyyyy"), ("I08", "yyyyyyyyy"),
    ("I09", "xxxxxyxyy"), ("I10", "xyyyyyyyy"), ("I11", "--y-yy-yy"), ("I12", "--y-yy-yy"),
    ("I13", "xxxxxBxBy"), ("I14", "--x-xy-yy"), ("I15", "yy-y--y--"), ("I16", "--y-yy-yy"),
    ("I17", "--x-xx-xy"), ("I18", "UUBUBBUBy"), ("I19", "xyyyyyyyy"), ("I20", "UUUUUBUBy"),
    ("I21", "UUUUUBUBy"), ("I22a", "UUBUBBUBy"), ("I22b", "UUUUUBUBy"), ("I23", "yyyyyyyyy"),
    ("I24", "--y-yy-yy"), ("I25", "--y-yy-yy"), ("I26", "--y-yy-yy"), ("I27", "--y-yy-yy"),
    ("I28", "--y-yy-yy"), ("I29", "--y-yy-yy"), ("I30", "yyyyyyyyy"), ("I31", "yyyyyyyyy"),
    ("I32", "yyyyyyyyy"), ("I33", "yyyyyyyyy"), ("I34", "yyyyyyyyy"), ("I35", "yyyyyyyyy"),
    ("I36", "yyyyyyyyy"), ("I37", "--y-yy-yy"), ("I38", "xxxxxBxBy"), ("I39", "yyyyyyyyy"),
    ("I40", "--------y"),
  ]

  /// What only some workloads do; elsewhere there is nothing to judge.
  static let exercisedBy: [String: Set<String>] = [
    "I39": ["huge-pages"], "I40": ["reclaim-race"],
  ]

  /// Where a table has a callback of its own on every stage (`pte_free_defer()`, E3), the page
  /// path alone is no reason not to ask.
  static let callbacks: Set<String> = ["I24", "I25", "I26", "I27", "I37"]

  /// Enough for the rare things these two are about; 4,000 elsewhere.
  static let events = ["gup-stress": 12_000, "memory-pressure": 12_000]

  static let accesses: Set<String> = ["I18", "I20", "I21", "I22a", "I22b"]

  /// What is exercised only where tables fall back: on the other workloads nothing is decided.
  static let fallbackOnly: Set<String> = ["I16", "I17"]

  static func expected(_ id: String, _ code: Character, _ workload: String) -> Verdict {
    switch code {
    case "y" where fallbackOnly.contains(id) && workload != "memory-pressure",
      "x" where fallbackOnly.contains(id) && workload != "memory-pressure":
      .vacuous
    case "y": exercisedBy[id]?.contains(workload) ?? true ? .holds : .vacuous
    case "x": .violated
    case "-": workload == "huge-pages" && callbacks.contains(id) ? .holds : .notApplicable
    case "U": workload == "reclaim-race" ? .violated : .holds
    default: workload == "memory-pressure" && !accesses.contains(id) ? .violated : .holds
    }
  }

  static let runs: [(stage: String, workload: String)] = stages.flatMap { stage in
    [
      "munmap-churn", "fork-exit", "gup-stress", "memory-pressure", "reclaim-race", "huge-pages",
      "cpu-hotplug",
    ].map { (stage, $0) }
  }

  /// The table that the invariants print of themselves is this one.
  @Test func descriptionsHaveTheTable() {
    let signs: [StageRow.Outcome: Character] = [
      .holds: "y", .violated: "x", .unlessReclaimed: "U", .unlessFallback: "B",
      .notApplicable: "-",
    ]
    let printed = InvariantRegistry.all.map { type in
      "\(type.description.id) " + String(type.description.stages.outcomes.map { signs[$0]! })
    }
    #expect(printed == Self.table.map { "\($0.id) \($0.codes)" })
  }

  /// Seeds of each run; `make sweep` takes many more.
  static let seeds =
    ProcessInfo.processInfo.environment["SWEEP_SEEDS"].flatMap(UInt64.init) ?? 8

  @Test(arguments: runs)
  func verdictsAreThoseOfTheTable(_ run: (stage: String, workload: String)) throws {
    let column = Self.stages.firstIndex(of: run.stage)!
    for seed in 1...Self.seeds {
      var options = SimulationOptions(
        stage: try Stage(named: run.stage), workload: run.workload)
      options.seed = seed
      options.events = Self.events[run.workload] ?? 4_000
      let simulation = try Simulation(options)
      let trace = EventArray(header: simulation.header())
      try simulation.run(into: trace)
      let checker = try Checker()
      let result = try checker.check(trace)
      #expect(result.judgements.count == Self.table.count)
      for (id, codes) in Self.table {
        let code = codes[codes.index(codes.startIndex, offsetBy: column)]
        let judgement = result.judgements.first { $0.invariant.id == id }!
        #expect(
          judgement.verdict == Self.expected(id, code, run.workload),
          "\(id) on \(run.stage) \(run.workload) seed \(seed): \(judgement)")
      }
    }
  }
}
