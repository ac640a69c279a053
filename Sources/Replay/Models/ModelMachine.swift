/// What a model is once it is read: states, and what follows a symbol in each of them.
///
/// A symbol is what one event means to the model: an event of an automaton, a set of propositions
/// of a formula. States are found as they are needed.
protocol ModelMachine: Sendable {
  /// What follows, or ``ModelStep/reject`` or ``ModelStep/unknown``.
  mutating func step(_ state: Int32, _ symbol: Int) -> Int32
  /// Whether the model is content if nothing follows any more.
  func isContent(_ state: Int32) -> Bool
  /// The state in words, for a person who knows the model.
  func name(_ state: Int32) -> String
}

/// What a step can be besides a state.
enum ModelStep {
  /// The model does not allow this.
  static let reject: Int32 = -1
  /// There were too many states to go on; nothing is said about the instance from here on.
  static let unknown: Int32 = -2
}

/// An automaton is a machine as it stands.
struct AutomatonMachine: ModelMachine {
  let automaton: Automaton

  func step(_ state: Int32, _ symbol: Int) -> Int32 { automaton.next(Int(state), symbol) }

  /// As in the kernel, an automaton asks nothing of the end; see ``Automaton/isFinal``.
  func isContent(_ state: Int32) -> Bool { true }

  func name(_ state: Int32) -> String { automaton.states[Int(state)] }
}

/// A formula as a machine: a state is what the rest of the trace has to keep.
///
/// That is a set of alternatives, each a set of formulas; an alternative that asks for more than
/// another one is left out. A formula is never satisfied by an end it has not seen.
struct LTLMachine: ModelMachine {
  typealias Index = LTLFormulas.Index
  private typealias Alternative = [Index]

  private var formulas: LTLFormulas
  /// Propositions true at each symbol.
  private let valuations: [Set<Int>]
  private let propositions: [String]
  private var states: [[Alternative]] = []
  private var known: [[Alternative]: Int32] = [:]

  private static let maximumStates = 4096
  private static let maximumAlternatives = 512

  init(
    _ formulas: LTLFormulas, rule: Index, propositions: [String], valuations: [Set<Int>]
  ) {
    self.formulas = formulas
    self.valuations = valuations
    self.propositions = propositions
    _ = add([[rule]])
  }

  private mutating func add(_ state: [Alternative]) -> Int32 {
    if let index = known[state] { return index }
    guard states.count < Self.maximumStates else { return ModelStep.unknown }
    let index = Int32(truncatingIfNeeded: states.count)
    states.append(state)
    known[state] = index
    return index
  }

  mutating func step(_ state: Int32, _ symbol: Int) -> Int32 {
    var result: [Alternative] = []
    for alternative in states[Int(state)] {
      var product: [Alternative] = [[]]
      for formula in alternative {
        guard let factor = progress(formula, valuations[symbol]),
          let next = Self.product(product, factor)
        else { return ModelStep.unknown }
        product = next
      }
      guard let next = Self.sum(result, product) else { return ModelStep.unknown }
      result = next
    }
    return result.isEmpty ? ModelStep.reject : add(result)
  }

  func isContent(_ state: Int32) -> Bool {
    states[Int(state)].contains { $0.allSatisfy(formulas.holdsWithoutEvents) }
  }

  func name(_ state: Int32) -> String {
    let parts = states[Int(state)].map { alternative in
      alternative.isEmpty ? "true" : alternative.map { text($0) }.joined(separator: " and ")
    }
    let joined = parts.joined(separator: " or ")
    return joined.count <= 300 ? joined : String(joined.prefix(300)) + "…"
  }

  /// What is left of a formula after a symbol, as alternatives; none if it is broken.
  private func progress(_ formula: Index, _ symbol: Set<Int>) -> [Alternative]? {
    switch formulas[formula] {
    case .constant(let value): return value ? [[]] : []
    case .proposition(let index, let isTrue):
      return symbol.contains(index) == isTrue ? [[]] : []
    case .and(let left, let right):
      return join(left, right, symbol, Self.product)
    case .or(let left, let right):
      return join(left, right, symbol, Self.sum)
    case .next(let inner): return [[inner]]
    case .until(let left, let right):
      guard let now = progress(right, symbol), let before = progress(left, symbol),
        let later = Self.product(before, [[formula]])
      else { return nil }
      return Self.sum(now, later)
    case .release(let left, let right):
      guard let now = progress(left, symbol), let both = progress(right, symbol),
        let either = Self.sum(now, [[formula]])
      else { return nil }
      return Self.product(both, either)
    }
  }

  private func join(
    _ left: Index, _ right: Index, _ symbol: Set<Int>,
    _ operation: ([Alternative], [Alternative]) -> [Alternative]?
  ) -> [Alternative]? {
    guard let first = progress(left, symbol), let second = progress(right, symbol) else {
      return nil
    }
    return operation(first, second)
  }

  private static func product(_ left: [Alternative], _ right: [Alternative]) -> [Alternative]? {
    guard left.count * right.count <= 16 * maximumAlternatives else { return nil }
    return reduce(left.flatMap { first in right.map { Set(first + $0).sorted() } })
  }

  private static func sum(_ left: [Alternative], _ right: [Alternative]) -> [Alternative]? {
    reduce(left + right)
  }

  /// Sorted, each once, without those that ask for more than another one.
  private static func reduce(_ alternatives: [Alternative]) -> [Alternative]? {
    let sorted = Set(alternatives).sorted {
      $0.count != $1.count ? $0.count < $1.count : $0.lexicographicallyPrecedes($1)
    }
    var kept: [Alternative] = []
    for candidate in sorted {
      let wanted = Set(candidate)
      if !kept.contains(where: { wanted.isSuperset(of: $0) }) { kept.append(candidate) }
    }
    return kept.count <= maximumAlternatives ? kept : nil
  }

  private func text(_ formula: Index) -> String {
    func operand(_ index: Index) -> String {
      switch formulas[index] {
      case .constant, .proposition: text(index)
      default: "(\(text(index)))"
      }
    }
    switch formulas[formula] {
    case .constant(let value): return value ? "true" : "false"
    case .proposition(let index, let isTrue):
      return isTrue ? propositions[index] : "(not \(propositions[index]))"
    case .and(let left, let right): return "\(operand(left)) and \(operand(right))"
    case .or(let left, let right): return "\(operand(left)) or \(operand(right))"
    case .next(let inner): return "next \(operand(inner))"
    case .until(let left, let right):
      return formulas[left] == .constant(true)
        ? "eventually \(operand(right))" : "\(operand(left)) until \(operand(right))"
    case .release(let left, let right):
      return formulas[left] == .constant(false)
        ? "always \(operand(right))" : "\(operand(left)) releases \(operand(right))"
    }
  }
}
