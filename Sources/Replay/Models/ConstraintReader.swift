import TraceFormat

/// Reads what stands behind an event (`ev;clk<10ms;reset(clk)`) or a state (`S\nclk < 10ms`).
///
/// A name is a clock if it is reset anywhere or compared with a time; other names must be what an
/// event says of itself (``Constraint/EventVariable``): the kernel asks C functions for them.
struct ConstraintReader {
  /// What is written behind one event.
  struct Parts {
    var guardText: String?
    var reset: String?
  }

  private let file: ModelFile
  private let definitions: ModelDefinitions
  /// Clocks, by code point.
  private(set) var clocks: [String] = []
  /// Unit of a clock where a comparison of it has one (the last one counts).
  private var units: [String: ModelDefinitions.Duration.Unit] = [:]

  init(_ file: ModelFile, _ definitions: ModelDefinitions) {
    self.file = file
    self.definitions = definitions
  }

  // MARK: - First pass: which names are clocks

  /// Notes the names in a constraint.
  mutating func survey(_ parts: [String]) {
    for part in parts {
      if let name = Self.resetName(part) {
        note(clock: name)
        continue
      }
      for term in Self.terms(part) {
        guard let split = Self.split(term.text) else { continue }
        if let unit = unit(of: split.value) {
          units[split.name] = unit
          note(clock: split.name)
        }
      }
    }
  }

  private mutating func note(clock name: String) {
    if !clocks.contains(name) { clocks = (clocks + [name]).sortedNames() }
  }

  /// The unit a value is written with, or that its name or its definition tells.
  private func unit(of value: String) -> ModelDefinitions.Duration.Unit? {
    if let number = ModelDefinitions.Duration.parse(value) { return number.unit }
    let name = value.lowercased().replacing("()", with: "")
    if name.hasSuffix("_ns") { return .ns }
    if name.hasSuffix("_jiffies") { return .j }
    return definitions[value]?.unit
  }

  // MARK: - Second pass

  /// Splits what stands behind an event into its guard and its reset, in either order.
  func parts(_ texts: [String], at place: ModelPlace) throws(TraceError) -> Parts {
    guard texts.count <= 2 else {
      throw file.error(
        place, "an event has more than one guard and one reset", hint: "the kernel takes one each")
    }
    var parts = Parts()
    for text in texts {
      if let name = Self.resetName(text) {
        guard parts.reset == nil else {
          throw file.error(place, "two resets on one event", hint: "the kernel takes one")
        }
        parts.reset = name
      } else {
        guard parts.guardText == nil else {
          throw file.error(place, "two guards on one event", hint: "join them by && or ||")
        }
        parts.guardText = text
      }
    }
    return parts
  }

  /// Reads a guard.
  func constraint(_ text: String, at place: ModelPlace) throws(TraceError) -> Constraint {
    var alternatives: [[Constraint.Term]] = [[]]
    for term in Self.terms(text) {
      alternatives[alternatives.count - 1].append(try self.term(term.text, at: place))
      if term.joint == "||" { alternatives.append([]) }
    }
    return Constraint(alternatives: alternatives)
  }

  /// Reads a state's invariant: one upper bound of one clock.
  func invariant(_ text: String, at place: ModelPlace) throws(TraceError) -> Constraint.Term {
    let term = try term(text, at: place)
    guard case .clock = term.variable,
      term.comparison == .less || term.comparison == .lessOrEqual
    else {
      throw file.error(
        place, "'\(text)' cannot be a state's invariant",
        hint: "the kernel takes an upper bound of one clock, such as clk < 10ms")
    }
    return term
  }

  private func term(_ text: String, at place: ModelPlace) throws(TraceError) -> Constraint.Term {
    guard let split = Self.split(text) else {
      throw file.error(
        place, "'\(text)' is no constraint",
        hint: "write NAME OP VALUE (a name of two letters or more; < > <= >= == !=), or reset(NAME)"
      )
    }
    if let index = clocks.firstIndex(of: split.name) {
      return Constraint.Term(
        variable: .clock(index), comparison: split.comparison,
        value: try nanoseconds(split, at: place), text: text)
    }
    guard let variable = Constraint.EventVariable(rawValue: split.name) else {
      let known = Constraint.EventVariable.allCases.map(\.rawValue).joined(separator: ", ")
      throw file.error(
        place, "'\(split.name)' is not known here",
        hint: "it is no clock (never reset, no unit of time), and events tell only \(known)")
    }
    return Constraint.Term(
      variable: .event(variable), comparison: split.comparison,
      value: try number(split, at: place).value, text: text)
  }

  private func number(
    _ split: Split, at place: ModelPlace
  ) throws(TraceError) -> (value: UInt64, unit: ModelDefinitions.Duration.Unit?) {
    if let number = ModelDefinitions.Duration.parse(split.value) { return number }
    if let number = definitions[split.value] { return number }
    let name = split.value.replacing("()", with: "")
    if name.first?.isNumber == true {
      throw file.error(
        place, "'\(split.value)' is no number with a unit", hint: "units are ns, us, ms, s, j")
    }
    throw file.error(
      place, "the value of '\(split.value)' is decided in the kernel",
      hint: "give one with --define \(name)=VALUE, such as 10ms")
  }

  private func nanoseconds(_ split: Split, at place: ModelPlace) throws(TraceError) -> UInt64 {
    let (value, written) = try number(split, at: place)
    let unit = written ?? unit(of: split.value) ?? units[split.name] ?? .ns
    guard let length = unit.nanoseconds(hertz: definitions["HZ"]?.value) else {
      throw file.error(
        place, "the length of a jiffy is not known here",
        hint: "give it with --define HZ=250, or use ms")
    }
    let (product, overflow) = value.multipliedReportingOverflow(by: length)
    if overflow { throw file.error(place, "'\(split.value)' is longer than any trace") }
    return product
  }

  // MARK: - Text

  struct Split {
    let name: String
    let comparison: Constraint.Comparison
    let value: String
  }

  /// `reset(clk)`.
  static func resetName(_ text: String) -> String? {
    guard text.hasPrefix("reset("), text.hasSuffix(")") else { return nil }
    let name = text.dropFirst(6).dropLast()
    return isName(name) ? String(name) : nil
  }

  /// The comparisons of a constraint, each with what joins it to the next.
  static func terms(_ text: String) -> [(text: String, joint: String?)] {
    var terms: [(String, String?)] = []
    var rest = Substring(text)
    while true {
      let and = rest.firstRange(of: "&&")
      let or = rest.firstRange(of: "||")
      let range: Range<Substring.Index>? =
        switch (and, or) {
        case (let and?, let or?): and.lowerBound < or.lowerBound ? and : or
        default: and ?? or
        }
      guard let range else {
        terms.append((String(rest), nil))
        return terms
      }
      terms.append((String(rest[..<range.lowerBound]), String(rest[range])))
      rest = rest[range.upperBound...]
    }
  }

  /// Name, operator and value of a comparison.
  static func split(_ text: String) -> Split? {
    guard let start = text.firstIndex(where: { "<>=!".contains($0) }) else { return nil }
    let end = text[start...].firstIndex { !"<>=!".contains($0) } ?? text.endIndex
    let name = text[..<start]
    let value = text[end...]
    guard isName(name), let comparison = Constraint.Comparison(rawValue: String(text[start..<end])),
      !value.isEmpty, isValue(value)
    else { return nil }
    return Split(name: String(name), comparison: comparison, value: String(value))
  }

  /// A C identifier of two letters or more: the kernel's reader sees no shorter ones.
  private static func isName(_ text: Substring) -> Bool {
    guard let first = text.utf8.first, text.utf8.count >= 2 else { return false }
    return !(48...57).contains(first) && text.utf8.allSatisfy(isWordByte)
  }

  private static func isValue(_ text: Substring) -> Bool {
    text.replacing("()", with: "").utf8.allSatisfy(isWordByte)
  }

  private static func isWordByte(_ byte: UInt8) -> Bool {
    (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 95
  }
}
