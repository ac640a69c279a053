/// One record of a text: keys with plain values, found by key.
protocol FlatRecord {
  /// Where the value of `key` is.
  func value(_ key: [UInt8]) -> FlatValue?
}

/// A value as it stands in the line.
struct FlatValue: Equatable {
  enum Form {
    /// A number, `true`, `false` or `null` of JSON.
    case bare
    /// Text: a JSON string without its quotes, or a cell.
    case text
    /// An object or array, with its brackets.
    case nested
  }

  var range: Range<Int>
  var form: Form
  /// Text with backslashes in it.
  var hasEscapes = false
}

/// A JSON object on one line. Nested values are found and not taken apart.
struct FlatObject: FlatRecord {
  private var entries: [(key: Range<Int>, value: FlatValue)] = []
  private var line: [UInt8] = []
  private static let depthLimit = 64

  /// Reads `bytes`; false if they are no object.
  mutating func read(_ bytes: Span<UInt8>) -> Bool {
    entries.removeAll(keepingCapacity: true)
    line.removeAll(keepingCapacity: true)
    for at in 0..<bytes.count { line.append(bytes[at]) }
    var at = 0
    skipBlanks(&at)
    guard take(0x7B, &at) else { return false }
    skipBlanks(&at)
    if take(0x7D, &at) { return isAtEnd(at) }
    repeat {
      skipBlanks(&at)
      guard let key = string(&at) else { return false }
      skipBlanks(&at)
      guard take(0x3A, &at) else { return false }
      skipBlanks(&at)
      guard let value = value(&at) else { return false }
      entries.append((key.range, value))
      skipBlanks(&at)
    } while take(0x2C, &at)
    return take(0x7D, &at) && isAtEnd(at)
  }

  func value(_ key: [UInt8]) -> FlatValue? {
    for entry in entries
    where entry.key.count == key.count && line[entry.key].elementsEqual(key) {
      return entry.value
    }
    return nil
  }

  private func isAtEnd(_ start: Int) -> Bool {
    var at = start
    skipBlanks(&at)
    return at == line.count
  }

  private func value(_ at: inout Int) -> FlatValue? {
    guard at < line.count else { return nil }
    switch line[at] {
    case 0x22: return string(&at)
    case 0x7B, 0x5B: return nested(&at)
    default:
      let start = at
      while at < line.count, Self.isBare(line[at]) { at += 1 }
      return at > start ? FlatValue(range: start..<at, form: .bare) : nil
    }
  }

  private static func isBare(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) || byte == 0x2B
      || byte == 0x2D || byte == 0x2E
  }

  private func nested(_ at: inout Int) -> FlatValue? {
    let start = at
    var depth = 0
    while at < line.count {
      switch line[at] {
      case 0x22:
        guard string(&at) != nil else { return nil }
        continue
      case 0x7B, 0x5B: depth += 1
      case 0x7D, 0x5D: depth -= 1
      default: break
      }
      at += 1
      guard depth <= Self.depthLimit else { return nil }
      if depth == 0 { return FlatValue(range: start..<at, form: .nested) }
    }
    return nil
  }

  private func string(_ at: inout Int) -> FlatValue? {
    guard take(0x22, &at) else { return nil }
    let start = at
    var hasEscapes = false
    while at < line.count, line[at] != 0x22 {
      if line[at] == 0x5C {
        hasEscapes = true
        at += 1
      }
      at += 1
    }
    guard at < line.count else { return nil }
    at += 1
    return FlatValue(range: start..<(at - 1), form: .text, hasEscapes: hasEscapes)
  }

  private func skipBlanks(_ at: inout Int) {
    while at < line.count, [0x20, 0x09, 0x0D].contains(line[at]) { at += 1 }
  }

  private func take(_ byte: UInt8, _ at: inout Int) -> Bool {
    guard at < line.count, line[at] == byte else { return false }
    at += 1
    return true
  }

  /// The text of a value, its escapes resolved.
  static func text(_ bytes: Span<UInt8>, _ value: FlatValue) -> String {
    var result: [UInt8] = []
    var at = value.range.lowerBound
    while at < value.range.upperBound {
      let byte = bytes[at]
      at += 1
      guard byte == 0x5C, value.hasEscapes, at < value.range.upperBound else {
        result.append(byte)
        continue
      }
      let escape = bytes[at]
      at += 1
      switch escape {
      case 0x6E: result.append(0x0A)
      case 0x74: result.append(0x09)
      case 0x72: result.append(0x0D)
      case 0x62: result.append(0x08)
      case 0x66: result.append(0x0C)
      case 0x75:
        let end = min(at + 4, value.range.upperBound)
        let code = Fields.hexadecimal(bytes, at, end).flatMap { UInt32(exactly: $0) }
        let scalar = code.flatMap(Unicode.Scalar.init) ?? "\u{FFFD}"
        result.append(contentsOf: Array(String(Character(scalar)).utf8))
        at = end
      default: result.append(escape)
      }
    }
    return String(decoding: result, as: UTF8.self)
  }
}

/// A line of comma-separated values, whose columns the first line of the file names.
struct FlatRow: FlatRecord {
  private var columns: [[UInt8]] = []
  private var cells: [FlatValue] = []

  /// Takes the first line.
  mutating func readColumns(_ bytes: Span<UInt8>) -> Bool {
    guard read(bytes) else { return false }
    columns = cells.map { cell in cell.range.map { bytes[$0] } }
    return columns.allSatisfy { !$0.isEmpty }
  }

  /// Takes a line; false if its quotes do not match. Cells with quotes in them keep them doubled.
  mutating func read(_ bytes: Span<UInt8>) -> Bool {
    cells.removeAll(keepingCapacity: true)
    var at = 0
    var end = bytes.count
    if end > 0, bytes[end - 1] == 0x0D { end -= 1 }
    while true {
      if at < end, bytes[at] == 0x22 {
        let start = at + 1
        at = start
        while at < end {
          if bytes[at] == 0x22 {
            guard at + 1 < end, bytes[at + 1] == 0x22 else { break }
            at += 1
          }
          at += 1
        }
        guard at < end else { return false }
        cells.append(FlatValue(range: start..<at, form: .text))
        at += 1
        guard at == end || bytes[at] == 0x2C else { return false }
      } else {
        let start = at
        while at < end, bytes[at] != 0x2C { at += 1 }
        cells.append(FlatValue(range: start..<at, form: .text))
      }
      guard at < end else { return true }
      at += 1
    }
  }

  func value(_ key: [UInt8]) -> FlatValue? {
    guard let index = columns.firstIndex(of: key), index < cells.count,
      !cells[index].range.isEmpty
    else { return nil }
    return cells[index]
  }
}
