/// The states an instance may be in, given what the source can miss: sets of states of a machine,
/// each set one number.
///
/// A *silent* symbol may have happened without being seen, any number of times, between any two
/// events; an *optional* event may be wrong. Where nothing is silent a set has one state, and the
/// numbers are as good as the machine's own.
struct PossibleStates: Sendable {
  private var machine: any ModelMachine
  private let symbols: Int
  private let silent: [Int]
  private var sets: [[Int32]] = []
  private var known: [[Int32]: Int32] = [:]
  /// What follows, by `set * symbols + symbol`; ``unseen`` where nobody has asked.
  private var steps: [Int32] = []
  private var optionalSteps: [Int32] = []

  private static let unseen = Int32.min
  private static let maximumSets = 1 << 14

  /// The set of the initial state and what silently follows it.
  private(set) var initial: Int32 = 0

  init(_ machine: any ModelMachine, symbols: Int, silent: [Int]) {
    self.machine = machine
    self.symbols = symbols
    self.silent = silent
    let start = closure([0]) ?? [0]
    initial = add(start)
  }

  /// The set that follows; ``ModelStep/reject`` if every state of `set` forbids the symbol.
  mutating func step(_ set: Int32, _ symbol: Int, isOptional: Bool) -> Int32 {
    let cell = Int(set) * symbols + symbol
    let cached = isOptional ? optionalSteps[cell] : steps[cell]
    if cached != Self.unseen { return cached }
    let result = computed(set, symbol, isOptional)
    if isOptional { optionalSteps[cell] = result } else { steps[cell] = result }
    return result
  }

  private mutating func computed(_ set: Int32, _ symbol: Int, _ isOptional: Bool) -> Int32 {
    var targets = isOptional ? Set(sets[Int(set)]) : []
    for state in sets[Int(set)] {
      let target = machine.step(state, symbol)
      if target == ModelStep.unknown { return ModelStep.unknown }
      if target != ModelStep.reject { targets.insert(target) }
    }
    guard !targets.isEmpty else { return ModelStep.reject }
    guard let closed = closure(targets) else { return ModelStep.unknown }
    return add(closed)
  }

  /// The states that silent symbols lead to; nil if there are too many.
  private mutating func closure(_ states: Set<Int32>) -> [Int32]? {
    var found = states
    var work = Array(states)
    while let state = work.popLast() {
      for symbol in silent {
        let target = machine.step(state, symbol)
        if target == ModelStep.unknown || found.count > 4096 { return nil }
        if target != ModelStep.reject, found.insert(target).inserted { work.append(target) }
      }
    }
    return found.sorted()
  }

  private mutating func add(_ set: [Int32]) -> Int32 {
    if let index = known[set] { return index }
    guard sets.count < Self.maximumSets else { return ModelStep.unknown }
    let index = Int32(truncatingIfNeeded: sets.count)
    sets.append(set)
    known[set] = index
    steps += Array(repeating: Self.unseen, count: symbols)
    optionalSteps += Array(repeating: Self.unseen, count: symbols)
    return index
  }

  /// The one state of a set; nil if there are several.
  func only(_ set: Int32) -> Int32? {
    let states = sets[Int(set)]
    return states.count == 1 ? states[0] : nil
  }

  /// The states of a set.
  func states(_ set: Int32) -> [Int32] { sets[Int(set)] }

  /// Whether some state of a set asks nothing more of the instance.
  func isContent(_ set: Int32) -> Bool { sets[Int(set)].contains(where: machine.isContent) }

  /// A set in words.
  func name(_ set: Int32) -> String {
    let names = sets[Int(set)].prefix(4).map { machine.name($0) }
    let more = sets[Int(set)].count > 4 ? " or …" : ""
    return names.joined(separator: " or ") + more
  }

  /// Symbols that at least one state of a set allows.
  mutating func expected(_ set: Int32) -> [Int] {
    let states = sets[Int(set)]
    return (0..<symbols).filter { symbol in
      states.contains { machine.step($0, symbol) != ModelStep.reject }
    }
  }

  /// Whether anything that can be seen is ever forbidden: if not, the model decides nothing here.
  ///
  /// - Parameter visible: symbols whose events the source can show.
  mutating func forbidsSomething(visible: [Int], optional: Set<Int>) -> Bool {
    var reached: Set<Int32> = [initial]
    var work = [initial]
    while let set = work.popLast() {
      if !isContent(set) { return true }
      for symbol in visible {
        let target = step(set, symbol, isOptional: optional.contains(symbol))
        if target == ModelStep.reject { return true }
        if target == ModelStep.unknown || reached.count > 2048 { return true }
        if reached.insert(target).inserted { work.append(target) }
      }
    }
    return false
  }
}
