import TraceFormat

/// The files in a tar: ustar, GNU's long names and pax headers.
struct TarArchive: Sendable {
  /// One regular file.
  struct Member: Equatable, Sendable {
    /// Name with its folders, as the tar has it.
    var name: String
    var offset: UInt64
    var size: UInt64

    /// The name behind the last `/`.
    var base: String { name.split(separator: "/").last.map(String.init) ?? name }
    /// Everything up to and with the last `/`.
    var folder: String { name.lastIndex(of: "/").map { String(name[...$0]) } ?? "" }
  }

  let file: RandomFile
  /// The regular files, in the order they are stored in.
  private(set) var members: [Member] = []

  private static let block: UInt64 = 512
  private static let memberLimit = 1 << 16

  /// Whether `head`, the first bytes of a file, is the head of a tar.
  static func recognises(_ head: [UInt8]) -> Bool {
    head.count >= 512 && head[257..<262].elementsEqual("ustar".utf8) && isValid(head)
  }

  init(_ file: RandomFile) throws(TraceError) {
    self.file = file
    var at: UInt64 = 0
    var longName: String?
    var extendedSize: UInt64?
    while at + Self.block <= file.size {
      let head = try file.read(at: at, count: Int(Self.block))
      if head.allSatisfy({ $0 == 0 }) { break }
      guard Self.isValid(head) else { throw damaged(at, "no head of a member is here") }
      at += Self.block
      guard let headSize = Self.number(head[124..<136]) else {
        throw damaged(at, "a member's size cannot be read")
      }
      let kind = head[156]
      let isFile = kind == 0 || kind == 0x30 || kind == 0x37
      let size = isFile ? extendedSize ?? headSize : headSize
      guard size <= file.size - at else {
        let name = longName ?? Self.name(head)
        throw damaged(at, "\(name) has \(size) bytes and \(file.size - at) are there")
      }
      switch kind {
      case 0x4C:  // L: the next member's name
        longName = try text(at, size).split(separator: "\0").first.map(String.init)
      case 0x78:  // x: the next member's values
        for (key, value) in Self.values(try text(at, size)) {
          if key == "path" { longName = value }
          if key == "size" { extendedSize = UInt64(value) }
        }
      case 0x67: break  // g: values of all members, none of which matter here
      default:
        if isFile {
          guard members.count < Self.memberLimit else {
            throw damaged(at, "there are more than \(Self.memberLimit) files")
          }
          members.append(Member(name: longName ?? Self.name(head), offset: at, size: size))
        }
        longName = nil
        extendedSize = nil
      }
      at += (size + Self.block - 1) / Self.block * Self.block
    }
  }

  /// The bytes of a member, as a file of its own.
  func open(_ member: Member) -> RandomFile {
    file.part(from: member.offset, size: member.size, name: "\(file.name)(\(member.name))")
  }

  private func text(_ at: UInt64, _ size: UInt64) throws(TraceError) -> String {
    guard size <= 1 << 20 else { throw damaged(at, "a name of \(size) bytes") }
    return String(decoding: try file.read(at: at, count: Int(size)), as: UTF8.self)
  }

  private func damaged(_ at: UInt64, _ what: String) -> TraceError {
    TraceError(
      file: file.name, what: "the tar is damaged or cut off at offset \(at): \(what)",
      hint: "copy it again")
  }

  /// The sum over the head, in which its own place counts as blanks.
  private static func isValid(_ head: [UInt8]) -> Bool {
    guard let stored = number(head[148..<156]) else { return false }
    var sum: UInt64 = 8 * 0x20
    for place in 0..<512 where !(148..<156).contains(place) { sum += UInt64(head[place]) }
    return sum == stored
  }

  /// Octal, or binary where the highest bit is set.
  private static func number(_ field: ArraySlice<UInt8>) -> UInt64? {
    if let first = field.first, first & 0x80 != 0 {
      var value = UInt64(first & 0x7F)
      for byte in field.dropFirst() {
        guard value < 1 << 55 else { return nil }
        value = value << 8 | UInt64(byte)
      }
      return value
    }
    var value: UInt64 = 0
    var hasDigits = false
    for byte in field {
      if byte == 0x20 || byte == 0 {
        if hasDigits { break }
        continue
      }
      guard (0x30...0x37).contains(byte) else { return nil }
      value = value << 3 | UInt64(byte - 0x30)
      hasDigits = true
    }
    return hasDigits ? value : nil
  }

  private static func name(_ head: [UInt8]) -> String {
    let name = String(decoding: head[..<100].prefix { $0 != 0 }, as: UTF8.self)
    let isPOSIX = head[262] == 0
    let prefix = String(decoding: head[345..<500].prefix { $0 != 0 }, as: UTF8.self)
    return isPOSIX && !prefix.isEmpty ? "\(prefix)/\(name)" : name
  }

  /// `LENGTH KEY=VALUE` lines.
  private static func values(_ text: String) -> [(String, String)] {
    text.split(separator: "\n").compactMap { line in
      let words = line.split(separator: " ", maxSplits: 1)
      guard let parts = words.last?.split(separator: "=", maxSplits: 1), words.count == 2,
        parts.count == 2
      else { return nil }
      return (String(parts[0]), String(parts[1]))
    }
  }
}
