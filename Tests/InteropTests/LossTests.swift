import Testing
import TraceFormat

@testable import Interop

/// Holes: where they begin, where they end, and what is known of misses without a mark.
@Suite struct LossTests {
  @Test func holeBeginsAfterTheCPUsLastEvent() throws {
    let imported = try Samples.importText(
      """
      sh-1 [000] ..... 1.000001: exit_mmap: (x+0x0/0x1) mm=0x1
      sh-2 [001] ..... 1.000002: exit_mmap: (x+0x0/0x1) mm=0x2
      sh-1 [000] ..... 1.000003: exit_mmap: (x+0x0/0x1) mm=0x3
      CPU:1 [LOST 7 EVENTS]
      sh-2 [001] ..... 1.000004: exit_mmap: (x+0x0/0x1) mm=0x4
      CPU:2 [9 EVENTS DROPPED]
      sh-3 [002] ..... 1.000005: exit_mmap: (x+0x0/0x1) mm=0x5

      """)
    #expect(
      imported.names() == [
        "loss", "mm_exit", "mm_exit", "loss", "mm_exit", "loss", "loss_end", "mm_exit", "loss",
        "loss_end", "mm_exit",
      ])
    let losses = imported.trace.events.filter { $0.kind == .loss }
    // The last two: a pipe's reader stopped, and CPUs 0 and 1 had been read less far than CPU 2.
    #expect(losses.map(\.cpu) == [2, 1, 0, 1])
    #expect(losses.map(\.arg0) == [9, 7, Event.unknownCount, Event.unknownCount])
    #expect(imported.report.losses.map(\.afterLine) == [0, 2])
  }

  @Test func wrappedBufferLosesTheStartOfEveryCPU() throws {
    let imported = try Samples.importText(
      """
      # tracer: nop
      #
      # entries-in-buffer/entries-written: 2/100   #P:2
      sh-1 [000] ..... 1.000001: exit_mmap: (x+0x0/0x1) mm=0x1
      sh-2 [001] ..... 1.000002: exit_mmap: (x+0x0/0x1) mm=0x2
      """)
    #expect(
      imported.names() == ["loss", "loss", "loss_end", "mm_exit", "loss_end", "mm_exit"])
    #expect(imported.header.cpus == 2)
    #expect(imported.header.remarks.contains { $0.contains("98 events") })
  }

  @Test func statisticsTellWhichCPUWrapped() throws {
    let file = try TemporaryFile(
      Array(
        """
        # entries-in-buffer/entries-written: 2/100   #P:2
        sh-1 [000] ..... 1.000001: exit_mmap: (x+0x0/0x1) mm=0x1
        sh-2 [001] ..... 1.000002: exit_mmap: (x+0x0/0x1) mm=0x2

        """.utf8))
    file.add(
      Array("== cpu0\nentries: 1\noverrun: 0\n== cpu1\nentries: 1\noverrun: 98\n".utf8),
      name: "stats.txt")
    let imported = try Samples.importPath(file.path, ImportOptions())
    #expect(imported.names() == ["loss", "mm_exit", "loss_end", "mm_exit"])
    #expect(imported.trace.events[0].cpu == 1 && imported.trace.events[0].arg0 == 98)
    var options = ImportOptions()
    options.sideFiles = false
    #expect(try Samples.importPath(file.path, options).count(.loss) == 2)
    file.add(Array("== cpu0\nentries: 4711\noverrun: 5\n".utf8), name: "stats.txt")
    let foreign = try Samples.importPath(file.path, ImportOptions())
    #expect(foreign.header.remarks.contains { $0.contains("not used") })
  }

  @Test func missesOfProbesAreDeclared() throws {
    let file = try TemporaryFile(
      Array("sh-1 [000] ..... 1.000001: pt_ctor: (x+0x0/0x1) folio=0x40 idx=38 val=1\n".utf8))
    file.add(
      Array("p:pt/pt_ctor x\np:pt/pt_dtor x\np:pt/tlb_table y\n".utf8), name: "kprobe_events.txt")
    file.add(
      Array("  pt_ctor  100  4\n  pt_dtor  9  0\n  tlb_table 0 0\n".utf8),
      name: "kprobe_profile.txt")
    let since = try Samples.importPath(file.path, ImportOptions()).header.capabilities
    #expect(since[.tableConstruct] == .mayMiss && since.misses["pt_ctor"] == 4)
    #expect(since[.tableDestruct] == .sure && since[.tableQueueBatch] == .sure)
    #expect(since.missesAreCumulative)
    file.add(Array("  pt_ctor  50  4\n  pt_dtor  9  0\n".utf8), name: "kprobe_profile.before")
    let during = try Samples.importPath(file.path, ImportOptions()).header.capabilities
    #expect(during[.tableConstruct] == .sure && !during.missesAreCumulative)
    var options = ImportOptions()
    options.sideFiles = false
    let alone = try Samples.importPath(file.path, options).header.capabilities
    #expect(alone[.tableConstruct] == .mayMiss)
    #expect(alone[.tableQueueBatch] == nil)
  }

  @Test func theMachineAndItsBootAreNamed() throws {
    let file = try TemporaryFile(
      Array("sh-1 [000] ..... 1.000001: pt_ctor: (x+0x0/0x1) folio=0x40 idx=38 val=1\n".utf8))
    func header(_ node: String) throws -> TraceHeader {
      file.add(
        Array("Linux \(node) 7.2.0 #1 SMP 2026 riscv64 GNU/Linux\n".utf8), name: "uname.txt")
      return try Samples.importPath(file.path, ImportOptions()).header
    }
    let named = try header("board7")
    #expect(named.host == "board7" && named.kernel == "7.2.0" && named.boot == nil)
    // A name that any machine has which was given none says nothing.
    #expect(try header("(none)").host == nil)
    file.add(Array("7d3c-11\n".utf8), name: "boot_id.txt")
    #expect(try header("localhost").boot == "7d3c-11")
  }

  @Test func probesThatRecordNothingAreNeverSure() throws {
    let header = try Samples.importCapture("6.12-riscv64-kprobe-silent-drop").header
    #expect(header.counts["hits not recorded: pt_ctor"] == 1020)
    #expect(header.remarks.contains { $0.contains("none recorded") })
    for kind in [EventKind.tableConstruct, .tableDestruct, .tableQueueBatch, .callbackStart] {
      #expect(header.capabilities[kind] == .mayMiss)
    }
  }

  @Test func sourcesWithoutMissCounterAreNeverSure() throws {
    let bpf = try Samples.importCapture("6.12-riscv64-bpf-small-munmap").header.capabilities
    #expect(bpf[.tableConstruct] == .mayMiss && bpf[.tableFree] == .sure)
    let fprobe = try Samples.importCapture("7.2-riscv64-fprobe-small-munmap").header.capabilities
    #expect(fprobe[.tableConstruct] == .mayMiss && fprobe[.tableFree] == .sure)
    let chain = try Samples.importCapture("chain-S3-small-munmap").header.capabilities
    #expect(chain[.tableConstruct] == .sure && chain[.lockFree] == .sure)
  }
}
