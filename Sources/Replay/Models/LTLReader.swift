import TraceFormat

/// Reads an `.ltl` file in rvgen's notation (kernel-facts §9.3).
///
/// `NAME = expression`, one of the names being `RULE`; `#` begins a comment. There is no precedence:
/// a binary operator takes one operand to its left and everything to its right, and so does a unary
/// one. Where that is easily misread, a note says how it is read.
struct LTLReader {
  private let file: ModelFile
  private var tokens: [ModelFile.Word] = []
  private var position = 0
  private var depth = 0
  private(set) var notes: [String] = []

  private static let unary: Set<String> = ["always", "eventually", "next", "not"]
  private static let binary: Set<String> = ["until", "and", "or", "imply", "equivalent"]
  private static let maximumDepth = 200

  /// What a file holds: the rule with its abbreviations replaced.
  struct Result {
    let rule: LTLExpression
    let notes: [String]
  }

  private init(_ file: ModelFile) { self.file = file }

  /// Reads a file.
  ///
  /// - Throws: ``TraceError`` with line and column.
  static func read(_ file: ModelFile) throws(TraceError) -> Result {
    var reader = LTLReader(file)
    try reader.split()
    var definitions: [String: (place: ModelPlace, expression: LTLExpression)] = [:]
    var order: [String] = []
    while reader.position < reader.tokens.count {
      let (name, expression) = try reader.assignment()
      if let earlier = definitions[name.text] {
        throw file.error(
          name.place, "'\(name.text)' is defined twice", hint: "first in line \(earlier.place.line)"
        )
      }
      definitions[name.text] = (name.place, expression)
      order.append(name.text)
    }
    guard let rule = definitions["RULE"] else {
      throw file.error(
        ModelPlace(line: max(1, file.lines.count), column: 1), "no RULE",
        hint: "write RULE = always (…)")
    }
    var used: Set<String> = ["RULE"]
    var size = 0
    let expression = try reader.replace(
      rule.expression, definitions.mapValues(\.expression), ["RULE"], &used, &size)
    for name in order where !used.contains(name) {
      reader.note(definitions[name]!.place, "'\(name)' is not used by the rule")
    }
    return Result(rule: expression, notes: reader.notes)
  }

  // MARK: - Words

  private mutating func split() throws(TraceError) {
    for line in file.lines {
      let scalars = Array(line.text.unicodeScalars)
      var index = 0
      while index < scalars.count {
        let scalar = scalars[index]
        let place = ModelPlace(line: line.number, column: index + 1)
        if scalar == "#" { break }
        if scalar.properties.isWhitespace {
          index += 1
        } else if "()=".unicodeScalars.contains(scalar) {
          tokens.append(.init(text: String(scalar), place: place))
          index += 1
        } else if Self.isWord(scalar) {
          var text = String.UnicodeScalarView()
          while index < scalars.count, Self.isWord(scalars[index]) {
            text.append(scalars[index])
            index += 1
          }
          tokens.append(.init(text: String(text), place: place))
        } else {
          throw file.error(
            place, "'\(scalar)' has no meaning here", hint: "operators are words: and, or, not …")
        }
      }
    }
  }

  private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
    scalar.isASCII
      && (scalar.properties.isAlphabetic || "0123456789_".unicodeScalars.contains(scalar))
  }

  private static func isName(_ text: String) -> Bool {
    guard let first = text.utf8.first, !(48...57).contains(first) else { return false }
    return text.utf8.allSatisfy { (65...90).contains($0) || (48...57).contains($0) || $0 == 95 }
  }

  // MARK: - Grammar

  private var token: ModelFile.Word? { position < tokens.count ? tokens[position] : nil }

  private var end: ModelPlace {
    guard let last = tokens.last else { return ModelPlace(line: 1, column: 1) }
    return ModelPlace(
      line: last.place.line, column: last.place.column + last.text.unicodeScalars.count)
  }

  private mutating func assignment() throws(TraceError) -> (ModelFile.Word, LTLExpression) {
    guard let name = token, Self.isName(name.text) else {
      throw file.error(
        token?.place ?? end, "'\(token?.text ?? "")' cannot begin a definition",
        hint: "write NAME = expression, the name in capitals")
    }
    position += 1
    guard token?.text == "=" else {
      throw file.error(token?.place ?? end, "'=' is missing after '\(name.text)'")
    }
    position += 1
    return (name, try expression())
  }

  /// `operand`, `operand binary expression`, or `unary expression`.
  private mutating func expression() throws(TraceError) -> LTLExpression {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.maximumDepth else {
      throw file.error(token?.place ?? end, "nested too deeply")
    }
    if let word = token, Self.unary.contains(word.text) {
      position += 1
      let first = position
      let inner = try expression()
      warn(unary: word, from: first)
      return switch word.text {
      case "always": .always(inner)
      case "eventually": .eventually(inner)
      case "next": .next(inner)
      default: .not(inner)
      }
    }
    let left = try operand()
    guard let word = token, Self.binary.contains(word.text) else { return left }
    position += 1
    let first = position
    let right = try expression()
    warn(binary: word, from: first)
    return switch word.text {
    case "until": .until(left, right)
    case "and": .and(left, right)
    case "or": .or(left, right)
    case "imply": .imply(left, right)
    default: .equivalent(left, right)
    }
  }

  private mutating func operand() throws(TraceError) -> LTLExpression {
    guard let word = token else {
      throw file.error(end, "the file ends where an operand should stand")
    }
    position += 1
    switch word.text {
    case "true": return .constant(true)
    case "false": return .constant(false)
    case "(":
      let inner = try expression()
      guard token?.text == ")" else {
        throw file.error(
          token?.place ?? end, "')' is missing",
          hint: "the '(' is in line \(word.place.line), column \(word.place.column)")
      }
      position += 1
      return inner
    case _ where Self.isName(word.text):
      // `NAME =` begins the next definition: the operand before it is missing.
      if token?.text == "=" {
        throw file.error(word.place, "an operand is missing before the definition of this name")
      }
      return .name(word.text, word.place)
    case _ where Self.unary.contains(word.text):
      throw file.error(
        word.place, "'\(word.text)' on the left of an operator",
        hint: "there is no precedence: put it and its operand into parentheses")
    case _ where word.text.utf8.contains { (97...122).contains($0) }:
      throw file.error(
        word.place, "'\(word.text)' is no operator and no name",
        hint: Self.binary.contains(word.text)
          ? "its left operand is missing" : "names are written in capitals")
    default:
      throw file.error(word.place, "'\(word.text)' where an operand should stand")
    }
  }

  /// `not A and B` is `not (A and B)`.
  private mutating func warn(unary word: ModelFile.Word, from first: Int) {
    guard let joint = joint(from: first) else { return }
    note(
      word.place,
      "'\(word.text)' takes everything to its right, '\(joint.text)' in column "
        + "\(joint.place.column) included; parenthesise to make that plain")
  }

  /// `A and B or C` is `A and (B or C)`; the same operator, or imply at the end, is no surprise.
  private mutating func warn(binary word: ModelFile.Word, from first: Int) {
    guard let joint = joint(from: first), joint.text != word.text || word.text == "imply" else {
      return
    }
    note(
      word.place,
      "'\(word.text)' takes everything to its right, '\(joint.text)' in line \(joint.place.line), "
        + "column \(joint.place.column) included; parenthesise to make that plain")
  }

  /// The first binary operator outside parentheses in what was read since `first`.
  private func joint(from first: Int) -> ModelFile.Word? {
    var level = 0
    for token in tokens[first..<position] {
      if token.text == "(" { level += 1 }
      if token.text == ")" { level -= 1 }
      if level == 0, Self.unary.contains(token.text) { return nil }
      if level == 0, Self.binary.contains(token.text) { return token }
    }
    return nil
  }

  private mutating func note(_ place: ModelPlace, _ text: String) {
    notes.append("\(file.file):\(place.line):\(place.column): \(text)")
  }

  // MARK: - Abbreviations

  /// Replaces names by their definitions; `open` are those being replaced.
  private func replace(
    _ expression: LTLExpression, _ definitions: [String: LTLExpression], _ open: [String],
    _ used: inout Set<String>, _ size: inout Int
  ) throws(TraceError) -> LTLExpression {
    size += 1
    guard size <= 5_000 else {
      throw TraceError(file: file.file, what: "is too large for a rule when names are replaced")
    }
    switch expression {
    case .constant: return expression
    case .name(let name, let place):
      guard let definition = definitions[name] else { return expression }
      guard !open.contains(name) else {
        throw file.error(place, "'\(name)' is defined by itself")
      }
      used.insert(name)
      return try replace(definition, definitions, open + [name], &used, &size)
    case .not(let inner):
      return .not(try replace(inner, definitions, open, &used, &size))
    case .always(let inner):
      return .always(try replace(inner, definitions, open, &used, &size))
    case .eventually(let inner):
      return .eventually(try replace(inner, definitions, open, &used, &size))
    case .next(let inner):
      return .next(try replace(inner, definitions, open, &used, &size))
    case .until(let left, let right):
      return .until(
        try replace(left, definitions, open, &used, &size),
        try replace(right, definitions, open, &used, &size))
    case .and(let left, let right):
      return .and(
        try replace(left, definitions, open, &used, &size),
        try replace(right, definitions, open, &used, &size))
    case .or(let left, let right):
      return .or(
        try replace(left, definitions, open, &used, &size),
        try replace(right, definitions, open, &used, &size))
    case .imply(let left, let right):
      return .imply(
        try replace(left, definitions, open, &used, &size),
        try replace(right, definitions, open, &used, &size))
    case .equivalent(let left, let right):
      return .equivalent(
        try replace(left, definitions, open, &used, &size),
        try replace(right, definitions, open, &used, &size))
    }
  }
}
