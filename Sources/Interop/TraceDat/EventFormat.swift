/// One `format` file of a kernel's events: where each value lies in a record.
struct EventFormat {
  /// One value of a record.
  struct Field: Equatable {
    var name: String
    /// The C type, as the kernel writes it.
    var type: String
    var offset: Int
    var size: Int
    var isSigned: Bool
  }

  var name = ""
  var id = 0
  var fields: [Field] = []
  /// What stands in quotation marks in `print fmt`, and what follows.
  var print = ""

  /// Reads the text of a `format` file; nil if it has no name, number or field, or if a field is
  /// no part of any record.
  init?(_ text: [UInt8]) {
    var hasID = false
    for line in text.split(separator: 0x0A) {
      let line = String(decoding: line, as: UTF8.self)
      if line.hasPrefix("name: ") {
        name = String(line.dropFirst(6))
      } else if line.hasPrefix("ID: ") {
        guard let value = Int(line.dropFirst(4)), (0...0xFFFF).contains(value) else { return nil }
        id = value
        hasID = true
      } else if line.hasPrefix("print fmt: ") {
        print = String(line.dropFirst(11))
      } else if line.hasPrefix("\tfield:") {
        guard let field = Self.field(line.dropFirst(7)) else { return nil }
        fields.append(field)
      }
    }
    guard !name.isEmpty, hasID, !fields.isEmpty else { return nil }
  }

  /// The field called `name`.
  func field(_ name: String) -> Field? { fields.first { $0.name == name } }

  /// Name and number of the event in `text`, without the cost of reading all of it.
  static func heading(_ text: [UInt8]) -> (name: [UInt8], id: Int)? {
    let lines = text.prefix(512).split(separator: 0x0A, maxSplits: 2)
    guard lines.count >= 2, lines[0].starts(with: "name: ".utf8),
      lines[1].starts(with: "ID: ".utf8),
      let id = Int(String(decoding: lines[1].dropFirst(4), as: UTF8.self)),
      (0...0xFFFF).contains(id)
    else { return nil }
    return (Array(lines[0].dropFirst(6)), id)
  }

  /// `TYPE NAME;	offset:N;	size:N;	signed:N;`
  static func field(_ text: Substring) -> Field? {
    let parts = text.split(separator: ";").map { $0.drop { $0 == "\t" || $0 == " " } }
    guard parts.count >= 3, let declaration = parts.first,
      let offset = number(parts[1], "offset:"), let size = number(parts[2], "size:"),
      offset <= 1 << 16, size <= 1 << 16
    else { return nil }
    var type = declaration
    var name = declaration
    if let blank = declaration.lastIndex(of: " ") {
      type = declaration[..<blank]
      name = declaration[declaration.index(after: blank)...]
    }
    var typeName = String(type)
    // `char comm[16]`: the length belongs to the type.
    if let bracket = name.firstIndex(of: "[") {
      typeName += name[bracket...]
      name = name[..<bracket]
    }
    let isSigned = parts.count > 3 && parts[3] == "signed:1"
    return Field(
      name: String(name), type: typeName, offset: offset, size: size, isSigned: isSigned)
  }

  private static func number(_ part: Substring, _ key: String) -> Int? {
    guard part.hasPrefix(key), let value = Int(part.dropFirst(key.count)), value >= 0 else {
      return nil
    }
    return value
  }
}

/// How pages and events of a kernel's ring buffer are laid out, from `header_page` and
/// `header_event`.
struct BufferLayout {
  var timestamp: EventFormat.Field
  var commit: EventFormat.Field
  /// Where the events of a page begin.
  var data: EventFormat.Field
  var typeBits = 5
  var deltaBits = 27
  var paddingType: UInt32 = 29
  var extendType: UInt32 = 30
  var stampType: UInt32 = 31
  var dataMaximum: UInt32 = 28

  /// Reads both texts; nil if one of them is not of the form.
  init?(page: [UInt8], event: [UInt8]) {
    var fields: [EventFormat.Field] = []
    for line in page.split(separator: 0x0A) where line.starts(with: "\tfield: ".utf8) {
      let text = String(decoding: line.dropFirst(8), as: UTF8.self)
      if let field = EventFormat.field(text[...]) { fields.append(field) }
    }
    guard let timestamp = fields.first(where: { $0.name == "timestamp" && $0.size == 8 }),
      let commit = fields.first(where: { $0.name == "commit" && ($0.size == 4 || $0.size == 8) }),
      let data = fields.first(where: { $0.name == "data" }),
      data.offset >= timestamp.offset + 8, data.offset >= commit.offset + commit.size
    else { return nil }
    self.timestamp = timestamp
    self.commit = commit
    self.data = data
    for line in event.split(separator: 0x0A) {
      read(String(decoding: line, as: UTF8.self))
    }
    guard typeBits + deltaBits == 32, typeBits >= 3, dataMaximum < paddingType,
      paddingType < extendType, extendType < stampType, stampType < 1 << UInt32(typeBits)
    else { return nil }
  }

  private mutating func read(_ line: String) {
    let words = line.split { " \t".contains($0) }
    if words.count >= 4, words[1] == ":", words[3] == "bits", let bits = Int(words[2]) {
      if words[0] == "type_len" { typeBits = bits }
      if words[0] == "time_delta" { deltaBits = bits }
    }
    if words.count >= 5, words[1] == ":", words[2] == "type", words[3] == "==",
      let type = UInt32(words[4])
    {
      if words[0] == "padding" { paddingType = type }
      if words[0] == "time_extend" { extendType = type }
      if words[0] == "time_stamp" { stampType = type }
    }
    if line.hasPrefix("\tdata max type_len"), let last = words.last, let most = UInt32(last) {
      dataMaximum = most
    }
  }
}
