/// The `__print_flags()` table of an event's print format: what each bit is called in this kernel.
struct FlagTable {
  private var flags: [(mask: UInt64, name: [UInt8])] = []

  /// Reads the table for `field` from a print format; empty if there is none that can be read.
  ///
  /// The masks are C expressions of numbers; one that holds anything else ends the table's use, for
  /// a name that is missing would be worse than no names.
  init(field: String, printFormat: String) {
    let text = Array(printFormat.utf8)
    guard
      var at = Self.find("__print_flags(REC->\(field)", in: text, from: 0).map({
        $0 + 19 + field.utf8.count
      })
    else { return }
    var found: [(mask: UInt64, name: [UInt8])] = []
    while at < text.count, text[at] != 0x7B { at += 1 }
    while at < text.count, text[at] == 0x7B {
      var expression = Expression(text, from: at + 1)
      guard let mask = expression.value(), expression.skip(0x2C) else { return }
      // Some kernels end the table with an entry that has no name.
      guard expression.skip(0x22) else { break }
      let start = expression.at
      while expression.at < text.count, text[expression.at] != 0x22 { expression.at += 1 }
      let name = Array(text[start..<expression.at])
      guard expression.skip(0x22), expression.skip(0x7D) else { return }
      found.append((mask, name))
      _ = expression.skip(0x2C)
      expression.skipBlanks()
      at = expression.at
    }
    flags = found
  }

  /// What the names of `value`'s bits say; nil where the format names none.
  func value(_ value: UInt64) -> UInt64? {
    guard !flags.isEmpty else { return nil }
    var names = AllocationFlags()
    var left = value
    for (mask, name) in flags where left & mask == mask && (mask != 0 || value == 0) {
      names.take(name.span, 0, name.count)
      left &= ~mask
    }
    return names.value
  }

  private static func find(_ word: String, in text: [UInt8], from start: Int) -> Int? {
    let word = Array(word.utf8)
    guard text.count >= word.count else { return nil }
    for at in start...(text.count - word.count)
    where text[at] == word[0] && text[at..<at + word.count].elementsEqual(word) {
      return at
    }
    return nil
  }

  /// A C expression of numbers, `|`, `&`, `<<`, `~`, `+`, `-`, casts and brackets.
  private struct Expression {
    let text: [UInt8]
    var at: Int
    private var depth = 0

    init(_ text: [UInt8], from start: Int) {
      self.text = text
      at = start
    }

    mutating func value() -> UInt64? { binary(0) }

    private static let operators:
      [[(symbol: String, apply: @Sendable (UInt64, UInt64) -> UInt64)]] = [
        [("|", { $0 | $1 })], [("^", { $0 ^ $1 })], [("&", { $0 & $1 })],
        [
          ("<<", { $1 < 64 ? $0 << $1 : 0 }), (">>", { $1 < 64 ? $0 >> $1 : 0 }),
        ], [("+", { $0 &+ $1 }), ("-", { $0 &- $1 })], [("*", { $0 &* $1 })],
      ]

    private mutating func binary(_ level: Int) -> UInt64? {
      guard level < Self.operators.count else { return unary() }
      guard var left = binary(level + 1) else { return nil }
      search: while true {
        skipBlanks()
        for (symbol, apply) in Self.operators[level] where skip(word: symbol) {
          guard let right = binary(level + 1) else { return nil }
          left = apply(left, right)
          continue search
        }
        return left
      }
    }

    private mutating func unary() -> UInt64? {
      skipBlanks()
      guard at < text.count, depth < 64 else { return nil }
      depth += 1
      defer { depth -= 1 }
      switch text[at] {
      case 0x7E:
        at += 1
        return unary().map { ~$0 }
      case 0x2D:
        at += 1
        return unary().map { 0 &- $0 }
      case 0x28:
        at += 1
        if skipCast() { return unary() }
        guard let inner = binary(0), skip(0x29) else { return nil }
        return inner
      default: return number()
      }
    }

    /// `type)`: words that are no numbers.
    private mutating func skipCast() -> Bool {
      let start = at
      while at < text.count, isWord(text[at]) || text[at] == 0x20 || text[at] == 0x2A { at += 1 }
      let words = text[start..<at].split(separator: 0x20)
      let isType = !words.isEmpty && words.allSatisfy { !(0x30...0x39).contains($0.first!) }
      if isType, skip(0x29) { return true }
      at = start
      return false
    }

    private mutating func number() -> UInt64? {
      let start = at
      while at < text.count, isWord(text[at]) { at += 1 }
      var end = at
      let isHexadecimal = end - start > 2 && text[start] == 0x30 && text[start + 1] | 0x20 == 0x78
      // U, UL, ULL
      while end > start, text[end - 1] | 0x20 == 0x75 || text[end - 1] | 0x20 == 0x6C { end -= 1 }
      return isHexadecimal
        ? Fields.hexadecimal(text.span, start, end) : Fields.number(text.span, start, end)
    }

    private func isWord(_ byte: UInt8) -> Bool {
      byte == 0x5F || (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20)
    }

    mutating func skipBlanks() {
      while at < text.count, text[at] == 0x20 || text[at] == 0x0A || text[at] == 0x09 { at += 1 }
    }

    /// Passes over `byte`, and the blanks before it.
    mutating func skip(_ byte: UInt8) -> Bool {
      skipBlanks()
      guard at < text.count, text[at] == byte else { return false }
      at += 1
      return true
    }

    private mutating func skip(word: String) -> Bool {
      let bytes = Array(word.utf8)
      guard text.count - at >= bytes.count, text[at..<at + bytes.count].elementsEqual(bytes) else {
        return false
      }
      // `||` and `&&` are no operators of a mask.
      if bytes.count == 1, at + 1 < text.count, text[at + 1] == bytes[0] { return false }
      at += bytes.count
      return true
    }
  }
}
