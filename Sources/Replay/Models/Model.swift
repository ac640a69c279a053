public import TraceFormat

/// A property somebody wrote: an automaton or a formula over the events of one kind of object.
public struct Model: Sendable {
  /// File name without its ending; the id of its verdict.
  public let name: String
  /// The file, as it was named.
  public let file: String
  /// What it is about.
  public let binding: ObjectBinding
  /// What a reader of the file should know, each with line and column.
  public let notes: [String]

  /// What one event means to the model.
  struct Symbol: Sendable {
    let name: String
    let kinds: KindSet
  }

  /// An automaton, or a formula.
  enum Core: Sendable {
    case automaton(Automaton)
    case formula(LTLFormulas, rule: LTLFormulas.Index, propositions: [String], [Set<Int>])
  }

  let symbols: [Symbol]
  let core: Core
  /// Symbol of each kind by its raw value, -1 where the model does not know the kind.
  let symbolOfKind: [Int]

  private init(
    _ file: ModelFile, _ name: String, _ binding: ObjectBinding, _ notes: [String],
    _ symbols: [Symbol], _ core: Core
  ) {
    self.file = file.file
    self.name = name
    self.binding = binding
    self.notes = notes
    self.symbols = symbols
    self.core = core
    var symbolOfKind = Array(repeating: -1, count: 256)
    for (index, symbol) in symbols.enumerated() {
      for kind in symbol.kinds.kinds { symbolOfKind[Int(kind.rawValue)] = index }
    }
    self.symbolOfKind = symbolOfKind
  }

  /// Reads a model from the bytes of `file`.
  ///
  /// - Parameters:
  ///   - file: its name; `.dot` and `.gv` are automata, `.ltl` is a formula.
  ///   - binding: what it is about; nil leaves that to the file, or to the events it names.
  ///   - definitions: values of names that only the kernel knows.
  /// - Throws: ``TraceError`` that begins with `file:line:column`.
  public init(
    _ bytes: [UInt8], file: String, binding: ObjectBinding? = nil,
    definitions: ModelDefinitions = ModelDefinitions()
  ) throws(TraceError) {
    let text = try ModelFile(bytes, file: file)
    let base = file.split(separator: "/").last.map(String.init) ?? file
    let parts = base.split(separator: ".", omittingEmptySubsequences: false)
    let ending = parts.count > 1 ? String(parts[parts.count - 1]) : ""
    let name = parts.count > 1 ? parts.dropLast().joined(separator: ".") : base
    guard !name.isEmpty else {
      throw TraceError(file: file, what: "has no name", hint: "a model is NAME.dot or NAME.ltl")
    }
    var wanted = binding
    if wanted == nil { wanted = try Self.declaredBinding(text) }
    switch ending {
    case "dot", "gv":
      self = try Self.automaton(text, name, wanted, definitions)
    case "ltl":
      self = try Self.formula(text, name, wanted)
    default:
      throw TraceError(
        file: file, what: "is no model by its name",
        hint: "automata end in .dot or .gv, formulas in .ltl")
    }
  }

  /// What the file says itself: `# bind: lock` in a formula, a line `comment = "bind: lock";` before
  /// the states of an automaton.
  private static func declaredBinding(_ text: ModelFile) throws(TraceError) -> ObjectBinding? {
    for line in text.lines {
      if line.words.first?.text == "{node" { return nil }
      let isComment = line.text.contains("#") || line.words.first?.text == "comment"
      guard isComment, let place = line.words.firstIndex(where: { $0.text.hasSuffix("bind:") })
      else { continue }
      guard place + 1 < line.words.count else {
        throw text.error(line.words[place].place, "'bind:' without an object", hint: bindings)
      }
      let word = line.words[place + 1]
      let name = word.text.filter { $0.isLetter }
      guard let binding = ObjectBinding(rawValue: name) else {
        throw text.error(word.place, "'\(name)' is no object of a model", hint: bindings)
      }
      return binding
    }
    return nil
  }

  /// The objects a model can be about, for a person.
  static let bindings =
    "objects are " + ObjectBinding.allCases.map(\.rawValue).joined(separator: ", ")

  private static func automaton(
    _ text: ModelFile, _ name: String, _ wanted: ObjectBinding?, _ definitions: ModelDefinitions
  ) throws(TraceError) -> Model {
    let result = try DotReader.read(text, definitions)
    var symbols: [Symbol] = []
    for event in result.automaton.events {
      let place = result.eventPlaces[event] ?? ModelPlace(line: 1, column: 1)
      let kinds = try kinds(of: event, at: place, in: text)
      if let other = symbols.first(where: { !$0.kinds.isDisjoint(from: kinds) }) {
        throw text.error(
          place, "'\(event)' and '\(other.name)' are names of one event", hint: "use one of them")
      }
      symbols.append(Symbol(name: event, kinds: kinds))
    }
    let binding = try bind(symbols, result.eventPlaces, wanted, text)
    return Model(
      text, name, binding, result.notes, symbols, .automaton(result.automaton))
  }

  private static func formula(
    _ text: ModelFile, _ name: String, _ wanted: ObjectBinding?
  ) throws(TraceError) -> Model {
    let result = try LTLReader.read(text)
    var places: [String: ModelPlace] = [:]
    result.rule.forEachName { name, place in if places[name] == nil { places[name] = place } }
    let names = places.keys.sortedNames()
    guard !names.isEmpty else {
      throw TraceError(file: text.file, what: "the rule names no event")
    }
    var propositions: [Symbol] = []
    for name in names {
      let kinds = try kinds(of: name, at: places[name] ?? ModelPlace(line: 1, column: 1), in: text)
      propositions.append(Symbol(name: name, kinds: kinds))
    }
    let binding = try bind(propositions, places, wanted, text)
    var formulas = LTLFormulas()
    let index = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
    let rule = result.rule.normal(true, index, &formulas)
    let (symbols, valuations) = valuations(propositions)
    return Model(
      text, name, binding, result.notes, symbols,
      .formula(formulas, rule: rule, propositions: names, valuations))
  }

  /// One symbol for each set of propositions that some event makes true.
  private static func valuations(_ propositions: [Symbol]) -> ([Symbol], [Set<Int>]) {
    var symbols: [Symbol] = []
    var valuations: [Set<Int>] = []
    for kind in EventKind.allCases {
      let truths = Set(propositions.indices.filter { propositions[$0].kinds.contains(kind) })
      guard !truths.isEmpty else { continue }
      if let index = valuations.firstIndex(of: truths) {
        symbols[index] = Symbol(
          name: symbols[index].name, kinds: symbols[index].kinds.union([kind]))
      } else {
        let names = truths.sorted().map { propositions[$0].name }
        symbols.append(Symbol(name: names.joined(separator: "+"), kinds: [kind]))
        valuations.append(truths)
      }
    }
    return (symbols, valuations)
  }

  private static func kinds(
    of name: String, at place: ModelPlace, in text: ModelFile
  ) throws(TraceError) -> KindSet {
    if let kinds = ModelVocabulary.kinds(named: name) { return kinds }
    let hint =
      ModelVocabulary.suggestion(for: name).map { "did you mean '\($0)'?" }
      ?? "docs/MODELS.md lists the events a model can name"
    throw text.error(place, "no event is called '\(name)'", hint: hint)
  }

  private static func bind(
    _ symbols: [Symbol], _ places: [String: ModelPlace], _ wanted: ObjectBinding?,
    _ text: ModelFile
  ) throws(TraceError) -> ObjectBinding {
    let named = symbols.filter { !$0.kinds.isEmpty }
    if let wanted {
      for symbol in named where symbol.kinds.isDisjoint(from: wanted.events) {
        throw text.error(
          places[symbol.name] ?? ModelPlace(line: 1, column: 1),
          "'\(symbol.name)' never concerns a \(wanted.rawValue)",
          hint: "remove it, or bind the model to another object (--bind)")
      }
      return wanted
    }
    if let binding = ObjectBinding.inferred(from: named.map(\.kinds)) { return binding }
    // Name the first event that the object of the others cannot see.
    for count in named.indices.dropFirst()
    where ObjectBinding.inferred(from: named.prefix(count + 1).map(\.kinds)) == nil {
      let before = ObjectBinding.inferred(from: named.prefix(count).map(\.kinds)) ?? .table
      throw text.error(
        places[named[count].name] ?? ModelPlace(line: 1, column: 1),
        "'\(named[count].name)' never concerns a \(before.rawValue), as the other events do",
        hint: "a model is about one object (--bind)")
    }
    throw TraceError(
      file: text.file, what: "names no event of any object", hint: bindings)
  }
}

extension LTLExpression {
  /// Calls `body` with every name, left to right.
  func forEachName(_ body: (String, ModelPlace) -> Void) {
    switch self {
    case .constant: break
    case .name(let name, let place): body(name, place)
    case .not(let inner), .always(let inner), .eventually(let inner), .next(let inner):
      inner.forEachName(body)
    case .until(let left, let right), .and(let left, let right), .or(let left, let right),
      .imply(let left, let right), .equivalent(let left, let right):
      left.forEachName(body)
      right.forEachName(body)
    }
  }
}
