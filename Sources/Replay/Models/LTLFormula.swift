/// A formula of linear temporal logic in negation normal form, one node of a shared table.
///
/// Equal formulas are one node, so that a set of formulas is a set of numbers.
struct LTLFormulas: Sendable {
  /// Index of a formula.
  typealias Index = Int32

  /// One formula.
  enum Node: Sendable, Hashable {
    case constant(Bool)
    /// Proposition `index` is true now, or is not.
    case proposition(Int, Bool)
    case and(Index, Index)
    case or(Index, Index)
    case next(Index)
    /// The second comes to hold, and until then the first does.
    case until(Index, Index)
    /// The second holds up to and including the place where the first does, or for ever.
    case release(Index, Index)
  }

  private(set) var nodes: [Node] = []
  private var known: [Node: Index] = [:]

  /// The index of a formula, which is added if it is new.
  mutating func add(_ node: Node) -> Index {
    if let index = known[node] { return index }
    let index = Index(truncatingIfNeeded: nodes.count)
    nodes.append(node)
    known[node] = index
    return index
  }

  subscript(index: Index) -> Node { nodes[Int(index)] }

  /// Whether a formula holds if none of its propositions is ever true again.
  func holdsWithoutEvents(_ index: Index) -> Bool {
    switch self[index] {
    case .constant(let value): value
    case .proposition(_, let isTrue): !isTrue
    case .and(let left, let right): holdsWithoutEvents(left) && holdsWithoutEvents(right)
    case .or(let left, let right): holdsWithoutEvents(left) || holdsWithoutEvents(right)
    case .next(let inner): holdsWithoutEvents(inner)
    case .until(_, let right), .release(_, let right): holdsWithoutEvents(right)
    }
  }

  /// Whether it is `always …`: a trace that keeps it keeps it from every later place on, too.
  func isAlways(_ index: Index) -> Bool {
    if case .release(let left, _) = self[index] { return self[left] == .constant(false) }
    if case .and(let left, let right) = self[index] { return isAlways(left) && isAlways(right) }
    return false
  }
}

/// A formula as it was written.
indirect enum LTLExpression: Sendable {
  case constant(Bool)
  case name(String, ModelPlace)
  case not(LTLExpression)
  case always(LTLExpression)
  case eventually(LTLExpression)
  case next(LTLExpression)
  case until(LTLExpression, LTLExpression)
  case and(LTLExpression, LTLExpression)
  case or(LTLExpression, LTLExpression)
  case imply(LTLExpression, LTLExpression)
  case equivalent(LTLExpression, LTLExpression)

  /// Adds the formula, or its negation, to `formulas` with negations moved down to the names.
  func normal(
    _ isTrue: Bool, _ names: [String: Int], _ formulas: inout LTLFormulas
  ) -> LTLFormulas.Index {
    func both(_ left: LTLExpression, _ right: LTLExpression, _ leftTrue: Bool, _ rightTrue: Bool)
      -> (LTLFormulas.Index, LTLFormulas.Index)
    {
      (left.normal(leftTrue, names, &formulas), right.normal(rightTrue, names, &formulas))
    }
    switch self {
    case .constant(let value): return formulas.add(.constant(value == isTrue))
    case .name(let name, _): return formulas.add(.proposition(names[name] ?? 0, isTrue))
    case .not(let inner): return inner.normal(!isTrue, names, &formulas)
    case .always(let inner), .eventually(let inner):
      let operand = inner.normal(isTrue, names, &formulas)
      var isAlways = isTrue
      if case .eventually = self { isAlways.toggle() }
      let unit = formulas.add(.constant(!isAlways))
      return formulas.add(isAlways ? .release(unit, operand) : .until(unit, operand))
    case .next(let inner): return formulas.add(.next(inner.normal(isTrue, names, &formulas)))
    case .until(let left, let right):
      let (first, second) = both(left, right, isTrue, isTrue)
      return formulas.add(isTrue ? .until(first, second) : .release(first, second))
    case .and(let left, let right):
      let (first, second) = both(left, right, isTrue, isTrue)
      return formulas.add(isTrue ? .and(first, second) : .or(first, second))
    case .or(let left, let right):
      let (first, second) = both(left, right, isTrue, isTrue)
      return formulas.add(isTrue ? .or(first, second) : .and(first, second))
    case .imply(let left, let right):
      let (first, second) = both(left, right, !isTrue, isTrue)
      return formulas.add(isTrue ? .or(first, second) : .and(first, second))
    case .equivalent(let left, let right):
      // (a and b) or (not a and not b); negated, one of them is turned round.
      let (first, second) = both(left, right, true, isTrue)
      let (third, fourth) = both(left, right, false, !isTrue)
      let together = formulas.add(.and(first, second))
      return formulas.add(.or(together, formulas.add(.and(third, fourth))))
    }
  }
}
