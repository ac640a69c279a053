import Foundation
import Testing

@testable import TraceFormat

/// A file of a few hundred bytes cannot make the tool ask for more memory than it needs for any file.
///
/// Every length a file can claim is made huge, with right checksums behind it; the tool then runs
/// under a limit for its data, which the allocation of what is claimed would break: it would be
/// ended by a signal.
@Suite struct HostileSizeTests {
  /// What the tool may have for data, in KiB: the program itself and an empty block.
  private static let limit = 48 << 10
  /// The same with one block, decompressed (docs/FORMAT.md, Limits), and its texts.
  private static let limitWithBlock = limit + (31 + 32) << 10

  /// A number that says how long something is.
  struct Claim: CustomTestStringConvertible {
    let testDescription: String
    let offset: Int
    let bytes: Int
  }

  /// Two blocks and a footer, a few hundred bytes, nothing compressed.
  private static func tiny() throws -> [UInt8] {
    let output = MemoryOutput()
    let header = TraceHeader(source: "t", producer: "", cpus: 1, clock: .nanoseconds("mono"))
    let writer = try TraceWriter(
      output: output, header: header, options: .init(blockEvents: 1, codec: .none))
    try writer.setTaskName("n", of: 1)
    _ = try writer.addString("s")
    for _ in 0..<2 { try writer.append(Event(.tableAlloc, time: 1, task: 1, object: 2)) }
    try writer.finish()
    return output.bytes
  }

  private static func claims(_ bytes: [UInt8]) throws -> [Claim] {
    let reader = try TraceReader(bytes: bytes)
    let block = Int(reader.index[0].offset)
    let footer = Int(reader.index[1].endOffset)
    let json = Int(bytes.littleEndian(UInt32.self, at: footer + 40))
    let entry = footer + FormatConstants.footerHeaderBytes + json
    var claims: [Claim] = []
    func add(_ name: String, _ offset: Int, _ bytes: Int) {
      claims.append(Claim(testDescription: name, offset: offset, bytes: bytes))
    }
    add("length of the header", 12, 4)
    add("columns of a block", block + 9, 1)
    add("length of a block header", block + 10, 2)
    add("payload of a block", block + 12, 4)
    add("events of a block", block + 16, 4)
    add("strings of a block", block + 20, 4)
    add("first ordinal", block + 24, 8)
    add("first string", block + 32, 8)
    for column in 0..<Int(bytes[block + 9]) {
      let place =
        block + FormatConstants.blockFixedBytes
        + column * FormatConstants.directoryEntryBytes
      add("raw length of column \(bytes[place])", place + 4, 4)
      add("stored length of column \(bytes[place])", place + 8, 4)
    }
    add("length of the footer's header", footer + 10, 2)
    add("payload of the footer", footer + 12, 4)
    add("events of the file", footer + 16, 8)
    add("blocks of the file", footer + 24, 8)
    add("strings of the file", footer + 32, 8)
    add("length of the footer's JSON", footer + 40, 4)
    add("length of an index entry", footer + 44, 4)
    add("offset of a block", entry, 8)
    add("length of a block in the index", entry + 8, 4)
    add("events of a block in the index", entry + 12, 4)
    add("strings of a block in the index", entry + 32, 4)
    add("place of the footer", bytes.count - FormatConstants.trailerBytes, 8)
    return claims
  }

  @Test func aTinyFileFitsTheLimit() throws {
    let scratch = try Scratch()
    let bytes = try Self.tiny()
    #expect(bytes.count < 2000)
    try scratch.file("t.ptt", Data(bytes))
    let run = try Self.run("tracetool info --verify t.ptt", Self.limit, scratch)
    #expect(run.status == 0, "\(run.errors)")
    // The limit is one: what asks for much more is ended.
    let starved = try Self.run("tracetool info --verify t.ptt", 256, scratch)
    #expect(starved.status != 0)
  }

  /// All claims in one run of the shell: a file each, read as a file, as a pipe and by recovery.
  @Test func noClaimIsBelieved() throws {
    let scratch = try Scratch()
    let bytes = try Self.tiny()
    let claims = try Self.claims(bytes)
    #expect(claims.count > 40)
    for (number, claim) in claims.enumerated() {
      var changed = bytes
      for byte in 0..<claim.bytes {
        changed[claim.offset + byte] = byte == claim.bytes - 1 ? 0x7f : 0xff
      }
      try scratch.file("\(number).ptt", Data(ChecksumRepair.repaired(changed)))
    }
    for command in ["info --verify $f", "dump - < $f", "recover -q $f -o $f.out"] {
      let script = """
        for f in $(seq 0 \(claims.count - 1)); do f=$f.ptt
          tracetool \(command) > /dev/null 2> $f.err; echo "$? $f"; done
        """
      let run = try Self.run(script, Self.limit, scratch)
      let lines = run.output.split(separator: "\n")
      #expect(lines.count == claims.count)
      for (line, claim) in zip(lines, claims) {
        let status = Int(line.split(separator: " ")[0]) ?? -1
        #expect([0, 2, 3].contains(status), "\(command): \(claim.testDescription): \(line)")
      }
    }
  }

  /// A frame of zstd that grows to as much as a column may hold, of names and of strings.
  @Test(arguments: [ColumnID.taskNames, .strings])
  func whatIsDecompressedStaysWithinABlock(_ column: ColumnID) throws {
    let scratch = try Scratch()
    let columns = BlockColumns()
    columns[column] = [UInt8](
      repeating: 0, count: column == .strings ? FormatLimits.blockStrings : FormatLimits.textBytes)
    // Names are three zeros each: no step, task 0, no letters.
    if column == .taskNames { columns[column].removeLast(columns[column].count % 3) }
    var entry = IndexEntry(offset: 0)
    entry.stringCount = column == .strings ? UInt32(FormatLimits.blockStrings) : 0
    let packer = BlockPacker(codec: .zstd(level: 19))
    let header = TraceHeader(source: "t", producer: "", cpus: 1, clock: .nanoseconds("mono"))
    let bytes = try FileHeader.bytes(header) + packer.pack(columns, timeBase: 0, entry: &entry)
    #expect(bytes.count < 2000)
    try scratch.file("bomb.ptt", Data(bytes))
    for command in ["info --verify bomb.ptt", "recover -q bomb.ptt -o out.ptt"] {
      let run = try Self.run("tracetool \(command)", Self.limitWithBlock, scratch)
      // The file has no end, which is all that may be wrong with it.
      let isReadable =
        [0, 3].contains(run.status) || run.errors.contains("the end of the trace is missing")
      #expect(isReadable, "\(command): \(run.status) \(run.errors)")
    }
  }

  private static func run(_ script: String, _ kibibytes: Int, _ scratch: Scratch) throws -> ToolRun
  {
    try ToolRun.shell("ulimit -d \(kibibytes); \(script)", in: scratch.directory)
  }
}
