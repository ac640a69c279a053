import Replay
import Testing

@testable import SelfTest

@Suite struct SelfTestTests {
  /// 100 % is the rule: every mutant is noticed by whom it should and by nobody else, every neutral
  /// change by nobody, and every operator finds a place.
  @Test func everyMutantIsKilledAndEveryNeutralChangeIsSilent() throws {
    // Between them these have a place for nearly every operator; `make self-test` runs all, with
    // more seeds.
    var options = SelfTest.Options()
    options.stages = ["S1.ipi", "S4", "S5"]
    options.events = 300
    let result = try SelfTest(options).run()
    let failures = (result.mutations + result.neutral).flatMap { row in
      row.failures.map { "\(row.name): \($0)" }
    }
    #expect(failures.isEmpty, "\(failures.joined(separator: "\n"))")
    // No-memory fallbacks are rare: a short trace may have none.
    let rare: Set = ["missing-sync-ack", "fallback-without-wait"]
    #expect(Set(result.unused).isSubset(of: rare), "no place for \(result.unused)")
    #expect(result.kills.all > 300)
  }

  @Test func thereAreEnoughOperators() {
    #expect(MutationOperator.all.count >= 30)
    let names = MutationOperator.all.map(\.name) + NeutralTransformation.all.map(\.name)
    #expect(Set(names).count == names.count)
    for operation in MutationOperator.all {
      #expect(!operation.catches.isEmpty, "\(operation.name)")
      #expect(Set(operation.catches).isDisjoint(with: operation.related), "\(operation.name)")
    }
  }

  /// Invariants nobody breaks, each with the reason.
  static let exceptions: [String: String] = [:]

  @Test func everyInvariantIsNamed() {
    for id in SelfTest.invariants {
      #expect(SelfTest.named.contains(id) != (Self.exceptions[id] != nil), "\(id)")
    }
    #expect(Set(Self.exceptions.keys).isSubset(of: SelfTest.invariants))
  }

  @Test func sameSeedSameReport() throws {
    var options = SelfTest.Options()
    options.stages = ["S1.sbi"]
    options.events = 100
    options.seed = 9
    let first = try SelfTest(options).run()
    let second = try SelfTest(options).run()
    #expect(try first.json() == second.json())
    #expect(first.lines == second.lines)
  }
}
