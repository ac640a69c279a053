import Testing
import TraceFormat

@testable import Interop

/// BTF written down as a literal.
private struct BTFLiteral {
  private var types: [UInt8] = []
  private var strings: [UInt8] = [0]

  private mutating func name(_ text: String) -> UInt32 {
    guard !text.isEmpty else { return 0 }
    defer { strings += Array(text.utf8) + [0] }
    return UInt32(strings.count)
  }

  private mutating func word(_ value: UInt32) {
    for shift in [0, 8, 16, 24] { types.append(UInt8(truncatingIfNeeded: value >> shift)) }
  }

  /// A struct (4) or union (5); members are (name, type, bit).
  mutating func structure(
    _ text: String, _ members: [(String, UInt32, UInt32)], kind: UInt32 = 4,
    hasBitFields: Bool = false
  ) {
    let text = name(text)
    let names = members.map { name($0.0) }
    word(text)
    word(kind << 24 | UInt32(members.count) | (hasBitFields ? 1 << 31 : 0))
    word(64)
    for (index, member) in members.enumerated() {
      word(names[index])
      word(member.1)
      word(member.2)
    }
  }

  mutating func enumeration(_ text: String, _ values: [(String, UInt32)]) {
    let text = name(text)
    let names = values.map { name($0.0) }
    word(text)
    word(6 << 24 | UInt32(values.count))
    word(4)
    for (index, value) in values.enumerated() {
      word(names[index])
      word(value.1)
    }
  }

  mutating func integer() {
    let text = name("int")
    word(text)
    word(1 << 24)
    word(4)
    word(32)
  }

  func bytes() -> [UInt8] {
    func little(_ value: Int) -> [UInt8] { [0, 8, 16, 24].map { UInt8(value >> $0 & 0xFF) } }
    return [0x9F, 0xEB, 1, 0] + little(24) + little(0) + little(types.count)
      + little(types.count) + little(strings.count) + types + strings
  }
}

@Suite struct KernelBTFTests {
  private var sample: [UInt8] {
    var btf = BTFLiteral()
    btf.integer()  // 1
    btf.structure("", [("inner", 1, 32), ("cpu", 1, 64)], kind: 5)  // 2, anonymous
    btf.structure("rcu_data", [("gp_seq", 1, 0), ("", 2, 128)])  // 3
    btf.structure("rcu_state", [("node", 1, 0), ("gp_seq", 1, 87552)])  // 4
    btf.structure("bits", [("flag", 1, 3 << 24 | 264)], hasBitFields: true)  // 5
    btf.structure("loop", [("", 6, 0)])  // 6 contains itself
    btf.enumeration("node_stat_item", [("NR_LRU_BASE", 0), ("NR_PAGETABLE", 38)])
    return btf.bytes()
  }

  @Test func findsMembers() throws {
    let btf = try KernelBTF(sample, file: "btf")
    #expect(btf.offset(of: "gp_seq", in: "rcu_state") == 10944)
    #expect(btf.members == [.gracePeriodNumber: 10944, .callbackCPU: 24])
    #expect(btf.nrPageTable == 38)
    #expect(btf.offset(of: "flag", in: "bits") == 33)
  }

  @Test func saysWhatIsNotThere() throws {
    let btf = try KernelBTF(sample, file: "btf")
    #expect(btf.offset(of: "gp", in: "rcu_state") == nil)
    #expect(btf.offset(of: "gp_seq", in: "rcu") == nil)
    #expect(btf.offset(of: "x", in: "loop") == nil)
    #expect(btf.value(of: "NR_X", in: "node_stat_item") == nil)
  }

  /// Whatever is cut or flipped: an error or an answer, never a trap.
  @Test func survivesDamage() {
    let bytes = sample
    for count in 0..<bytes.count {
      _ = try? KernelBTF(Array(bytes.prefix(count)), file: "b").members
    }
    for bit in 0..<bytes.count * 8 {
      var damaged = bytes
      damaged[bit / 8] ^= 1 << UInt8(bit % 8)
      guard let btf = try? KernelBTF(damaged, file: "b") else { continue }
      _ = btf.members
      _ = btf.nrPageTable
    }
  }

  @Test func refusesOtherFiles() {
    for bytes in [[], Array("not a BTF file, by far too long".utf8)] {
      #expect(throws: TraceError.self) { try KernelBTF(bytes, file: "b") }
    }
  }
}
