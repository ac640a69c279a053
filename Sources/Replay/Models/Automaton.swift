/// A finite automaton as the kernel's reader builds it from a `.dot` file: a matrix of
/// states × events (kernel-facts §9.1), with the constraints of a hybrid one (§9.1.6).
struct Automaton: Sendable {
  /// No edge: the event is not expected in the state.
  static let invalid: Int32 = -1

  /// States by code point, the initial one moved to the front.
  var states: [String]
  /// Events by code point.
  var events: [String]
  /// Next state by `state * events.count + event`, ``invalid`` where there is none.
  var next: [Int32]
  /// Marked states; the initial one if the file marks none.
  var isFinal: [Bool]
  /// Guard of a transition, by its place in ``next``.
  var guards: [Int: Constraint] = [:]
  /// Clock that a transition resets, by its place in ``next``.
  var resets: [Int: Int] = [:]
  /// Invariants by state.
  var invariants: [Int: Constraint.Term] = [:]
  /// Clocks, by code point.
  var clocks: [String] = []

  /// How an event starts a monitor that does not run (kernel-facts §9.1.7).
  enum Start: Sendable, Equatable {
    /// It does not.
    case none
    /// Every edge of it leads to the initial state: monitoring begins after it.
    case start
    /// It is used from the initial state only: monitoring begins with it.
    case startRun
  }

  /// What follows `event` in `state`.
  func next(_ state: Int, _ event: Int) -> Int32 { next[state * events.count + event] }

  /// How `event` starts a monitor.
  func start(_ event: Int) -> Start {
    let targets = states.indices.map { next($0, event) }
    let used = targets.count { $0 != Self.invalid }
    if used > 0, targets.count(where: { $0 == 0 }) == used { return .start }
    return used == 1 && targets[0] != Self.invalid ? .startRun : .none
  }

  /// Events that have an edge from `state`.
  func expected(_ state: Int) -> [Int] {
    events.indices.filter { next(state, $0) != Self.invalid }
  }

  /// States no sequence of events leads to.
  var unreachable: [Int] {
    var reached = Array(repeating: false, count: states.count)
    var work = [0]
    reached[0] = true
    while let state = work.popLast() {
      for event in events.indices {
        let target = next(state, event)
        if target != Self.invalid, !reached[Int(target)] {
          reached[Int(target)] = true
          work.append(Int(target))
        }
      }
    }
    return states.indices.filter { !reached[$0] }
  }
}
