import TraceFormat

/// Reads a `.dot` file as the kernel's rvgen does (kernel-facts §9.1) and into the same matrix.
///
/// It reads lines and words, not graphviz: a file that is good graphviz may be no model. Where the
/// kernel's readers pass over something in silence, a note says so; where they crash, the error
/// says where. What dot2k of 6.1 and 6.12 reads differently is a note as well.
struct DotReader {
  private let file: ModelFile
  private var constraints: ConstraintReader
  private var stateNames: [String] = []
  private var statePlaces: [String: ModelPlace] = [:]
  private var finals: Set<String> = []
  private var initial: (name: String, place: ModelPlace)?
  private var edges: [Edge] = []
  private var labels: [Label] = []
  /// What a reader of the file should know, with its place.
  private(set) var notes: [String] = []
  /// Where each event is first named.
  private(set) var eventPlaces: [String: ModelPlace] = [:]

  private struct Edge {
    let from: String
    let to: String
    let event: String
    let constraints: [String]
    let place: ModelPlace
    let fromPlace: ModelPlace
    let toPlace: ModelPlace
  }

  private struct Label {
    let state: String
    let constraint: String
    let place: ModelPlace
  }

  private init(_ file: ModelFile, _ definitions: ModelDefinitions) {
    self.file = file
    constraints = ConstraintReader(file, definitions)
  }

  /// What a file holds.
  struct Result {
    let automaton: Automaton
    let eventPlaces: [String: ModelPlace]
    let notes: [String]
  }

  /// Reads a file.
  ///
  /// - Throws: ``TraceError`` with line and column.
  static func read(
    _ file: ModelFile, _ definitions: ModelDefinitions = ModelDefinitions()
  ) throws(TraceError) -> Result {
    var reader = DotReader(file, definitions)
    let begin = try reader.readStates()
    try reader.readEdges(from: begin)
    let automaton = try reader.build()
    return Result(automaton: automaton, eventPlaces: reader.eventPlaces, notes: reader.notes)
  }

  // MARK: - States

  /// Reads the states; returns the index of the first line after the initial edge.
  private mutating func readStates() throws(TraceError) -> Int {
    guard let first = file.lines.first else { throw TraceError(file: file.file, what: "is empty") }
    guard first.words.count >= 2, first.words[0].text == "digraph",
      first.words[1].text == "state_automaton"
    else {
      throw file.error(
        ModelPlace(line: 1, column: 1), "no model of the kernel's dialect",
        hint: "the first line must begin with 'digraph state_automaton'")
    }
    guard let begin = file.lines.firstIndex(where: { $0.words.first?.text == "{node" }) else {
      throw file.error(
        ModelPlace(line: file.lines.count, column: 1), "no states",
        hint: "states are lines such as {node [shape = circle] \"installed\"};")
    }
    var cursor = begin
    while cursor < file.lines.count, file.lines[cursor].words.first?.text == "{node" {
      try readState(file.lines[cursor])
      cursor += 1
    }
    guard let initial else {
      throw file.error(
        file.lines[begin].words[0].place, "no initial state",
        hint: "mark it: {node [shape = plaintext] \"__init_NAME\"};")
    }
    guard statePlaces[initial.name] != nil else {
      throw file.error(
        initial.place, "the initial state '\(initial.name)' is no state of this model",
        hint: "list it without __init_, too")
    }
    guard cursor < file.lines.count else {
      throw file.error(ModelPlace(line: cursor, column: 1), "the file ends after its states")
    }
    let skipped = firstLine(from: cursor)
    let words = file.lines[skipped].words.map(\.text)
    let isInitialEdge =
      words.count >= 3 && words[0] == "\"__init_\(initial.name)\"" && words[1] == "->"
    if !isInitialEdge, let word = file.lines[skipped].words.first {
      note(word.place, "the line after the states is passed over, whatever it says")
    }
    return skipped + 1
  }

  /// The line the kernel's reader takes for the initial edge: blank lines count for nothing, and
  /// states after a blank line are neither states nor edges.
  private mutating func firstLine(from cursor: Int) -> Int {
    for index in cursor..<file.lines.count {
      guard let word = file.lines[index].words.first else { continue }
      if word.text != "{node" { return index }
      note(word.place, "this state is passed over: a blank line has ended the states")
    }
    return file.lines.count - 1
  }

  private mutating func readState(_ line: ModelFile.Line) throws(TraceError) {
    guard let last = line.words.last, line.words.count >= 2 else {
      throw file.error(line.words[0].place, "a state without a name")
    }
    let name = last.text.replacing("\"", with: "").replacing("};", with: "")
      .replacing(",", with: "_")
    guard !name.isEmpty else {
      throw file.error(
        last.place, "the last word of this line is no state's name",
        hint: "end it with \"NAME\"}; without spaces")
    }
    let place = file.place(of: "\"", in: line, after: last.place.column)
    if name.hasPrefix("__init_") {
      if let initial, initial.name != String(name.dropFirst(7)) {
        throw file.error(place, "a second initial state", hint: "the first is '\(initial.name)'")
      }
      initial = (String(name.dropFirst(7)), place)
      return
    }
    if statePlaces[name] == nil {
      stateNames.append(name)
      statePlaces[name] = place
    }
    if line.text.contains("doublecircle") || line.text.contains("ellipse") { finals.insert(name) }
  }

  // MARK: - Edges and labels

  private mutating func readEdges(from begin: Int) throws(TraceError) {
    var cursor = begin
    while cursor < file.lines.count,
      file.lines[cursor].words.first?.text.hasPrefix("\"") == true
    {
      let line = file.lines[cursor]
      if line.words.count > 1, line.words[1].text == "->" {
        try readEdge(line)
      } else {
        try readLabel(line)
      }
      cursor += 1
    }
    for line in file.lines.dropFirst(cursor)
    where line.words.count > 2 && line.words[0].text.hasPrefix("\"") && line.words[1].text == "->" {
      note(
        line.words[0].place,
        "this edge is passed over: the first line that does not begin with a quote ends the edges")
    }
  }

  private mutating func readEdge(_ line: ModelFile.Line) throws(TraceError) {
    let words = line.words
    guard words.count > 2 else {
      throw file.error(words[1].place, "an edge without a target")
    }
    guard let label = words.firstIndex(where: { $0.text == "label" }), words.count > label + 3,
      words[label + 1].text == "=", words[words.count - 1].text == "];"
    else {
      throw file.error(
        words[min(3, words.count - 1)].place, "an edge without an event",
        hint: "write [ label = \"EVENT\" ]; with these spaces")
    }
    let written = words[(label + 2)..<(words.count - 1)]
    let text = written.map(\.text).joined().replacing("\"", with: "")
    let first = written[label + 2]
    if written.count > 1, !text.contains(";") {
      note(first.place, "dot2k of 6.1 and 6.12 reads only the last word of this label")
    }
    let from = words[0].text.replacing("\"", with: "").replacing(",", with: "_")
    let to = words[2].text.replacing("\"", with: "").replacing(",", with: "_")
    for piece in text.pieces("\\n") {
      let parts = piece.pieces(";")
      let event = parts[0]
      let place = file.place(of: event, in: line, after: first.place.column)
      guard !event.isEmpty else {
        throw file.error(first.place, "an empty event in this label")
      }
      if eventPlaces[event] == nil { eventPlaces[event] = place }
      constraints.survey(Array(parts.dropFirst()))
      edges.append(
        Edge(
          from: from, to: to, event: event, constraints: Array(parts.dropFirst()), place: place,
          fromPlace: words[0].place, toPlace: words[2].place))
    }
  }

  private mutating func readLabel(_ line: ModelFile.Line) throws(TraceError) {
    let pieces = line.text.pieces("label")
    let quoted = pieces.count > 1 ? pieces[1].pieces("\"") : []
    guard quoted.count > 1 else {
      throw file.error(
        line.words[0].place, "neither an edge nor a state's label",
        hint: "write \"A\" -> \"B\" [ label = \"EVENT\" ]; or \"A\" [label = \"A\"];")
    }
    let parts = quoted[1].replacing(" ", with: "").pieces("\\n")
    guard parts.count > 1 else { return }
    let place = file.place(of: quoted[1], in: line)
    guard parts.count == 2 else {
      throw file.error(place, "more than one invariant in a state", hint: "the kernel takes one")
    }
    constraints.survey([parts[1]])
    labels.append(Label(state: parts[0], constraint: parts[1], place: place))
  }

  private mutating func note(_ place: ModelPlace, _ text: String) {
    notes.append("\(file.file):\(place.line):\(place.column): \(text)")
  }

  // MARK: - The matrix

  private mutating func build() throws(TraceError) -> Automaton {
    let initial = initial?.name ?? ""
    let states = [initial] + stateNames.sortedNames().filter { $0 != initial }
    let events = edges.map(\.event).sortedNames()
    guard let last = file.lines.last, !events.isEmpty else {
      throw file.error(
        ModelPlace(line: file.lines.count, column: 1), "no edges: the model expects no event")
    }
    guard states.count <= 4096, events.count <= 1024 else {
      throw file.error(ModelPlace(line: last.number, column: 1), "too large for a model")
    }
    var automaton = Automaton(
      states: states, events: events,
      next: Array(repeating: Automaton.invalid, count: states.count * events.count),
      isFinal: states.map { finals.isEmpty ? $0 == initial : finals.contains($0) })
    automaton.clocks = constraints.clocks
    let stateIndex = Dictionary(uniqueKeysWithValues: states.enumerated().map { ($1, $0) })
    let eventIndex = Dictionary(uniqueKeysWithValues: events.enumerated().map { ($1, $0) })
    for edge in edges {
      let from = try index(edge.from, stateIndex, edge.fromPlace)
      let to = try index(edge.to, stateIndex, edge.toPlace)
      let cell = from * events.count + (eventIndex[edge.event] ?? 0)
      if automaton.next[cell] != Automaton.invalid, automaton.next[cell] != Int32(to) {
        note(
          edge.place, "'\(edge.event)' already leaves '\(edge.from)': this edge, the later, counts")
      }
      automaton.next[cell] = Int32(to)
      try constrain(edge, cell, &automaton)
    }
    for label in labels {
      let state = try index(label.state, stateIndex, label.place)
      automaton.invariants[state] = try constraints.invariant(label.constraint, at: label.place)
    }
    if let lost = automaton.unreachable.first, let place = statePlaces[states[lost]] {
      throw file.error(
        place, "state '\(states[lost])' cannot be reached from '\(initial)'",
        hint: "add an edge that leads to it, or remove it")
    }
    return automaton
  }

  /// As in the kernel's reader, a later edge without constraints leaves those of an earlier one.
  private func constrain(
    _ edge: Edge, _ cell: Int, _ automaton: inout Automaton
  ) throws(TraceError) {
    guard !edge.constraints.isEmpty else { return }
    let parts = try constraints.parts(edge.constraints, at: edge.place)
    automaton.guards[cell] = nil
    automaton.resets[cell] = nil
    if let text = parts.guardText {
      automaton.guards[cell] = try constraints.constraint(text, at: edge.place)
    }
    if let clock = parts.reset {
      automaton.resets[cell] = automaton.clocks.firstIndex(of: clock)
    }
  }

  private func index(
    _ name: String, _ states: [String: Int], _ place: ModelPlace
  ) throws(TraceError) -> Int {
    guard let index = states[name] else {
      throw file.error(
        place, "'\(name)' is no state of this model", hint: "add a {node …} line for it")
    }
    return index
  }
}
