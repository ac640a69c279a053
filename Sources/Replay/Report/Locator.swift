/// The commands that show a place of a trace; each can be pasted into a shell.
public struct Locator {
  private let file: String
  /// The trace came through a pipe: `FILE` stands for a copy of it that has to be made.
  let isPipe: Bool

  /// Events shown before and after the one in question.
  private static let context: Ordinal = 5

  /// For the trace `file`, as it was named; `-` cannot be opened again.
  public init(_ file: String) {
    isPipe = file == "-"
    self.file = isPipe ? "FILE" : Self.quoted(file)
  }

  /// The state after an event.
  public func replay(at ordinal: Ordinal) -> String { "tracetool replay \(file) --at \(ordinal)" }

  /// Every command for a candidate, the most useful first.
  public func commands(for candidate: Candidate) -> [String] {
    let (low, high) = (max(0, candidate.ordinal - Self.context), candidate.ordinal + Self.context)
    var commands = [
      replay(at: candidate.ordinal), "tracetool dump \(file) --ordinal \(low)..\(high)",
    ]
    let subject = Subject(of: candidate)
    if subject.kind == .table {
      commands.insert("tracetool replay \(file) --table '\(subject.reference)'", at: 1)
    }
    return commands
  }

  /// `text` as one word of a POSIX shell.
  static func quoted(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
      default: "._/+-,:@%=".utf8.contains(byte)
      }
    }
    if isPlain, !text.isEmpty, !text.hasPrefix("-") { return text }
    // A leading dash is a file, not an option.
    let path = text.hasPrefix("-") ? "./" + text : text
    return "'"
      + path.split(separator: "'", omittingEmptySubsequences: false).joined(
        separator: #"'\''"#) + "'"
  }
}
