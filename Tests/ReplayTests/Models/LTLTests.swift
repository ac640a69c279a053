import Testing
import TraceFormat

@testable import Replay

/// Formulas: their notation, and their meaning against a second reading of it.
@Suite struct LTLTests {
  private func rule(_ text: String) throws(TraceError) -> (String, [String]) {
    let result = try LTLReader.read(try ModelFile(Array(text.utf8), file: "m.ltl"))
    return (Self.text(result.rule), result.notes)
  }

  /// Fully parenthesised.
  private static func text(_ expression: LTLExpression) -> String {
    switch expression {
    case .constant(let value): "\(value)"
    case .name(let name, _): name
    case .not(let inner): "(not \(text(inner)))"
    case .always(let inner): "(always \(text(inner)))"
    case .eventually(let inner): "(eventually \(text(inner)))"
    case .next(let inner): "(next \(text(inner)))"
    case .until(let left, let right): "(\(text(left)) until \(text(right)))"
    case .and(let left, let right): "(\(text(left)) and \(text(right)))"
    case .or(let left, let right): "(\(text(left)) or \(text(right)))"
    case .imply(let left, let right): "(\(text(left)) imply \(text(right)))"
    case .equivalent(let left, let right): "(\(text(left)) equivalent \(text(right)))"
    }
  }

  /// The example of kernel-facts §9.3, and names replaced by what they stand for.
  @Test func definitionsAreReplaced() throws {
    #expect(
      try rule("RULE = always (UNLINK imply ((not PTL_FREE) until GP_END))").0
        == "(always (UNLINK imply ((not PTL_FREE) until GP_END)))")
    let (text, notes) = try rule(
      """
      # who is dead
      DEAD = PTL_FREE
          or PT_DTOR
      RULE = always (not (DEAD and true))
      """)
    #expect(text == "(always (not ((PTL_FREE or PT_DTOR) and true)))")
    #expect(notes.isEmpty)
  }

  /// Without precedence everything to the right belongs to an operator, as in rvgen.
  @Test func whatIsEasilyMisreadIsNoted() throws {
    let (text, notes) = try rule("RULE = not A and B")
    #expect(text == "(not (A and B))")
    #expect(notes.count == 1 && notes[0].hasPrefix("m.ltl:1:8: 'not' takes everything"))
    let (mixed, remarks) = try rule("RULE = A and B or C")
    #expect(mixed == "(A and (B or C))")
    #expect(remarks.count == 1 && remarks[0].hasPrefix("m.ltl:1:10: 'and' takes everything"))
    #expect(try rule("RULE = A and B and C").1.isEmpty)
    #expect(try rule("X = B\nRULE = A").1.count == 1)
  }

  static let errors: [(String, String)] = [
    ("A = PT_FREE\n", "m.ltl:1:1: no RULE"),
    ("RULE = always (A imply B\n", "m.ltl:1:25: ')' is missing; the '(' is in line 1, column 15"),
    ("RULE = A &\n", "m.ltl:1:10: '&' has no meaning here"),
    ("RULE = A until\n", "m.ltl:1:15: the file ends where an operand should stand"),
    ("RULE = A and\nB = C\n", "m.ltl:2:1: an operand is missing before the definition"),
    ("RULE = a\n", "m.ltl:1:8: 'a' is no operator and no name"),
    ("RULE = or A\n", "m.ltl:1:8: 'or' is no operator and no name; its left operand is missing"),
    ("RULE = A\nRULE = B\n", "m.ltl:2:1: 'RULE' is defined twice; first in line 1"),
    ("RULE = A\nA = (B or RULE)\n", "m.ltl:2:11: 'RULE' is defined by itself"),
    ("RULE A\n", "m.ltl:1:6: '=' is missing after 'RULE'"),
    ("RULE = A B\n", "m.ltl:1:11: '=' is missing after 'B'"),
    ("RULE = (A) not\n", "m.ltl:1:12: 'not' cannot begin a definition"),
    ("RULE = A and not\n", "m.ltl:1:17: the file ends"),
  ]

  @Test(arguments: errors)
  func errorsSayWhere(_ text: String, _ message: String) {
    let error = #expect(throws: TraceError.self) { try rule(text) }
    #expect(error.map { "\($0)" }?.hasPrefix(message) == true, "\(error.map { "\($0)" } ?? "")")
  }

  @Test func unknownEventsSayWhere() {
    let error = #expect(throws: TraceError.self) {
      try Model(Array("RULE = always (PT_DTOR imply\n PTL_FRE)\n".utf8), file: "m.ltl")
    }
    #expect(
      error?.description == "m.ltl:2:2: no event is called 'PTL_FRE'; did you mean 'ptl_free'?")
  }

  // MARK: - Meaning

  /// LTL over a finite word that is followed by nothing for ever, straight from its definition.
  private static func holds(_ formula: LTLExpression, _ word: [Set<String>], _ place: Int) -> Bool {
    // From `word.count` on, every place is alike.
    let place = min(place, word.count)
    func later(_ body: (Int) -> Bool) -> Bool { (place...word.count).contains(where: body) }
    switch formula {
    case .constant(let value): return value
    case .name(let name, _): return place < word.count && word[place].contains(name)
    case .not(let inner): return !holds(inner, word, place)
    case .next(let inner): return holds(inner, word, place + 1)
    case .always(let inner): return !later { !holds(inner, word, $0) }
    case .eventually(let inner): return later { holds(inner, word, $0) }
    case .until(let left, let right):
      return later { end in
        holds(right, word, end) && (place..<end).allSatisfy { holds(left, word, $0) }
      }
    case .and(let left, let right): return holds(left, word, place) && holds(right, word, place)
    case .or(let left, let right): return holds(left, word, place) || holds(right, word, place)
    case .imply(let left, let right): return !holds(left, word, place) || holds(right, word, place)
    case .equivalent(let left, let right):
      return holds(left, word, place) == holds(right, word, place)
    }
  }

  private static func formula(_ depth: Int, _ random: inout SplitMix64) -> LTLExpression {
    if depth == 0 || random.oneIn(6) {
      if random.oneIn(10) { return .constant(random.oneIn(2)) }
      let name = ["A", "B", "C"].randomElement(using: &random)!
      return .name(name, ModelPlace(line: 1, column: 1))
    }
    func inner() -> LTLExpression { formula(depth - 1, &random) }
    switch random.below(10) {
    case 0: return .not(inner())
    case 1: return .always(inner())
    case 2: return .eventually(inner())
    case 3: return .next(inner())
    case 4, 5: return .until(inner(), inner())
    case 6: return .and(inner(), inner())
    case 7: return .or(inner(), inner())
    case 8: return .imply(inner(), inner())
    default: return .equivalent(inner(), inner())
    }
  }

  /// Every word of one of the propositions, or none: rejected, or left wanting, if and only if the
  /// formula does not hold; and what is rejected is beyond repair.
  @Test func machinesMeanWhatTheFormulaSays() {
    let alphabet: [Set<Int>] = [[], [0], [1], [2], [0, 2]]
    let names = ["A", "B", "C"]
    var broken = 0
    var kept = 0
    var rejected = 0
    for seed in UInt64(0)..<1_500 {
      var random = SplitMix64(seed: seed)
      let expression = Self.formula(3, &random)
      var formulas = LTLFormulas()
      let rule = expression.normal(true, ["A": 0, "B": 1, "C": 2], &formulas)
      var machine = LTLMachine(formulas, rule: rule, propositions: names, valuations: alphabet)
      for _ in 0..<4 {
        let word = (0..<random.below(9)).map { _ in random.below(alphabet.count) }
        var state: Int32 = 0
        for (place, symbol) in word.enumerated() where state >= 0 {
          state = machine.step(state, symbol)
          guard state == ModelStep.reject else { continue }
          rejected += 1
          let tail = (0..<6).map { _ in random.below(alphabet.count) }
          let other = (word[...place] + tail).map { Set(alphabet[$0].map { names[$0] }) }
          #expect(!Self.holds(expression, other, 0), "seed \(seed): \(Self.text(expression))")
        }
        #expect(state != ModelStep.unknown)
        let isKept = state >= 0 && machine.isContent(state)
        let expected = Self.holds(
          expression, word.map { Set(alphabet[$0].map { names[$0] }) }, 0)
        #expect(isKept == expected, "seed \(seed): \(Self.text(expression)) on \(word)")
        if expected { kept += 1 } else { broken += 1 }
      }
    }
    #expect(kept > 1_000 && broken > 1_000 && rejected > 500)
  }
}
