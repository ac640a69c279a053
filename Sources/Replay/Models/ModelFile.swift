import TraceFormat

/// A place in a model file, from 1, in Unicode scalars as editors count them.
struct ModelPlace: Sendable, Equatable {
  var line: Int
  var column: Int
}

/// A model file as lines and words, each word with its place.
///
/// Words are what the kernel's reader sees: runs of anything but white space.
struct ModelFile: Sendable {
  /// One line.
  struct Line: Sendable {
    /// Number, from 1.
    let number: Int
    /// The whole line, without its end.
    let text: String
    /// Its words.
    let words: [Word]
  }

  /// One word.
  struct Word: Sendable, Equatable {
    let text: String
    let place: ModelPlace
  }

  /// How the file was named; errors begin with it.
  let file: String
  /// The lines.
  let lines: [Line]

  /// A model is written by hand: more than this is some other file.
  static let maximumBytes = 1 << 20

  init(_ bytes: [UInt8], file: String) throws(TraceError) {
    self.file = file
    guard bytes.count <= Self.maximumBytes else {
      throw TraceError(file: file, what: "is larger than a model can be (1 MiB)")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw TraceError(file: file, what: "is not UTF-8 text", hint: "give a .dot or .ltl file")
    }
    var lines: [Line] = []
    var current: [Unicode.Scalar] = []
    var previous: Unicode.Scalar = "\n"
    func flush() { lines.append(Self.line(lines.count + 1, current)) }
    for scalar in text.unicodeScalars {
      // Line ends as text files of any system have them.
      if scalar == "\n" || scalar == "\r" {
        if !(scalar == "\n" && previous == "\r") {
          flush()
          current.removeAll(keepingCapacity: true)
        }
      } else {
        current.append(scalar)
      }
      previous = scalar
    }
    if !current.isEmpty { flush() }
    self.lines = lines
  }

  private static func line(_ number: Int, _ scalars: [Unicode.Scalar]) -> Line {
    var words: [Word] = []
    var start: Int?
    func close(_ end: Int) {
      guard let from = start else { return }
      words.append(
        Word(text: string(scalars[from..<end]), place: ModelPlace(line: number, column: from + 1)))
      start = nil
    }
    for (index, scalar) in scalars.enumerated() {
      if scalar.properties.isWhitespace { close(index) } else if start == nil { start = index }
    }
    close(scalars.count)
    return Line(number: number, text: string(scalars[...]), words: words)
  }

  private static func string(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars)
    return String(view)
  }

  /// An error at a place.
  func error(_ place: ModelPlace, _ what: String, hint: String = "") -> TraceError {
    TraceError(file: "\(file):\(place.line):\(place.column)", what: what, hint: hint)
  }

  /// Where `needle` first stands in a line, at or after `column`; the line's first word otherwise.
  func place(of needle: String, in line: Line, after column: Int = 1) -> ModelPlace {
    let scalars = Array(line.text.unicodeScalars)
    let wanted = Array(needle.unicodeScalars)
    if !wanted.isEmpty, scalars.count >= wanted.count {
      for start in max(0, column - 1)...max(0, column - 1, scalars.count - wanted.count)
      where start + wanted.count <= scalars.count
        && Array(scalars[start..<start + wanted.count]) == wanted
      {
        return ModelPlace(line: line.number, column: start + 1)
      }
    }
    return line.words.first?.place ?? ModelPlace(line: line.number, column: 1)
  }
}

extension String {
  /// The parts between occurrences of `separator`, empty ones included.
  func pieces(_ separator: String) -> [String] {
    split(separator: separator, omittingEmptySubsequences: false).map(String.init)
  }

  /// Order by code point, as the kernel's tools sort names.
  func isOrdered(before other: String) -> Bool { utf8.lexicographicallyPrecedes(other.utf8) }
}

extension Sequence<String> {
  /// Sorted by code point, each name once.
  func sortedNames() -> [String] { Set(self).sorted { $0.isOrdered(before: $1) } }
}
