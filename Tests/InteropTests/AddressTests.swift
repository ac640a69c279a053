import Testing
import TraceFormat

@testable import Interop

/// struct page ↔ pfn where the trace makes it hard.
@Suite struct AddressTests {
  /// The capture with the page allocator's addresses hashed, as a kernel prints them by default.
  private func hashed(_ name: String, dropProbes: Bool = false) -> [UInt8] {
    var text: [UInt8] = []
    let key = Array(" page=".utf8)
    for line in Samples.text(name).split(separator: 0x0A) {
      var line = Array(line)
      let isPageLine = line.firstRange(of: Array(": mm_page_".utf8)) != nil
      if isPageLine, let range = line.firstRange(of: key) {
        let end = line[range.upperBound...].firstIndex(of: 0x20) ?? line.count
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in line[range.upperBound..<end] { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        let digits = String(hash >> 32, radix: 16)
        let zeros = String(repeating: "0", count: 16 - digits.count)
        line.replaceSubrange(range.upperBound..<end, with: Array((zeros + digits).utf8))
      } else if dropProbes,
        line.firstRange(of: Array("table_free".utf8)) != nil
          || line.firstRange(of: Array("pt_ctor".utf8)) != nil
      {
        continue
      }
      text += line + [0x0A]
    }
    return text
  }

  @Test func hashedPagesAreFoundByTheirNeighbours() throws {
    let name = "7.2-riscv64-kprobe-small-munmap"
    let plain = try Samples.importCapture(name)
    let file = try TemporaryFile(hashed(name))
    let imported = try Samples.importPath(file.path, ImportOptions())
    #expect(imported.trace.events == plain.trace.events)
    #expect(imported.header.remarks.contains { $0.contains("hashed") })
  }

  @Test func hashedPagesWithoutNeighboursAreNotJoined() throws {
    let file = try TemporaryFile(
      hashed("7.2-riscv64-kprobe-small-munmap", dropProbes: true))
    let imported = try Samples.importPath(file.path, ImportOptions())
    #expect(imported.header.remarks.contains { $0.contains("cannot be joined") })
    #expect(imported.count(.tableAlloc) == 0 && imported.count(.tableFree) == 0)
    #expect(imported.count(.tableQueueBatch) == 213 && imported.count(.tableDestruct) == 216)
    #expect(imported.header.capabilities[.tableAlloc] == nil)
    #expect(imported.header.capabilities[.tableFree] == nil)
  }

  @Test(arguments: [
    ("6.12-riscv64-bpf-small-munmap", "riscv64"), ("7.2-amd64-small-munmap", "x86_64"),
    ("7.2-arm64-small-munmap", "arm64"),
  ])
  func architectureIsFoundInTheTraceAlone(name: String, arch: String) throws {
    let file = try TemporaryFile(Samples.text(name))
    let imported = try Samples.importPath(file.path, ImportOptions())
    #expect(imported.header.arch == arch)
    #expect(imported.count(.readerLoad) > 100)
    #expect(imported.count(.batchFree) > 10)
  }

  @Test func headerSaysWhatTheTraceSays() throws {
    let counter = try Samples.importCapture("6.12-riscv64-bpf-small-clock-counter").header
    #expect(counter.clock == Clock(name: "counter", unitsPerSecond: nil))
    let local = try Samples.importCapture("7.2-riscv64-bpf-small-clock-local").header
    #expect(local.clock == .nanoseconds("local"))
    #expect(local.workload == "ptwork munmap 2 18 1")
    #expect(local.source == "ftrace-text" && local.stage == nil && local.cpus == 2)
    #expect(try Samples.importCapture("chain-S1-small-munmap-smp4").header.cpus == 4)
  }
}
