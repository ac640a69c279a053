@testable import Simulator
import Testing
import TraceFormat

@Suite struct MemoryTests {
  @Test func pagesAreReusedLastFreedFirst() {
    var pages = PageAllocator()
    let first = pages.allocate().pfn
    let second = pages.allocate().pfn
    pages.release(first, table: true)
    pages.release(second)
    #expect(pages.allocate() == (second, false))
    #expect(pages.allocate() == (first, true))
    pages.release(first)
    #expect(pages.allocate() == (first, false))
  }

  @Test func ordersDoNotMix() {
    var pages = PageAllocator()
    let pair = pages.allocate(order: 1).pfn
    let single = pages.allocate().pfn
    #expect(single == pair + 2)
    pages.release(pair, order: 1)
    #expect(pages.allocate().pfn == single + 1)
    #expect(pages.allocate(order: 1).pfn == pair)
  }

  @Test func aReusedLockComesUnlocked() {
    var slab = LockSlab()
    slab.grow(pageAddress: 0x1000)
    let lock = slab.allocate()
    lock.isHeld = true
    slab.release(lock)
    let again = slab.allocate()
    #expect(again === lock && !again.isHeld)
    #expect(slab.live == 1)
  }

  @Test func upperTablesAreFreedOnlyWhenNoRegionNeedsThem() {
    let machine = Machine.forTests()
    let mm = machine.createAddressSpace()
    let pmd = machine.allocateTable(.pmd, base: 1 << 30, mm: mm.address)
    mm.root.install(pmd)
    for index in UInt64(0)..<2 {
      pmd.install(
        machine.allocateTable(.pte, base: 1 << 30 + index << 21, mm: mm.address))
    }
    let low = Region(start: 1 << 30, end: 1 << 30 + 1 << 21)
    let high = Region(start: low.end, end: low.end + 4096)
    mm.insert(high)
    mm.insert(low)
    #expect(mm.regions == [low, high])
    mm.remove(low)
    #expect(mm.unneededTables(from: low.start, to: low.end).map(\.level) == [.pte])
    mm.remove(high)
    #expect(mm.unneededTables(from: low.start, to: high.end).map(\.level) == [.pte, .pte, .pmd])
  }

  @Test func aGracePeriodInProgressIsNotEnough() {
    var rcu = RCU()
    #expect(rcu.request(at: 10) == 1)
    rcu.start(cpus: 0b11, end: 20)
    #expect(rcu.request(at: 11) == 2)
    rcu.report(0)
    rcu.report(1)
    #expect(rcu.pending == 0)
    rcu.end(nextStart: 30)
    #expect(rcu.completed == 1 && rcu.phase == .starting && rcu.timer == 30)
    #expect(rcu.request(at: 31) == 2)
    rcu.start(cpus: 0b11, end: 40)
    rcu.end(nextStart: 50)
    #expect(rcu.phase == .idle && rcu.completed == 2)
  }

  @Test func callbacksAreFirstInFirstOut() {
    var queue = CallbackQueue()
    for round in 0..<10 {
      for index in 0..<100 {
        let table = Table(pfn: UInt64(index), level: .pte, base: 0, lock: nil)
        queue.append(
          Callback(head: UInt64(round * 100 + index), payload: .table(table), gracePeriod: 1))
      }
      for index in 0..<100 {
        #expect(queue.removeFirst().head == UInt64(round * 100 + index))
      }
    }
    #expect(queue.count == 0 && queue.queued == 1_000)
  }
}

extension Machine {
  /// A machine nobody runs.
  static func forTests() -> Machine {
    let header = TraceHeader(
      source: "test", producer: "test", cpus: 1, clock: .nanoseconds("simulated"))
    return Machine(
      stage: .s4, mode: .sv39, cpus: 1, seed: 1, targetEvents: 0, splitPtlock: true,
      schedule: RandomSchedule(seed: 1), sink: EventArray(header: header))
  }
}
