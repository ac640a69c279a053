/// Builds JSON text with keys in the order they are added, so that the same trace always prints
/// the same bytes.
struct JSONText {
  /// What has been built so far.
  private(set) var text = ""
  private var needsComma = false
  private let indent: Int?
  private var depth = 0

  /// Makes an empty text; with `indent`, one value a line.
  init(indent: Int? = nil) { self.indent = indent }

  /// Adds `{` … `}`.
  mutating func object(_ key: String? = nil, _ body: (inout JSONText) -> Void) {
    nested(key, "{", "}", body)
  }

  /// Adds `[` … `]`.
  mutating func array(_ key: String? = nil, _ body: (inout JSONText) -> Void) {
    nested(key, "[", "]", body)
  }

  /// Adds a string, or null.
  mutating func string(_ key: String? = nil, _ value: String?) {
    raw(key, value.map(Self.quoted) ?? "null")
  }

  /// Adds a number, or null.
  mutating func number(_ key: String? = nil, _ value: (some BinaryInteger)?) {
    raw(key, value.map { String($0) } ?? "null")
  }

  /// Adds a boolean.
  mutating func bool(_ key: String? = nil, _ value: Bool) { raw(key, value ? "true" : "false") }

  /// Adds text that is JSON already.
  mutating func raw(_ key: String? = nil, _ value: String) {
    separate()
    if let key { text += Self.quoted(key) + (indent == nil ? ":" : ": ") }
    text += value
    needsComma = true
  }

  /// `value` as a JSON string.
  static func quoted(_ value: String) -> String {
    var result = "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      default:
        if scalar.value < 0x20 || scalar.value == 0x7f {
          let digits = String(scalar.value, radix: 16)
          result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        } else {
          result.unicodeScalars.append(scalar)
        }
      }
    }
    return result + "\""
  }

  private mutating func nested(
    _ key: String?, _ open: String, _ close: String, _ body: (inout JSONText) -> Void
  ) {
    raw(key, open)
    needsComma = false
    depth += 1
    let empty = text.utf8.count
    body(&self)
    depth -= 1
    if text.utf8.count > empty { breakLine() }
    text += close
    needsComma = true
  }

  private mutating func separate() {
    if needsComma { text += "," }
    if depth > 0 { breakLine() }
  }

  private mutating func breakLine() {
    guard let indent else { return }
    text += "\n" + String(repeating: " ", count: indent * depth)
  }
}
