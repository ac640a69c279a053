import Testing
import TraceFormat

@testable import Interop

/// trace.dat against the text of the same run, and against files built record by record.
@Suite struct TraceDatTests {
  // MARK: real files

  static let captures = [
    ("chain-S3-small-munmap", "trace.dat"), ("6.12-riscv64-bpf-small-munmap", "trace.dat"),
    ("7.2-amd64-small-munmap", "trace.dat"),
  ]

  /// The text's times are rounded to microseconds; otherwise everything is the same, in the same
  /// order.
  @Test(arguments: captures)
  func saysWhatTheTextSays(name: String, file: String) throws {
    let text = try Samples.importCapture(name)
    let binary = try Samples.importPath("\(Samples.folder)/\(name)/\(file)", ImportOptions())
    #expect(binary.report.unknown.isEmpty)
    #expect(binary.report.badLines == 0)
    #expect(binary.report.badValues == 0)
    #expect(binary.report.eventLines == text.report.eventLines)
    #expect(binary.report.read == text.report.read)
    #expect(binary.header.capabilities == text.header.capabilities)
    try #require(binary.trace.events.count == text.trace.events.count)
    for (one, two) in zip(binary.trace.events, text.trace.events) {
      var rounded = one
      rounded.time = (one.time + 500) / 1000 * 1000
      guard rounded != two else { continue }
      Issue.record("\(one) is not \(two)")
      return
    }
  }

  /// The text of this kernel leaves the names of allocation flags out, and its trace.dat has them:
  /// more page reuse is seen at once. Version 6, compressed as a whole.
  @Test func readsVersion6() throws {
    let name = "6.1-amd64-small-munmap"
    let text = try Samples.importCapture(name)
    let binary = try Samples.importPath("\(Samples.folder)/\(name)/trace.dat.zst", ImportOptions())
    #expect(binary.report.read == text.report.read)
    let one = binary.trace.events.filter { $0.kind != .pageReuse }.map(\.kind)
    let two = text.trace.events.filter { $0.kind != .pageReuse }.map(\.kind)
    #expect(one == two)
    #expect(binary.header.kernel == "6.1.0-56-amd64")
  }

  // MARK: built files

  static let queue = 900
  static let callback = 901
  static let program = 902

  /// Two probes and a BPF program, symbols at 0x1000 and 0x2000.
  private func builder() -> TraceDatBuilder {
    var builder = TraceDatBuilder()
    let site = (type: "unsigned long", name: "__probe_ip", size: 8, isSigned: false)
    builder.formats = [
      (
        "pt",
        TraceDatBuilder.format(
          "rcu_queue", id: Self.queue,
          print: "\"(%lx) head=0x%Lx func=%pS nr=%u\", REC->__probe_ip",
          [
            site, ("u64", "head", 8, false), ("u64", "func", 8, false), ("u32", "nr", 4, false),
          ])
      ),
      (
        "pt",
        TraceDatBuilder.format(
          "rcu_cb", id: Self.callback, print: "\"(%lx) head=0x%Lx nr=%u\", REC->__probe_ip",
          [site, ("u64", "head", 8, false), ("u32", "nr", 4, false)])
      ),
      (
        "bpf_trace",
        TraceDatBuilder.format(
          "bpf_trace_printk", id: Self.program, print: "\"%s\", __get_str(bpf_string)",
          [("__data_loc char[]", "bpf_string", 4, false)])
      ),
    ]
    builder.kallsyms = """
      0000000000001000 T call_rcu
      0000000000002000 T tlb_remove_table_rcu
      0000000000002000 T an_alias
      0000000000003000 t other\t[module]

      """
    return builder
  }

  private func queued(_ builder: TraceDatBuilder, head: UInt64 = 0xff00) -> [UInt8] {
    builder.record(Self.queue, [(0x1004, 8), (head, 8), (0x2000, 8), (3, 4)])
  }

  private func called(_ builder: TraceDatBuilder, head: UInt64 = 0xff00) -> [UInt8] {
    builder.record(Self.callback, flags: 0x10, [(0x2000, 8), (head, 8), (3, 4)])
  }

  private func printed(_ builder: TraceDatBuilder, _ text: String) -> [UInt8] {
    let bytes = Array(text.utf8) + [0]
    return builder.record(
      Self.program, flags: 0x10, [(UInt64(bytes.count) << 16 | 12, 4)], tail: bytes)
  }

  private func importing(
    _ builder: TraceDatBuilder, options: ImportOptions = ImportOptions()
  ) throws -> Samples.Imported {
    let file = try TemporaryFile(builder.file)
    return try Samples.importPath(file.path, options)
  }

  static let forms: [(version: Int, isBigEndian: Bool, packing: TraceDatBuilder.Packing)] = [
    (6, false, .none), (6, true, .none), (7, false, .none), (7, true, .none), (7, false, .zlib),
    (7, true, .zlib), (7, false, .zstd), (7, true, .zstd),
  ]

  @Test(arguments: forms)
  func everyFormOfAFile(
    version: Int, isBigEndian: Bool, packing: TraceDatBuilder.Packing
  ) throws {
    var builder = builder()
    builder.version = version
    builder.isBigEndian = isBigEndian
    builder.packing = packing
    // Two CPUs, a length word, every kind of time, an event thrown away and two pages.
    builder.buffers = [
      .init(cpus: [
        [
          .init(time: 1000, items: [.event(delta: 5, queued(builder)), .endOfPage]),
          .init(
            time: 1 << 60 | 7_000_000_000,
            items: [
              .extend(1 << 30), .long(delta: 1, called(builder)),
              .discarded(delta: 9, size: 20), .stamp(9_000_000_000),
              .event(delta: 2, printed(builder, "rcu_cb_ret")),
            ]),
        ],
        [.init(time: 1002, items: [.event(delta: 0, queued(builder, head: 0xee00))])],
      ])
    ]
    let imported = try importing(builder)
    let events = imported.trace.events
    #expect(imported.names() == ["call_rcu", "call_rcu", "cb_start", "cb_end"])
    #expect(events.map(\.cpu) == [1, 0, 0, 0])
    let high: UInt64 = 1 << 60
    #expect(
      events.map(\.time) == [
        1002, 1005, high + 7_000_000_001 + 1 << 30, high + 9_000_000_002,
      ])
    #expect(events[1].object == 0xff00)
    #expect(events[1].arg0 == UInt64(CallbackFunction.removeTableBatch.rawValue))
    #expect(events[1].arg1 == 3)
    #expect(events[2].context == .softirq)
    #expect(imported.header.kernel == "6.12.0-test")
    #expect(imported.header.clock.name == "mono")
    #expect(imported.trace.taskName(7) == "worker")
  }

  @Test func lostEventsAreHoles() throws {
    var builder = builder()
    builder.buffers = [
      .init(cpus: [
        [
          .init(time: 10, items: [.event(delta: 0, queued(builder))], hasMissed: true, missed: 40),
          .init(time: 20, items: [.event(delta: 0, queued(builder, head: 0xaa00))]),
          .init(time: 30, items: [.event(delta: 0, called(builder))], hasMissed: true),
        ],
        [.init(time: 15, items: [.event(delta: 0, queued(builder, head: 0xbb00))])],
      ])
    ]
    let imported = try importing(builder)
    #expect(
      imported.names() == [
        "loss", "loss_end", "call_rcu", "call_rcu", "call_rcu", "loss", "loss_end", "cb_start",
      ])
    #expect(imported.report.losses.map(\.count) == [40, nil])
    #expect(imported.report.losses.map(\.cpu) == [0, 0])
  }

  @Test func clocksThatOnlyCount() throws {
    var builder = builder()
    builder.clock = "counter"
    builder.buffers = [
      .init(cpus: [[.init(time: 10, items: [.event(delta: 0, queued(builder))])]])
    ]
    let header = try importing(builder).header
    #expect(header.clock.unitsPerSecond == nil)
  }

  // MARK: several buffers

  private func instances(_ version: Int) -> TraceDatBuilder {
    var builder = builder()
    builder.version = version
    builder.buffers = [
      .init(cpus: [[.init(time: 10, items: [.event(delta: 0, queued(builder))])]]),
      .init(
        name: "tables", cpus: [[.init(time: 12, items: [.event(delta: 0, called(builder))])]]),
    ]
    return builder
  }

  @Test(arguments: [6, 7]) func buffersThatShowDifferentThingsAreMerged(version: Int) throws {
    let imported = try importing(instances(version))
    #expect(imported.names() == ["call_rcu", "cb_start"])
  }

  @Test(arguments: [6, 7]) func oneBufferCanBeChosen(version: Int) throws {
    var options = ImportOptions()
    options.buffer = "tables"
    #expect(try importing(instances(version), options: options).names() == ["cb_start"])
    options.buffer = "top"
    #expect(try importing(instances(version), options: options).names() == ["call_rcu"])
    options.buffer = "none"
    #expect(throws: TraceError.self) { try importing(instances(version), options: options) }
  }

  @Test func buffersThatShowTheSameAreRefused() throws {
    var builder = instances(7)
    builder.buffers[1].cpus = builder.buffers[0].cpus
    let error = #expect(throws: TraceError.self) { try importing(builder) }
    #expect(error?.what.contains("record the same events") == true)
    #expect(error?.hint.contains("top, tables") == true)
  }

  // MARK: bad files

  /// Cut anywhere, and with any byte changed, a file is read or refused; it never traps.
  @Test(arguments: [6, 7]) func damagedFilesAreRefusedOrRead(version: Int) throws {
    var builder = instances(version)
    builder.packing = version == 7 ? .zstd : .none
    let whole = builder.file
    for cut in stride(from: 0, to: whole.count, by: 97) {
      _ = try? Samples.importPath(
        TemporaryFile(Array(whole[..<cut])).path, ImportOptions())
    }
    var random = SplitMix64(seed: UInt64(version))
    for _ in 0..<300 {
      var bytes = whole
      for _ in 0...random.below(3) {
        bytes[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.next())
      }
      _ = try? Samples.importPath(TemporaryFile(bytes).path, ImportOptions())
    }
  }

  @Test func errorsNameTheOffset() throws {
    var builder = builder()
    builder.buffers = [
      .init(cpus: [[.init(time: 10, items: [.event(delta: 0, queued(builder))])]])
    ]
    let whole = builder.file
    let cut = try TemporaryFile(Array(whole.dropLast(40)))
    let error = #expect(throws: TraceError.self) {
      try Samples.importPath(cut.path, ImportOptions())
    }
    #expect(error?.description.contains("offset") == true)
    builder.version = 9
    let other = try TemporaryFile(builder.file)
    let second = #expect(throws: TraceError.self) {
      try Samples.importPath(other.path, ImportOptions())
    }
    #expect(second?.what.contains("version 9") == true)
  }
}

/// The names of an allocation's flags, from the print formats of two kernels.
@Suite struct FlagTableTests {
  private static let old =
    "\"%s\", (REC->gfp_flags) ? __print_flags(REC->gfp_flags, \"|\", {( unsigned long)((( gfp_t)"
    + "(0x400u|0x800u)) | (( gfp_t)0x40u)), \"GFP_NOFS\"}, {( unsigned long)((( gfp_t)0x800u)), "
    + "\"GFP_NOWAIT\"}, {( unsigned long)(( gfp_t)0x100u), \"__GFP_ZERO\"}, {( unsigned long)"
    + "((((( gfp_t)0x08u | 0x2u)) & ~(( gfp_t)0x02u))), \"__GFP_MOVABLE\"} ) : \"none\""
  private static let new =
    "\"%s\", __print_flags(REC->gfp_flags, \"|\", {( unsigned long)(( gfp_t)(((((1UL))) << (10))|"
    + "((((1UL))) << (11)))), \"__GFP_RECLAIM\"}, {( unsigned long)(( gfp_t)((((1UL))) << (8))), "
    + "\"__GFP_ZERO\"}, { 0, ((void *)0) } ) : \"none\""

  @Test func readsNames() {
    let old = FlagTable(field: "gfp_flags", printFormat: Self.old)
    #expect(old.value(0xD40) == AllocationFlags.ofTable)
    #expect(old.value(0xC40) == AllocationFlags.notOfTable)
    #expect(old.value(0x900) == AllocationFlags.notOfTable)
    #expect(old.value(0xD48) == AllocationFlags.notOfTable)
    let new = FlagTable(field: "gfp_flags", printFormat: Self.new)
    #expect(new.value(0xD00) == AllocationFlags.ofTable)
    #expect(new.value(0xC00) == AllocationFlags.notOfTable)
  }

  @Test func saysNothingWhereTheTableCannotBeRead() {
    #expect(FlagTable(field: "gfp_flags", printFormat: "\"%d\", REC->x").value(1) == nil)
    let odd = "__print_flags(REC->gfp_flags, \"|\", {(1 << ___GFP_ZERO_BIT), \"__GFP_ZERO\"})"
    #expect(FlagTable(field: "gfp_flags", printFormat: odd).value(0x100) == nil)
    let deep = "__print_flags(REC->gfp_flags, \"|\", {" + String(repeating: "(", count: 9999)
    #expect(FlagTable(field: "gfp_flags", printFormat: deep).value(0x100) == nil)
  }
}
