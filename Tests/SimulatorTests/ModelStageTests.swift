import Foundation
import Replay
import Simulator
import Testing
import TraceFormat

/// The shipped models on the simulator's stages: each life is that of its own stage, and the models
/// of other stages say so.
@Suite struct ModelStageTests {
  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Models")

  private func models(_ names: [String]) throws -> [Model] {
    try names.map {
      try Model(
        [UInt8](try Data(contentsOf: Self.folder.appendingPathComponent($0))), file: $0)
    }
  }

  private func judge(
    _ stage: String, _ workload: String, _ names: [String], seed: UInt64, embedded: Bool = false
  ) throws -> [Judgement] {
    let trace = try simulate(
      try Stage(named: stage), workload, seed: seed, events: 3_000, splitPtlock: !embedded)
    var options = CheckOptions()
    options.models = try models(names)
    options.only = options.models.map(\.name)
    let checker = try Checker(options: options)
    return try checker.check(trace).judgements
  }

  static let lives = ["pt_s0a.dot", "pt_s0b.dot", "pt_s1.dot", "pt_s3.dot", "pt_s6.dot"]

  /// Which of ``lives`` describe a stage.
  static let stages: [(String, Set<String>)] = [
    ("S0a", ["pt_s0a"]), ("S0b", ["pt_s0a", "pt_s0b"]), ("S1.sbi", ["pt_s1"]),
    ("S1.ipi", ["pt_s0a", "pt_s0b"]), ("S2h", ["pt_s1"]), ("S3.sbi", ["pt_s3", "pt_s6"]),
    ("S3.ipi", ["pt_s0a", "pt_s0b"]), ("S3g", ["pt_s3", "pt_s6"]), ("S4", ["pt_s3", "pt_s6"]),
    ("S5", ["pt_s3", "pt_s6"]), ("S6", ["pt_s3", "pt_s6"]), ("S6.sync", ["pt_s3", "pt_s6"]),
  ]

  @Test(arguments: stages)
  func lifeModelsTellStages(_ stage: String, _ matching: Set<String>) throws {
    for workload in ["munmap-churn", "fork-exit", "gup-stress"] {
      for seed in UInt64(1)...2 {
        for judgement in try judge(stage, workload, Self.lives, seed: seed, embedded: seed == 2) {
          let expected: Verdict =
            matching.contains(judgement.invariant.id) ? .holds : .violated
          #expect(
            judgement.verdict == expected,
            "\(judgement.invariant.id) on \(stage) \(workload) seed \(seed): \(judgement)")
        }
      }
    }
  }

  /// The fallback is where S3 and S6 differ.
  @Test func fallbacksTellS3FromS6() throws {
    for (stage, holds) in [
      ("S3.sbi", "pt_s3"), ("S4", "pt_s3"), ("S5", "pt_s6"), ("S6", "pt_s6"), ("S6.sync", "pt_s6"),
    ] {
      for judgement in try judge(
        stage, "memory-pressure", ["pt_s3.dot", "pt_s6.dot"], seed: 1)
      {
        #expect(
          judgement.verdict == (judgement.invariant.id == holds ? .holds : .violated),
          "\(judgement.invariant.id) on \(stage): \(judgement)")
      }
    }
  }

  /// Lock, callback, reader and mm models and the formulas say nothing where nothing is wrong.
  @Test(arguments: ["S0b", "S1.sbi", "S3.sbi", "S4", "S6"])
  func otherModelsHold(_ stage: String) throws {
    let names = ["ptlock.dot", "callback.dot", "reader.dot", "mm.dot", "dtor_then_free.ltl"]
    for workload in ["munmap-churn", "fork-exit", "gup-stress", "memory-pressure"] {
      for judgement in try judge(stage, workload, names, seed: 3) {
        // Without RCU there is no callback, without fast GUP perhaps no reader.
        let isIdle = judgement.verdict == .vacuous && judgement.exercised == 0
        #expect(
          judgement.verdict == .holds || isIdle,
          "\(judgement.invariant.id) on \(stage) \(workload): \(judgement)")
      }
    }
  }

  /// I13 as a formula agrees with I13.
  @Test(arguments: ["S0b", "S1.sbi", "S1.ipi", "S2h", "S3.sbi", "S4", "S5", "S6", "S6.sync"])
  func theFormulaOfI13AgreesWithI13(_ stage: String) throws {
    for workload in ["munmap-churn", "fork-exit", "memory-pressure", "reclaim-race"] {
      let trace = try simulate(try Stage(named: stage), workload, seed: 4, events: 3_000)
      var options = CheckOptions()
      options.models = try models(["gp_before_dtor.ltl"])
      options.only = ["I13", "gp_before_dtor"]
      let checker = try Checker(options: options)
      let judgements = try checker.check(trace).judgements
      #expect(judgements.map(\.invariant.id) == ["I13", "gp_before_dtor"])
      #expect(
        judgements[0].verdict == judgements[1].verdict
          && judgements[0].violations == judgements[1].violations,
        "\(stage) \(workload): \(judgements)")
    }
  }
}
