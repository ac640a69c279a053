import Simulator
import Testing
import TraceFormat

@Suite struct StageTests {
  @Test(arguments: [
    ("S0b", "S0b"), ("s1.SBI", "S1.sbi"), ("S1", "S1.sbi"), ("S3", "S3.sbi"), ("s3.ipi", "S3.ipi"),
    ("S2h", "S2h"), ("s4", "S4"), ("S5", "S5"), ("S6", "S6"), ("S3g", "S3g"), ("S0a", "S0a"),
    ("S4.ipi", "S4.ipi"), ("s6.sync", "S6.sync"), ("S0b.sbi", "S0b.sbi"),
    ("69be3fb111e7", "S1.sbi"), ("deab5a355e52", "S3.sbi"), ("deab5a3", "S3.sbi"),
    ("DEAB5A355E5283D3802203B2BE599611AD8AF861", "S3.sbi"), ("4239c198e841", "S4"),
    ("4239c198e8410b2b5a2b638daf8777e6407d9fc7", "S4"), ("1fb3d8c20bfa", "S6"),
    ("8246601a7d39", "S0b"), ("2dccdf7076f6", "S3g"), ("553e77529fb6", "S3g"),
    ("v6.8", "S0b"), ("6.1", "S0a"), ("v6.7", "S0a"), ("v6.9", "S1.sbi"), ("v6.13", "S1.sbi"),
    ("6.12.107", "S1.sbi"), ("v6.14", "S3.sbi"), ("v6.14-rc3", "S3.sbi"), ("v6.15", "S4"),
    ("v6.19", "S4"), ("v7.0", "S5"), ("v7.1", "S6"), ("7.2.13", "S6"), ("v8.0", "S6"),
  ])
  func namesAreAccepted(name: String, label: String) throws {
    #expect(try Stage(named: name).label == label)
  }

  @Test(arguments: [
    "", "S7", "deab5a", "0000000", "v", "6", "6.", "v6.x", "S1.sbi.ipi", "6.-1", "6.1.2.3", "S1.",
    "99999999999999999999.1",
  ])
  func unknownNamesAreRefusedWithAList(name: String) {
    let error = #expect(throws: TraceError.self) { try Stage(named: name) }
    #expect(error?.hint.contains("S1.sbi") == true)
    #expect(error?.hint.contains("S6") == true)
  }

  @Test func everyStageIsFoundByItsLabel() throws {
    for stage in Stage.all + Stage.variants {
      #expect(try Stage(named: stage.label) == stage)
    }
  }

  @Test func transportIsTheSuffix() throws {
    #expect(try Stage(named: "S4.ipi").transport == .ipi)
    #expect(try Stage(named: "S4").transport == .sbi)
    #expect(try Stage(named: "S2h.sbi").transport == .sbi)
  }

  /// The table of kernel-facts §1.5.
  @Test func policiesAreThoseOfTheHistory() throws {
    let early = try ["S0b", "S1.sbi", "S1.ipi", "S2h", "S3.ipi"].map { try Stage(named: $0) }
    let late = try ["S3.sbi", "S3g", "S4", "S5", "S6"].map { try Stage(named: $0) }
    #expect(early.allSatisfy { $0.destructor == .atQueue })
    #expect(late.allSatisfy { $0.destructor == .inFinalFree && $0.path(of: .pte) == .table })
    for name in ["S0b", "S1.ipi", "S3.ipi"] {
      let stage = try Stage(named: name)
      #expect(stage.path(of: .pmd) == .page && !stage.rcu)
    }
    #expect(try !Stage(named: "S0b").hasFastGUP)
    #expect(try !Stage(named: "S1.sbi").levelsWithConstructor.contains(.p4d))
    #expect(try Stage(named: "S3.ipi").levelsWithConstructor.contains(.pgd))
    #expect(try Stage(named: "S6").fallback == .rcuCallback)
  }
}
