import Testing
import TraceFormat

@testable import Interop

/// What docs/EVENTS.md demands of every trace, checked on every committed capture.
@Suite struct ContractTests {
  @Test(arguments: CaptureCountTests.captures)
  func keepsTheContract(name: String) throws {
    let imported = try Samples.importCapture(name)
    let isWhole = imported.report.losses.isEmpty
    var tables: [UInt64: Bool] = [:]  // pfn: true = alive, false = freed and not seen since
    var open: [UInt64: UInt64] = [:]  // CPU: head of the callback that runs
    var blind: Set<UInt16> = []
    var running: UInt64?
    for event in imported.trace.events {
      switch event.kind {
      case .tableAlloc:
        if isWhole { #expect(tables[event.object] != true, "alloc of a live table") }
        tables[event.object] = true
      case .tableFree:
        if isWhole { #expect(tables[event.object] != false, "second free") }
        tables[event.object] = false
      case .pageReuse:
        if isWhole { #expect(tables[event.object] == false, "reuse of what was not freed") }
        tables[event.object] = nil
      case .tableConstruct, .tableDestruct, .tableQueueBatch, .tableQueuePage, .tableInstall,
        .tableFallback, .tableDefer:
        if isWhole { #expect(tables[event.object] != false, "\(event.kind.name) after free") }
        if event.kind == .tableInstall, event.level != .pte {
          #expect(event.flags.contains(.inferred))
        }
      case .tableUnlink, .tableDeposit, .tableWithdraw, .batchFail, .gatherFinish:
        #expect(event.flags.contains(.inferred))
      case .callbackStart:
        #expect(open[UInt64(event.cpu)] == nil, "callback inside a callback")
        #expect(event.context == .softirq || event.context == .kthread)
        open[UInt64(event.cpu)] = event.object
      case .callbackEnd:
        if let head = open.removeValue(forKey: UInt64(event.cpu)) { #expect(head == event.object) }
      case .gracePeriodStart:
        if isWhole { #expect(running == nil) }
        running = event.object
      case .gracePeriodEnd:
        if isWhole, let running { #expect(running == event.object) }
        running = nil
      case .loss: #expect(blind.insert(event.cpu).inserted)
      case .lossEnd: #expect(blind.remove(event.cpu) != nil)
      default: break
      }
    }
    #expect(blind.isEmpty || name.contains("lost-pipe"), "only a pipe's reader stops early")
    #expect(imported.report.events == UInt64(imported.trace.events.count))
    let inferred = imported.trace.events.count { $0.flags.contains(.inferred) }
    #expect(imported.report.inferred == UInt64(inferred))
  }

  @Test(arguments: CaptureCountTests.captures)
  func declaresEveryKindItWrites(name: String) throws {
    let imported = try Samples.importCapture(name)
    let kinds = Set(imported.trace.events.map(\.kind)).subtracting([.loss, .lossEnd])
    for kind in kinds.sorted(by: { $0.rawValue < $1.rawValue }) {
      #expect(imported.header.capabilities[kind] != nil, "\(kind.name) is not declared")
    }
  }

  @Test(arguments: ["6.12-riscv64-bpf-lost-pipe", "7.2-rt-amd64-small-munmap"])
  func isDeterministic(name: String) throws {
    let one = try Samples.importCapture(name)
    let two = try Samples.importCapture(name)
    #expect(one.trace.events == two.trace.events)
    #expect(one.header == two.header)
    #expect(one.report == two.report)
  }
}
