import TraceFormat

/// Runs one model over the objects it is about: one instance each, in a table of small numbers.
///
/// An instance starts as in the kernel (kernel-facts §9.1.7): it does nothing until a start event or
/// a start-run event; an event its state does not expect is a finding and stops it until the next
/// such event. A hole in the recording stops it, too. A formula starts with the life of its object,
/// or, if it is `always …`, with the first event of it.
struct ModelRunner {
  /// One instance.
  private struct Instance {
    /// Set of possible states; negative: ``idle``, ``given up``, not started in this life.
    var state: Int32 = Self.fresh
    /// Last event that concerned it.
    var lastAt: Ordinal = .none
    /// Event that brought it into its state.
    var enteredAt: Ordinal = .none
    /// It counts as an instance already.
    var isCounted = false
    /// Time, in nanoseconds, its state must be left by; nil without an invariant.
    var deadline: UInt64?

    static let fresh: Int32 = -10
    static let idle: Int32 = -11
    static let givenUp: Int32 = -12
  }

  let model: Model
  let sight: ModelSight
  /// Whether something is said about the events that come now.
  var isJudging = true
  private(set) var tally: Tally

  /// What was concluded in a hole, before it was known, is in doubt.
  mutating func doubt(_ hole: LateHole) { tally.doubt(hole) }
  private(set) var counts = ModelCounts()
  private var possible: PossibleStates
  private var instances: [Instance] = []
  /// Reset times of the clocks of an exact instance, in nanoseconds.
  private var clocks: [UInt64?] = []
  private let starts: [Automaton.Start]
  private let automaton: Automaton?
  private let startsAnywhere: Bool
  private let time: ModelTime
  private let forbids: Bool
  private let birthVisibility: Capabilities.Visibility?

  init(_ model: Model, header: TraceHeader, exemplars: Int) {
    self.model = model
    sight = ModelSight(model, header.capabilities)
    tally = Tally(exemplars: exemplars)
    time = ModelTime(header.clock)
    birthVisibility = header.capabilities[model.binding.birth]
    switch model.core {
    case .automaton(let automaton):
      self.automaton = automaton
      starts = model.symbols.indices.map(automaton.start)
      startsAnywhere = false
      possible = PossibleStates(
        AutomatonMachine(automaton: automaton), symbols: model.symbols.count, silent: sight.silent)
    case .formula(let formulas, let rule, let propositions, let valuations):
      automaton = nil
      starts = []
      startsAnywhere = formulas.isAlways(rule)
      possible = PossibleStates(
        LTLMachine(formulas, rule: rule, propositions: propositions, valuations: valuations),
        symbols: model.symbols.count, silent: sight.silent)
    }
    let hasConstraints = automaton.map { !$0.guards.isEmpty || !$0.invariants.isEmpty } ?? false
    let decides = possible.forbidsSomething(visible: sight.visible, optional: sight.inferred)
    forbids = decides || hasConstraints
  }

  /// Why no finding counts; nil if they do: two lives of one key may look like one.
  var doubt: String? {
    let birth = model.binding.birth
    return birthVisibility == .sure
      ? nil
      : "\(birth.name) \(birthVisibility == nil ? "is not recorded" : "may go unseen") here, "
        + "so that two lives of one \(model.binding.rawValue) may look like one"
  }

  /// Whether anything the source can show is forbidden.
  var decidesSomething: Bool { forbids }

  // MARK: - Events

  /// Takes an event that concerns the object in `slot`.
  mutating func take(
    _ kind: EventKind, _ slot: Int32, _ life: Subjects.Life, _ event: ResolvedEvent
  ) {
    let symbol = model.symbolOfKind[Int(kind.rawValue)]
    guard symbol >= 0 else { return }
    reserve(slot)
    let index = Int(slot)
    let isInferred = event.event.flags.contains(.inferred) || sight.inferred.contains(symbol)
    if instances[index].state >= 0, event.resolution.cleanSince > instances[index].lastAt {
      cut(index, symbol, event, life)
    }
    if instances[index].state < 0 {
      guard start(index, symbol, life, event, isInferred) else { return }
    }
    count(index)
    run(index, symbol, life, event, isInferred)
    instances[index].lastAt = event.ordinal
  }

  private mutating func reserve(_ slot: Int32) {
    while instances.count <= Int(slot) {
      instances.append(Instance())
      if let automaton { clocks += Array(repeating: nil, count: automaton.clocks.count) }
    }
  }

  /// Starts an instance if the event does; true if it then has to handle the event.
  private mutating func start(
    _ index: Int, _ symbol: Int, _ life: Subjects.Life, _ event: ResolvedEvent,
    _ isInferred: Bool
  ) -> Bool {
    guard automaton != nil else { return startFormula(index, life, event) }
    // What was concluded does not tell where an instance is.
    guard starts[symbol] != .none, !isInferred else {
      if instances[index].state == Instance.fresh {
        counts.joinedLate += 1
        instances[index].state = Instance.idle
      }
      return false
    }
    begin(index, event)
    return starts[symbol] == .startRun
  }

  private mutating func startFormula(
    _ index: Int, _ life: Subjects.Life, _ event: ResolvedEvent
  ) -> Bool {
    guard instances[index].state != Instance.givenUp else { return false }
    let isWhole =
      instances[index].state == Instance.fresh && life.isBorn
      && life.firstAt >= event.resolution.cleanSince
    guard isWhole || startsAnywhere else {
      if instances[index].state == Instance.fresh { counts.joinedLate += 1 }
      instances[index].state = Instance.givenUp
      return false
    }
    begin(index, event)
    return true
  }

  /// Counts an instance, once, when an event of it is judged.
  private mutating func count(_ index: Int) {
    guard isJudging, !instances[index].isCounted else { return }
    instances[index].isCounted = true
    tally.exercised += 1
  }

  private mutating func begin(_ index: Int, _ event: ResolvedEvent) {
    count(index)
    instances[index].state = possible.initial
    instances[index].lastAt = event.ordinal
    instances[index].enteredAt = event.ordinal
    instances[index].deadline = nil
    forgetClocks(index)
  }

  private mutating func run(
    _ index: Int, _ symbol: Int, _ life: Subjects.Life, _ event: ResolvedEvent, _ isInferred: Bool
  ) {
    let state = instances[index].state
    if let deadline = instances[index].deadline, let now = time.nanoseconds(event.event.time),
      now > deadline
    {
      return stop(index, late(state), symbol, event, life)
    }
    let target = possible.step(state, symbol, isOptional: isInferred)
    if target == ModelStep.reject {
      return stop(index, unexpected(state, symbol), symbol, event, life)
    }
    if target == ModelStep.unknown {
      counts.tooMany += 1
      instances[index].state = Instance.givenUp
      return
    }
    if let automaton, !automaton.clocks.isEmpty || !automaton.guards.isEmpty {
      guard constrain(index, symbol, target, automaton, event, life) else { return }
    }
    if target != state {
      instances[index].enteredAt = event.ordinal
      instances[index].state = target
    }
  }

  // MARK: - Guards, clocks, invariants

  /// Checks the guard of a transition, resets clocks and sets the deadline; false if it broke.
  private mutating func constrain(
    _ index: Int, _ symbol: Int, _ target: Int32, _ automaton: Automaton, _ event: ResolvedEvent,
    _ life: Subjects.Life
  ) -> Bool {
    let now = time.nanoseconds(event.event.time)
    let state = instances[index].state
    guard let from = possible.only(state), let to = possible.only(target) else {
      // Several states are possible: neither clocks nor deadlines are known.
      forgetClocks(index)
      instances[index].deadline = nil
      return true
    }
    let cell = Int(from) * model.symbols.count + symbol
    if let condition = automaton.guards[cell],
      condition.holds({ value(of: $0, index, now, event) }) == false
    {
      stop(index, guardFailed(state, symbol), symbol, event, life)
      return false
    }
    if let clock = automaton.resets[cell] { clocks[index * automaton.clocks.count + clock] = now }
    // As in the kernel, staying in a state without a reset leaves its deadline alone.
    if from != to || automaton.resets[cell] != nil {
      instances[index].deadline = deadline(in: to, index, automaton, now)
    }
    return true
  }

  private func value(
    of variable: Constraint.Variable, _ index: Int, _ now: UInt64?, _ event: ResolvedEvent
  ) -> UInt64? {
    switch variable {
    case .clock(let clock):
      guard let automaton, let now, let reset = clocks[index * automaton.clocks.count + clock]
      else { return nil }
      return now > reset ? now - reset : 0
    case .event(.cpu): return UInt64(event.event.cpu)
    case .event(.inCallback): return event.resolution.run != 0 ? 1 : 0
    case .event(.level):
      let level = event.event.level == .unknown ? event.table?.level : event.event.level
      return level.map { UInt64($0.rawValue) }
    }
  }

  /// A clock that was never reset counts from where the state is entered.
  private func deadline(
    in state: Int32, _ index: Int, _ automaton: Automaton, _ now: UInt64?
  ) -> UInt64? {
    guard let term = automaton.invariants[Int(state)], let now,
      case .clock(let clock) = term.variable
    else { return nil }
    let start = clocks[index * automaton.clocks.count + clock] ?? now
    let (end, overflow) = start.addingReportingOverflow(term.value)
    return overflow ? nil : end
  }

  private mutating func forgetClocks(_ index: Int) {
    guard let count = automaton?.clocks.count, count > 0 else { return }
    for clock in 0..<count { clocks[index * count + clock] = nil }
  }

  // MARK: - Findings

  /// Reports what is wrong and stops the instance.
  private mutating func stop(
    _ index: Int, _ what: (cause: String, missing: String), _ symbol: Int, _ event: ResolvedEvent,
    _ life: Subjects.Life
  ) {
    if isJudging {
      tally.report(
        what.cause, missing: what.missing, at: event, since: instances[index].enteredAt,
        subject: CandidateSubject(model.binding, life))
    }
    instances[index].state = automaton == nil ? Instance.givenUp : Instance.idle
    instances[index].deadline = nil
  }

  /// A hole lies before this event: what the instance knew is worth nothing any more.
  private mutating func cut(
    _ index: Int, _ symbol: Int, _ event: ResolvedEvent, _ life: Subjects.Life
  ) {
    counts.cut += 1
    let state = instances[index].state
    if isJudging, possible.step(state, symbol, isOptional: false) == ModelStep.reject {
      let what = unexpected(state, symbol)
      tally.report(
        what.cause, missing: what.missing, at: event, since: instances[index].lastAt,
        subject: CandidateSubject(model.binding, life))
    }
    instances[index].state = Instance.idle
    instances[index].deadline = nil
  }

  private mutating func unexpected(
    _ state: Int32, _ symbol: Int
  ) -> (cause: String, missing: String) {
    let name = model.symbols[symbol].name
    if automaton == nil {
      return ("\(name) breaks: \(possible.name(state))", "")
    }
    let expected = possible.expected(state).map { model.symbols[$0].name }
    return (
      "event \(name) not expected in the state \(possible.name(state))",
      expected.isEmpty ? "" : "one of \(expected.joined(separator: ", "))"
    )
  }

  private func guardFailed(_ state: Int32, _ symbol: Int) -> (cause: String, missing: String) {
    let cell = Int(possible.only(state) ?? 0) * model.symbols.count + symbol
    let text = automaton?.guards[cell].map { condition in
      condition.alternatives.map { $0.map(\.text).joined(separator: " && ") }
        .joined(separator: " || ")
    }
    return (
      "event \(model.symbols[symbol].name) in the state \(possible.name(state)) "
        + "only if \(text ?? "")", ""
    )
  }

  private func late(_ state: Int32) -> (cause: String, missing: String) {
    let invariant = possible.only(state).flatMap { automaton?.invariants[Int($0)]?.text } ?? ""
    return ("still in the state \(possible.name(state)), which wants \(invariant)", "")
  }

  // MARK: - Ends

  /// The life of the object in `slot` is over: another one begins with `event`, or the trace ends
  /// after its death.
  mutating func end(_ slot: Int32, _ life: Subjects.Life, _ event: ResolvedEvent) {
    guard Int(slot) < instances.count else { return }
    let index = Int(slot)
    defer { instances[index] = Instance() }
    let state = instances[index].state
    guard state >= 0 else { return }
    guard event.resolution.cleanSince <= instances[index].lastAt else {
      counts.cut += 1
      return
    }
    if let deadline = instances[index].deadline, let now = time.nanoseconds(event.event.time),
      now > deadline
    {
      return stop(index, late(state), 0, event, life)
    }
    if let automaton {
      let isFinal = possible.states(state).contains { automaton.isFinal[Int($0)] }
      if isFinal { counts.final += 1 } else { counts.notFinal += 1 }
    } else if !possible.isContent(state) {
      stop(index, ("never came: \(possible.name(state))", ""), 0, event, life)
    }
  }

  /// The trace ends: `event` is the last one, `lives` are those of the objects by slot.
  mutating func finish(_ lives: [Subjects.Life], _ event: ResolvedEvent?) {
    guard let event else { return }
    for index in instances.indices where instances[index].state >= 0 {
      // An instance none of whose events is judged owes nothing at the end, either.
      isJudging = instances[index].isCounted
      if lives[index].isDead {
        end(Int32(truncatingIfNeeded: index), lives[index], event)
      } else if let deadline = instances[index].deadline,
        event.resolution.cleanSince <= instances[index].lastAt,
        let now = time.nanoseconds(event.event.time), now > deadline
      {
        stop(index, late(instances[index].state), 0, event, lives[index])
      } else {
        if isJudging { tally.pending += 1 }
      }
    }
  }
}

/// What was counted besides findings.
struct ModelCounts: Sendable {
  /// Instances stopped by a hole.
  var cut = 0
  /// Lives that were never monitored, since no event of theirs starts the model.
  var joinedLate = 0
  /// Instances whose life ended in a final state, and in another one.
  var final = 0
  var notFinal = 0
  /// Instances given up because too many states were possible.
  var tooMany = 0
}

/// Times of a trace in nanoseconds.
struct ModelTime: Sendable {
  private let unitsPerSecond: UInt64?

  init(_ clock: Clock) { unitsPerSecond = clock.unitsPerSecond.flatMap { $0 > 0 ? $0 : nil } }

  /// nil where the clock only counts events.
  func nanoseconds(_ time: UInt64) -> UInt64? {
    guard let unitsPerSecond else { return nil }
    if unitsPerSecond == 1_000_000_000 { return time }
    let (seconds, rest) = time.quotientAndRemainder(dividingBy: unitsPerSecond)
    let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    if overflow { return nil }
    let scaled = rest.multipliedFullWidth(by: 1_000_000_000)
    let (sum, tooLarge) = whole.addingReportingOverflow(
      unitsPerSecond.dividingFullWidth(scaled).quotient)
    return tooLarge ? nil : sum
  }
}
