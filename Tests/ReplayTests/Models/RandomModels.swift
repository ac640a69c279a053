import TraceFormat

/// Random automata in the kernel's dialect, and random lives of tables to run them on.
enum RandomModels {
  static let kinds: [EventKind] = [
    .tableAlloc, .tableConstruct, .tableInstall, .tableUnlink, .tableQueueBatch, .tableDestruct,
    .tableFree, .tableDeposit,
  ]

  /// A text every state of which can be reached.
  static func automaton(_ random: inout SplitMix64) -> String {
    let names = ["idle", "b,usy", "Z_", "alive", "q1", "gone"]
    let count = 2 + random.below(names.count - 1)
    let states = Array(names.shuffled(using: &random).prefix(count))
    let events = Array(kinds.shuffled(using: &random).prefix(2 + random.below(6))).map(\.name)
    var edges: [(from: String, to: String, events: [String])] = []
    // A tree first: each state from an earlier one.
    var used: [String: Set<String>] = [:]
    func free(_ state: String) -> [String] {
      events.filter { !(used[state]?.contains($0) ?? false) }
    }
    for index in 1..<count {
      let sources = states[..<index].filter { !free($0).isEmpty }
      guard let from = sources.randomElement(using: &random) else { return automaton(&random) }
      let event = free(from).randomElement(using: &random)!
      used[from, default: []].insert(event)
      edges.append((from, states[index], [event]))
    }
    for _ in 0..<random.below(10) {
      let from = states.randomElement(using: &random)!
      let left = free(from).shuffled(using: &random).prefix(1 + random.below(3))
      guard !left.isEmpty else { continue }
      used[from, default: []].formUnion(left)
      edges.append((from, states.randomElement(using: &random)!, Array(left)))
    }
    return text(states, edges, &random)
  }

  private static func text(
    _ states: [String], _ edges: [(from: String, to: String, events: [String])],
    _ random: inout SplitMix64
  ) -> String {
    var lines = ["digraph state_automaton {"]
    if random.oneIn(2) { lines += ["\tcenter = true;", "\tsize = \"7,11\";"] }
    let initialPlace = random.below(states.count + 1)
    let marks = ["circle", "circle", "circle", "doublecircle", "ellipse"]
    for (index, state) in states.shuffled(using: &random).enumerated() {
      if index == initialPlace { lines.append(initialLine(states[0])) }
      let mark = marks.randomElement(using: &random)!
      lines.append("\t{node [shape = \(mark)] \"\(state)\"};")
      if random.oneIn(6) { lines.append("\t{node [shape = circle] \"\(state)\"};") }
    }
    if initialPlace == states.count { lines.append(initialLine(states[0])) }
    if random.oneIn(8) { lines.append("") }
    lines.append("\t\"__init_\(states[0])\" -> \"\(states[0])\";")
    var body = edges.map { edge in
      "\t\"\(edge.from)\" -> \"\(edge.to)\" [ label = \"\(edge.events.joined(separator: "\\n"))\" ];"
    }
    body += states.map { "\t\"\($0)\" [label = \"\($0)\", color = green3];" }
    lines += body.shuffled(using: &random)
    lines += ["\t{ rank = min ;", "\t\t\"__init_\(states[0])\";", "\t}", "}"]
    return lines.joined(separator: "\n") + "\n"
  }

  private static func initialLine(_ state: String) -> String {
    "\t{node [shape = plaintext, style=invis, label=\"\"] \"__init_\(state)\"};"
  }

  /// Events of a few tables in any order, sometimes with holes.
  static func events(_ random: inout SplitMix64) -> Trace {
    let hasHoles = random.oneIn(3)
    var random = random
    return Trace { trace in
      for _ in 0..<(20 + random.below(60)) {
        if hasHoles, random.oneIn(25) {
          trace.loss(cpu: UInt16(random.below(2)))
          if random.oneIn(2) { trace.emit(.tableInstall, UInt64(1 + random.below(4))) }
          trace.lossEnd(cpu: trace.events.last { $0.kind == .loss }!.cpu)
        }
        trace.emit(kinds.randomElement(using: &random)!, UInt64(1 + random.below(4)))
      }
    }
  }
}
