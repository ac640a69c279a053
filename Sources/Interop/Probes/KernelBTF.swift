public import TraceFormat

/// The few facts that probes need from a kernel's BTF (`/sys/kernel/btf/vmlinux`).
///
/// Layout: Documentation/bpf/btf.rst of the kernel. Everything is checked against the bytes that
/// are there; a type that refers to itself is followed a bounded number of steps.
public struct KernelBTF {
  private let bytes: [UInt8]
  private let strings: Range<Int>
  /// Where each type begins; entry 0 is `void`.
  private var types: [Int] = [0]
  private let isBig: Bool

  /// Reads `bytes`; `file` is named in errors.
  public init(_ bytes: [UInt8], file: String) throws(TraceError) {
    self.bytes = bytes
    func fail(_ what: String) -> TraceError {
      TraceError(
        file: file, what: what, hint: "copy /sys/kernel/btf/vmlinux of the target with cat")
    }
    guard bytes.count >= 24 else { throw fail("is too short for BTF") }
    switch (bytes[0], bytes[1]) {
    case (0x9F, 0xEB): isBig = false
    case (0xEB, 0x9F): isBig = true
    default: throw fail("is no BTF: its first bytes are not the magic number")
    }
    let isBig = isBig
    func word(_ at: Int) -> Int { Self.word(bytes, at, isBig) }
    let header = word(4)
    let (typeStart, typeLength) = (header + word(8), word(12))
    let (textStart, textLength) = (header + word(16), word(20))
    guard typeStart + typeLength <= bytes.count, textStart + textLength <= bytes.count else {
      throw fail("is cut: its header tells of more bytes than it has")
    }
    strings = textStart..<(textStart + textLength)
    var at = typeStart
    let end = typeStart + typeLength
    while at + 12 <= end {
      types.append(at)
      guard let size = Self.size(word(at + 4)), at + 12 + size <= end else {
        throw fail("holds a type that cannot be read, at byte \(at)")
      }
      at += 12 + size
    }
  }

  /// Bytes behind the common part of a type, by its info word; nil for a kind that is unknown.
  private static func size(_ info: Int) -> Int? {
    let count = info & 0xFFFF
    switch info >> 24 & 0x1F {
    case 1, 14, 17: return 4
    case 2, 7, 8, 9, 10, 11, 12, 16, 18: return 0
    case 3: return 12
    case 4, 5, 15, 19: return 12 * count
    case 6, 13: return 8 * count
    default: return nil
    }
  }

  /// Where a member of a struct lies, in bytes; members of anonymous members count as its own.
  public func offset(of member: String, in structure: String) -> Int? {
    for type in types.dropFirst() {
      let kind = word(type + 4) >> 24 & 0x1F
      guard kind == 4, name(word(type), is: structure) else { continue }
      return offset(of: member, inTypeAt: type, depth: 0)
    }
    return nil
  }

  /// Value of an enumerator.
  public func value(of enumerator: String, in enumeration: String) -> Int? {
    for type in types.dropFirst() {
      let info = word(type + 4)
      guard info >> 24 & 0x1F == 6, name(word(type), is: enumeration) else { continue }
      for index in 0..<(info & 0xFFFF) where name(word(type + 12 + 8 * index), is: enumerator) {
        return word(type + 16 + 8 * index)
      }
    }
    return nil
  }

  private func offset(of member: String, inTypeAt type: Int, depth: Int) -> Int? {
    let info = word(type + 4)
    // Bit 31: the upper eight bits of a member's place are the width of a bit field.
    let mask = info >> 31 & 1 == 1 ? 0xFF_FFFF : 0xFFFF_FFFF
    for index in 0..<(info & 0xFFFF) {
      let at = type + 12 + 12 * index
      let place = (word(at + 8) & mask) / 8
      if name(word(at), is: member) { return place }
      guard nameIsEmpty(word(at)), depth < 8, let inner = structure(word(at + 4)) else { continue }
      if let offset = offset(of: member, inTypeAt: inner, depth: depth + 1) {
        return place + offset
      }
    }
    return nil
  }

  /// The struct or union a type number stands for.
  private func structure(_ number: Int) -> Int? {
    guard number > 0, number < types.count else { return nil }
    let kind = word(types[number] + 4) >> 24 & 0x1F
    return kind == 4 || kind == 5 ? types[number] : nil
  }

  private func word(_ at: Int) -> Int { Self.word(bytes, at, isBig) }

  private static func word(_ bytes: [UInt8], _ at: Int, _ isBig: Bool) -> Int {
    guard at >= 0, at + 4 <= bytes.count else { return 0 }
    var value = 0
    for index in 0..<4 { value = value << 8 | Int(bytes[isBig ? at + index : at + 3 - index]) }
    return value
  }

  private func nameIsEmpty(_ offset: Int) -> Bool {
    offset < strings.count && bytes[strings.lowerBound + offset] == 0
  }

  private func name(_ offset: Int, is text: String) -> Bool {
    var at = strings.lowerBound + offset
    for byte in text.utf8 {
      guard at < strings.upperBound, bytes[at] == byte else { return false }
      at += 1
    }
    return at < strings.upperBound && bytes[at] == 0
  }
}

extension KernelBTF {
  /// The offsets probes ask for, as far as they are there.
  public var members: [KernelMember: Int] {
    var found: [KernelMember: Int] = [:]
    for member in KernelMember.allCases {
      let parts = member.rawValue.split(separator: ".")
      found[member] = offset(of: String(parts[1]), in: String(parts[0]))
    }
    return found
  }

  /// The number of NR_PAGETABLE.
  public var nrPageTable: Int? { value(of: "NR_PAGETABLE", in: "node_stat_item") }
}
