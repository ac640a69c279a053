import Testing
import TraceFormat

@testable import Replay

/// The models' verdicts are those of a table-driven run of the kernel's matrix.
@Suite struct MatrixTests {
  @Test(arguments: 0..<8)
  func randomAutomataRunAsTheKernelsMatrix(_ block: UInt64) throws {
    var violations = 0
    var monitored = 0
    var undecided = 0
    for seed in (block * 100)..<(block * 100 + 100) {
      var random = SplitMix64(seed: seed)
      let text = RandomModels.automaton(&random)
      let naive = NaiveAutomaton(text)
      let model = try Model(Array(text.utf8), file: "m.dot", binding: .table)
      guard case .automaton(let automaton) = model.core else { preconditionFailure() }
      #expect(automaton.states == naive.states, "seed \(seed)\n\(text)")
      #expect(automaton.events == naive.events, "seed \(seed)\n\(text)")
      for (state, name) in automaton.states.enumerated() {
        #expect(automaton.isFinal[state] == naive.finals.contains(name), "seed \(seed)\n\(text)")
        for (event, symbol) in automaton.events.enumerated() {
          let next = automaton.next(state, event)
          #expect(
            (next < 0 ? nil : automaton.states[Int(next)]) == naive.edges[name + " " + symbol],
            "seed \(seed) \(name) \(symbol)\n\(text)")
        }
      }
      for _ in 0..<4 {
        let trace = RandomModels.events(&random)
        _ = random.next()
        let expected = naive.run(trace.events)
        var options = CheckOptions()
        options.models = [model]
        options.only = ["m"]
        let judgement = try #require(trace.check(options, batchSize: 7).judgements.first)
        let found = NaiveAutomaton.Outcome(
          violations: judgement.violations, undecided: judgement.undecided,
          monitored: judgement.exercised)
        #expect(found == expected, "seed \(seed)\n\(text)\n\(trace.events.map(\.kind.name))")
        violations += expected.violations
        monitored += expected.monitored
        undecided += expected.undecided
      }
    }
    // Neither side may agree on nothing.
    #expect(violations > 200 && monitored > 200 && undecided > 5)
  }
}
