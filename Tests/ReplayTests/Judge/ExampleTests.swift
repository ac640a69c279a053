import Testing
import TraceFormat

@testable import Replay

/// The example finding of each description is one that its judge really makes, word for word.
@Suite struct ExampleTests {
  /// The smallest trace that provokes it, by id.
  static let traces: [String: @Sendable (inout Trace) -> Void] = [
    "I01": {
      $0.born(1); $0.s3([1]); $0.ctor(1)
    },
    "I02": {
      $0.alloc(1); $0.install(1)
    },
    "I03": {
      $0.alloc(1); $0.zero(1); $0.install(1); $0.ctor(1)
    },
    "I04": {
      $0.born(1); $0.queue(1)
    },
    "I05": {
      $0.born(1); $0.unlink(1); $0.queue(1); $0.queue(1)
    },
    "I06": {
      $0.born(1); $0.dtor(1); $0.dtor(1)
    },
    "I07": {
      $0.born(1); $0.free(1)
    },
    "I08": {
      $0.born(1); $0.s3([1]); $0.free(1)
    },
    "I09": {
      $0.header.machine = Trace.machine
      $0.born(1)
      $0.emit(.tableFree, 1, UInt64(FreeFunction.freePageAndSwapCache.rawValue))
    },
    "I10": {
      $0.born(1); $0.unlink(1); $0.dtor(1); $0.free(1)
    },
    "I11": {
      $0.born(1); $0.unlink(1); $0.queue(1); $0.callRCU(9, load: 1)
    },
    "I12": {
      $0.born(1); $0.queueBatch([1]); $0.free(1)
    },
    "I13": {
      $0.born(1); $0.s1([1])
    },
    "I14": {
      $0.born(1); $0.s1([1])
    },
    "I15": {
      $0.born(1); $0.unlink(1); $0.dtor(1); $0.queuePage(1)
      $0.flushStart(); $0.flushCPUs(0b110); $0.flushAck(cpu: 1); $0.flushEnd(); $0.free(1)
    },
    "I16": {
      $0.born(1); $0.fallBack(1); $0.destruct(1); $0.free(1)
    },
    "I17": {
      $0.born(1); $0.fallbackByIPI(1)
    },
    "I18": {
      $0.born(1); $0.enter(7, .map); $0.load(1, in: 7); $0.fallbackByIPI(1); $0.access(1, in: 7)
    },
    "I19": {
      $0.born(1); $0.hardwareLoad(1); $0.s3([1]); $0.hardwareAccess(1)
    },
    "I20": {
      $0.born(1, locks: true); $0.lockFree(Trace.lockAddress(1), of: 1)
      $0.lock(Trace.lockAddress(1))
    },
    "I21": {
      $0.born(1, locks: true); $0.lock(Trace.lockAddress(1))
      $0.lockFree(Trace.lockAddress(1), of: 1)
    },
    "I22a": {
      $0.born(1); $0.enter(7, .map); $0.load(1, in: 7); $0.fallbackByIPI(1); $0.alloc(1)
    },
    "I22b": {
      $0.born(1, locks: true); $0.enter(7); $0.load(1, in: 7)
      $0.lockFree(Trace.lockAddress(1), of: 1); $0.lockAlloc(Trace.lockAddress(1), of: 2)
    },
    "I23": {
      $0.born(1); $0.enter(7, .lock); $0.load(1, in: 7); $0.write(1, in: 7)
    },
    "I24": {
      $0.born(1); $0.s3([1]); $0.cbStart(Trace.head(1))
    },
    "I25": {
      $0.callRCU(9, load: 0); $0.cbStart(9)
    },
    "I26": {
      $0.callRCU(8, load: 0); $0.callRCU(9, load: 0); $0.cbStart(9); $0.cbEnd(9); $0.cbStart(8)
    },
    "I27": {
      $0.callRCU(9, load: 0); $0.callRCU(9, load: 0)
    },
    "I28": {
      $0.header.machine = Trace.machine
      $0.add(1, to: 0xa000, at: 4)
    },
    "I29": {
      $0.born(1, 2); $0.queueBatch([1, 2]); $0.gp(); $0.runBatch([2, 1], head: Trace.head(1))
    },
    "I30": {
      $0.born(1); $0.gatherStart(); $0.unlink(1); $0.queue(1); $0.gatherFinish()
    },
    "I31": {
      $0.header.machine = Trace.machine
      $0.born(10, level: .pmd); $0.alloc(1); $0.install(1, under: 10); $0.queue(10)
    },
    "I32": {
      $0.header.machine = Trace.machine
      $0.born(1); $0.install(1)
    },
    "I33": {
      $0.alloc(1); $0.ctor(1); $0.emit(.tableDestruct, 1, 0, UInt64(bitPattern: -2))
    },
    "I34": {
      $0.mmNew(); $0.bytes(4096); $0.mmFree()
    },
    "I35": {
      $0.born(1, locks: true); $0.lockFree(Trace.lockAddress(1), of: 1)
      $0.lockFree(Trace.lockAddress(1), of: 1)
    },
    "I36": {
      $0.born(1); $0.quiesce()
    },
    "I37": {
      $0.header.machine = Trace.machine
      $0.enter(7, .map); $0.emit(.synchronizeStart)
    },
    "I38": {
      $0.born(1); $0.unlink(1); $0.typeClear(1); $0.queue(1)
    },
    "I39": {
      $0.born(1); $0.deposit(1)
    },
    "I40": {
      $0.born(1); $0.reclaim(1, pmdLock: 0, present: 1)
    },
  ]

  @Test func everyInvariantHasOne() {
    #expect(Set(Self.traces.keys) == Set(InvariantRegistry.all.map { $0.description.id }))
  }

  @Test(arguments: InvariantRegistry.all.map { $0.description.id })
  func theExampleIsReal(_ id: String) throws {
    let trace = Trace(try #require(Self.traces[id]))
    let example = InvariantRegistry.all.first { $0.description.id == id }!.description.example
    #expect(trace.judge(id).causes.contains(example), "\(trace.judge(id))")
  }
}
