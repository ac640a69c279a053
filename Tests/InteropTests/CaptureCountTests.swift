import Testing
import TraceFormat

@testable import Interop

/// Events written from the committed captures, against what a plain count of their lines says,
/// and against the counts published with them (sample-traces/README.md).
@Suite struct CaptureCountTests {
  static let captures = [
    "6.1-amd64-small-munmap", "6.12-amd64-pv-small-munmap", "6.12-amd64-small-collapse",
    "6.12-amd64-small-munmap", "6.12-arm64-small-munmap", "6.12-riscv64-bpf-aia-small-munmap",
    "6.12-riscv64-bpf-lost-pipe", "6.12-riscv64-bpf-lost-tiny-buffer",
    "6.12-riscv64-bpf-small-clock-counter", "6.12-riscv64-bpf-small-collapse",
    "6.12-riscv64-bpf-small-fork", "6.12-riscv64-bpf-small-munmap",
    "6.12-riscv64-kprobe-silent-drop", "6.12-rt-amd64-pv-small-munmap",
    "6.12-split-ptlock-small-munmap", "7.2-amd64-fprobe-small-munmap", "7.2-amd64-medium-gup",
    "7.2-amd64-small-dontneed", "7.2-amd64-small-munmap", "7.2-arm64-small-munmap",
    "7.2-riscv64-bpf-small-clock-local", "7.2-riscv64-fprobe-small-munmap",
    "7.2-riscv64-kprobe-lost-mid", "7.2-riscv64-kprobe-lost-pipe",
    "7.2-riscv64-kprobe-small-collapse", "7.2-riscv64-kprobe-small-dontneed",
    "7.2-riscv64-kprobe-small-fork", "7.2-riscv64-kprobe-small-munmap",
    "7.2-rt-amd64-small-munmap", "chain-S1-aia-small-munmap", "chain-S1-small-munmap",
    "chain-S1-small-munmap-smp4", "chain-S1-small-nomem", "chain-S2h-aia-small-munmap",
    "chain-S2h-small-munmap", "chain-S2h-small-nomem", "chain-S3-aia-small-munmap",
    "chain-S3-small-munmap", "chain-S3-small-munmap-smp4", "chain-S3-small-nomem",
  ]

  /// Lines of one capture by event name, counted without any code of the importer.
  private struct PlainCount {
    var names: [String: Int] = [:]
    var events = 0
    var lost = 0

    subscript(_ name: String) -> Int { names[name] ?? 0 }

    init(_ text: [UInt8]) {
      for bytes in text.split(separator: 0x0A) where bytes.first != 0x23 {
        if bytes.starts(with: "CPU:".utf8) {
          lost += 1
          continue
        }
        events += 1
        let line = String(decoding: bytes, as: UTF8.self)
        // Everything up to the time stamp's ": " goes; no command here has one in its name.
        var words = line.split(separator: ": ", maxSplits: 1)[1].split(separator: " ")
        if words[0] == "bpf_trace_printk:" { words.removeFirst() }
        var name = String(words[0])
        if name.hasSuffix(":") { name.removeLast() }
        if name == "pt_ctor" || name == "pt_dtor" {
          let value = words.first { $0.hasPrefix("val=") }!
          let isNegative = value.hasPrefix("val=-")
          guard words.contains("idx=38"), isNegative == (name == "pt_dtor") else { continue }
        }
        if let function = words.first(where: { $0.hasPrefix("func=") }) {
          let symbol = function.dropFirst(5).split(separator: "+")[0]
          if symbol != "tlb_remove_table_rcu", symbol != "pte_free_now" { continue }
        }
        if name == "kmem_cache_free", !words.contains("name=page->ptl") { continue }
        names[name, default: 0] += 1
      }
    }
  }

  @Test(arguments: captures)
  func agreesWithPlainCount(name: String) throws {
    let plain = PlainCount(Samples.text(name))
    let imported = try Samples.importCapture(name)
    #expect(imported.report.eventLines == plain.events)
    #expect(imported.report.unknown.isEmpty)
    #expect(imported.report.badLines == 0)
    #expect(imported.report.badValues == 0)
    #expect(imported.count(.tableConstruct) == plain["pt_ctor"])
    #expect(imported.count(.tableDestruct) == plain["pt_dtor"])
    #expect(imported.count(.tableQueueBatch) == plain["tlb_table"])
    let pages = imported.trace.events.count {
      $0.kind == .tableQueuePage && !$0.flags.contains(.inferred)
    }
    #expect(pages == plain["tlb_page"])
    #expect(imported.count(.tableFallback) == plain["table_one"])
    #expect(imported.count(.tableDefer) == plain["pte_free_defer"])
    #expect(imported.count(.ipiSyncAck) == plain["ipi_ack"])
    #expect(imported.count(.ipiSyncEnd) == plain["ipi_sync_ret"])
    #expect(imported.count(.lockFree) == plain["kmem_cache_free"])
    #expect(imported.count(.mmExit) == plain["exit_mmap"])
    #expect(imported.count(.readerEnter) == plain["gup_fast"])
    let callbacks = plain["rcu_invoke_callback"]
    let probes = plain["rcu_cb"] + plain["pte_free_now"]
    #expect(imported.count(.callbackStart) == max(callbacks, probes))
    #expect(imported.count(.callRCU) == max(plain["rcu_callback"], plain["rcu_queue"]))
    let wrapped = name.hasSuffix("tiny-buffer") || name.hasSuffix("lost-mid")
    #expect(imported.report.losses.isEmpty == (plain.lost == 0 && !wrapped))
    if plain.lost > 0 { #expect(imported.report.losses.count == plain.lost) }
  }

  @Test func everyCommittedCaptureIsInTheList() {
    // The function tracer's text is there to be refused.
    let found = TemporaryFile.entries(of: Samples.folder).filter { !$0.hasSuffix("functracer") }
    #expect(found == Self.captures.sorted())
  }

  /// One row of the published tables.
  struct Row: Sendable, CustomTestStringConvertible {
    var name: String
    var constructed: Int
    var destructed: Int
    var batched: Int
    var paged: Int
    /// Destructor before the table was queued; inside a callback.
    var early: Int
    var inCallback: Int
    /// Tables queued in the trace and freed inside a callback, and outside.
    var freedInCallback: Int
    var freedDirectly: Int

    init(
      _ name: String, _ constructed: Int, _ destructed: Int, _ batched: Int, _ paged: Int,
      _ early: Int, _ inCallback: Int, _ freedInCallback: Int, _ freedDirectly: Int
    ) {
      self.name = name
      self.constructed = constructed
      self.destructed = destructed
      self.batched = batched
      self.paged = paged
      self.early = early
      self.inCallback = inCallback
      self.freedInCallback = freedInCallback
      self.freedDirectly = freedDirectly
    }

    var testDescription: String { name }
  }

  static let rows = [
    Row("6.1-amd64-small-munmap", 156, 156, 0, 163, 156, 0, 0, 163),
    Row("6.12-amd64-small-munmap", 166, 166, 0, 166, 166, 0, 0, 166),
    Row("6.12-amd64-pv-small-munmap", 167, 167, 167, 0, 167, 0, 158, 0),
    Row("6.12-rt-amd64-pv-small-munmap", 179, 179, 179, 0, 179, 0, 170, 0),
    Row("6.12-arm64-small-munmap", 157, 157, 157, 0, 157, 0, 148, 0),
    Row("6.12-riscv64-bpf-small-munmap", 215, 215, 219, 0, 215, 0, 209, 0),
    Row("6.12-riscv64-bpf-small-fork", 185, 185, 205, 0, 185, 0, 195, 0),
    Row("6.12-riscv64-bpf-small-collapse", 63, 63, 35, 0, 31, 16, 25, 0),
    Row("6.12-riscv64-bpf-small-clock-counter", 215, 215, 219, 0, 215, 0, 209, 0),
    Row("6.12-split-ptlock-small-munmap", 216, 216, 220, 0, 216, 0, 210, 0),
    Row("6.12-amd64-small-collapse", 62, 62, 0, 30, 30, 16, 0, 30),
    Row("7.2-riscv64-kprobe-small-munmap", 216, 216, 213, 0, 0, 213, 204, 0),
    Row("7.2-riscv64-kprobe-small-fork", 196, 196, 179, 0, 0, 179, 170, 0),
    Row("7.2-riscv64-kprobe-small-dontneed", 84, 84, 81, 0, 0, 81, 72, 0),
    Row("7.2-riscv64-kprobe-small-collapse", 64, 64, 29, 0, 0, 45, 20, 0),
    Row("7.2-riscv64-fprobe-small-munmap", 216, 216, 213, 0, 0, 213, 204, 0),
    Row("7.2-riscv64-bpf-small-clock-local", 216, 205, 213, 0, 0, 203, 204, 0),
    Row("7.2-amd64-medium-gup", 950, 851, 947, 0, 0, 848, 839, 99),
    Row("7.2-arm64-small-munmap", 159, 159, 159, 0, 0, 159, 149, 0),
    Row("chain-S1-small-munmap", 208, 208, 212, 0, 208, 0, 204, 0),
    Row("chain-S2h-small-munmap", 208, 208, 212, 0, 208, 0, 204, 0),
    Row("chain-S3-small-munmap", 208, 201, 212, 0, 0, 201, 204, 0),
    Row("chain-S1-small-nomem", 591, 591, 597, 0, 591, 0, 500, 89),
    Row("chain-S2h-small-nomem", 591, 591, 597, 0, 591, 0, 504, 85),
    Row("chain-S3-small-nomem", 591, 584, 597, 0, 0, 499, 504, 85),
    Row("chain-S1-aia-small-munmap", 208, 208, 0, 212, 208, 0, 0, 212),
    Row("chain-S2h-aia-small-munmap", 208, 208, 212, 0, 208, 0, 204, 0),
    Row("chain-S3-aia-small-munmap", 208, 208, 0, 212, 208, 0, 0, 212),
    Row("chain-S1-small-munmap-smp4", 256, 256, 260, 0, 256, 0, 252, 0),
    Row("chain-S3-small-munmap-smp4", 256, 265, 260, 0, 0, 265, 252, 0),
  ]

  @Test(arguments: rows)
  func agreesWithPublishedCounts(row: Row) throws {
    let imported = try Samples.importCapture(row.name)
    var inside: Set<UInt64> = []
    var destructed: Set<UInt64> = []
    var queued: Set<UInt64> = []
    var early = 0
    var inCallback = 0
    var freed = (inCallback: 0, directly: 0)
    for event in imported.trace.events {
      let place = UInt64(event.cpu) << 32 | UInt64(event.task)
      switch event.kind {
      case .callbackStart: inside.insert(place)
      case .callbackEnd: inside.remove(place)
      case .tableAlloc:
        destructed.remove(event.object)
        queued.remove(event.object)
      case .tableDestruct:
        destructed.insert(event.object)
        if inside.contains(place) { inCallback += 1 }
      case .tableQueueBatch, .tableQueuePage:
        if destructed.contains(event.object) { early += 1 }
        queued.insert(event.object)
      case .tableFree:
        guard queued.remove(event.object) != nil else { continue }
        if inside.contains(place) { freed.inCallback += 1 } else { freed.directly += 1 }
      default: break
      }
    }
    #expect(imported.count(.tableConstruct) == row.constructed)
    #expect(imported.count(.tableDestruct) == row.destructed)
    #expect(imported.count(.tableQueueBatch) == row.batched)
    #expect(imported.count(.tableQueuePage) == row.paged)
    #expect(early == row.early)
    #expect(inCallback == row.inCallback)
    #expect(freed.inCallback == row.freedInCallback)
    #expect(freed.directly == row.freedDirectly)
  }
}
