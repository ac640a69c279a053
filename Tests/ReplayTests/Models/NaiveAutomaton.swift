import Foundation
import TraceFormat

/// The kernel's reader and run, written a second time from kernel-facts §9.1 alone: a dictionary for
/// the matrix, strings for states, one walk over the trace for each object. It shares nothing with
/// Replay, checks nothing and is slow.
struct NaiveAutomaton {
  var states: [String] = []
  var events: [String] = []
  var finals: Set<String> = []
  /// "state event" to next state.
  var edges: [String: String] = [:]

  var initial: String { states[0] }

  /// §9.1.1–9.1.5.
  init(_ text: String) {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    precondition(lines.removeFirst().hasPrefix("digraph state_automaton"))
    while !Self.words(lines[0]).starts(with: ["{node"]) { lines.removeFirst() }
    var found: Set<String> = []
    var first = ""
    while Self.words(lines[0]).starts(with: ["{node"]) {
      let line = lines.removeFirst()
      let name = Self.words(line).last!.filter { $0 != "\"" }.replacingOccurrences(
        of: "};", with: ""
      )
      .replacingOccurrences(of: ",", with: "_")
      if name.hasPrefix("__init_") {
        first = String(name.dropFirst("__init_".count))
      } else {
        found.insert(name)
        if line.contains("doublecircle") || line.contains("ellipse") { finals.insert(name) }
      }
    }
    if finals.isEmpty { finals = [first] }
    states =
      [first]
      + found.subtracting([first]).sorted { Array($0.utf8).lexicographicallyPrecedes($1.utf8) }
    // rvgen looks for the initial edge behind blank lines, too.
    while Self.words(lines[0]).isEmpty { lines.removeFirst() }
    lines.removeFirst()
    var named: Set<String> = []
    for line in lines {
      guard line.drop(while: { $0 == " " || $0 == "\t" }).hasPrefix("\"") else { break }
      let words = Self.words(line)
      guard words[1] == "->" else { continue }
      let from = words[0].filter { $0 != "\"" }.replacingOccurrences(of: ",", with: "_")
      let to = words[2].filter { $0 != "\"" }.replacingOccurrences(of: ",", with: "_")
      let start = words.firstIndex(of: "label")! + 2
      let label = words[start..<(words.count - 1)].joined().filter { $0 != "\"" }
      for event in label.components(separatedBy: "\\n") {
        named.insert(event)
        edges[from + " " + event] = to
      }
    }
    events = named.sorted { Array($0.utf8).lexicographicallyPrecedes($1.utf8) }
  }

  private static func words(_ line: String) -> [String] {
    line.split(whereSeparator: \.isWhitespace).map(String.init)
  }

  /// What the run of one model over a trace of table events amounts to.
  struct Outcome: Equatable {
    var violations = 0
    var undecided = 0
    var monitored = 0
  }

  /// §9.1.7 and §9.2: one instance per (pfn, generation), stopped by a violation or by a hole.
  func run(_ trace: [Event]) -> Outcome {
    var outcome = Outcome()
    var generation: [UInt64: Int] = [:]
    var order: [String] = []
    var members: [String: [Int]] = [:]
    for (index, event) in trace.enumerated() where event.kind.name.hasPrefix("pt_") {
      if event.kind == .tableAlloc { generation[event.object, default: 0] += 1 }
      let key = "\(event.object)#\(generation[event.object] ?? 0)"
      if members[key] == nil { order.append(key) }
      members[key, default: []].append(index)
    }
    for key in order { runOne(members[key]!.map { ($0, trace[$0]) }, trace, &outcome) }
    return outcome
  }

  private func runOne(_ steps: [(Int, Event)], _ trace: [Event], _ outcome: inout Outcome) {
    var state: String?
    var last = 0
    var wasMonitored = false
    for (place, event) in steps {
      let name = event.kind.name
      guard events.contains(name) else { continue }
      if let current = state, hasHole(in: trace, from: last, to: place) {
        if edges[current + " " + name] == nil { outcome.undecided += 1 }
        state = nil
      }
      if state == nil {
        let uses = states.filter { edges[$0 + " " + name] != nil }
        let leadsHome = uses.allSatisfy { edges[$0 + " " + name] == initial }
        let isRun = uses == [initial]
        guard leadsHome || isRun else { continue }
        state = initial
        if !wasMonitored { outcome.monitored += 1 }
        wasMonitored = true
        last = place
        if leadsHome { continue }
      }
      if let next = edges[state! + " " + name] {
        state = next
      } else {
        outcome.violations += 1
        state = nil
      }
      last = place
    }
  }

  /// Whether any event may be missing between two places of a trace.
  private func hasHole(in trace: [Event], from: Int, to: Int) -> Bool {
    var open = 0
    for (place, event) in trace.enumerated() where place <= to {
      if event.kind == .loss { open += 1 }
      if event.kind == .lossEnd {
        open -= 1
        if place > from { return true }
      }
    }
    return open > 0
  }
}
