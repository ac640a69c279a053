import Testing
import TraceFormat

@testable import Replay

/// What the resolver writes down beside an event, and that its memory does not grow with the trace.
@Suite struct ResolverTests {
  private func resolve(_ trace: Trace) -> (Resolver, ResolvedBatch) {
    var resolver = Resolver()
    var batch = EventBatch()
    var resolved = ResolvedBatch()
    let source = trace.source()
    if source.next(into: &batch) { resolver.resolve(batch, into: &resolved) }
    return (resolver, resolved)
  }

  /// The table at the last event of `kind`.
  private func table(_ kind: EventKind, in trace: Trace) -> TableLife? {
    let (_, batch) = resolve(trace)
    return batch.places(of: kind).last.flatMap { batch[$0].table }
  }

  @Test func snapshotsAreOfTheStateBefore() throws {
    let life = try #require(
      table(
        .tableQueueBatch,
        in: Trace {
          $0.born(1); $0.queueBatch([1])
        }))
    #expect(life.path == .none && life.unlinkAt == 5 && life.constructAt == 2)
    let freed = try #require(
      table(
        .tableFree,
        in: Trace {
          $0.born(1); $0.s3([1])
        }))
    #expect(!freed.isFreed && freed.destructPlacement == .inCallback && freed.path == .batch)
  }

  @Test func pathsAndPlacements() {
    let cases: [((inout Trace) -> Void, TeardownPath, Placement)] = [
      ({ $0.s3([1]) }, .batch, .inCallback), ({ $0.s1([1]) }, .batch, .beforeQueue),
      ({ $0.pagePath(1) }, .page, .beforeQueue),
      ({ $0.fallbackByIPI(1) }, .fallback, .withoutGracePeriod),
      ({ $0.fallbackByCallback(1) }, .fallback, .inCallback),
      ({ $0.fallbackBySynchronize(1) }, .fallback, .afterGracePeriod),
      ({ $0.fallbackBySynchronize(1, expedited: true) }, .fallback, .afterGracePeriod),
      ({ $0.deferred(1) }, .deferred, .inCallback),
      (
        {
          $0.dtor(1); $0.free(1)
        }, .none, .direct
      ),
    ]
    for (build, path, placement) in cases {
      let life = table(
        .tableFree,
        in: Trace {
          $0.born(1); build(&$0)
        })
      #expect(life?.path == path)
      #expect(life?.destructPlacement == placement)
    }
  }

  @Test func migrationDoesNotLoseTheBatch() throws {
    let (resolver, _) = resolve(
      Trace {
        $0.born(1, 2)
        $0.on(cpu: 0, task: 5) { $0.queue(1) }
        $0.on(cpu: 3, task: 5) {
          $0.queue(2); $0.callRCU(0x9000, load: 2)
        }
      })
    let callback = try #require(resolver.callbacks.first)
    #expect(callback.isComplete && callback.members == 2 && callback.cpu == 3)
  }

  @Test func gatherEndsForgetWhatWasNeverFlushed() {
    for kind in [EventKind.gatherStart, .gatherFinish] {
      let (resolver, _) = resolve(
        Trace {
          $0.born(1); $0.queue(1); $0.emit(kind, Trace.gather)
        })
      #expect(resolver.openBatches.isEmpty)
    }
  }

  @Test func anotherGatherIsAnotherBatch() {
    let (resolver, _) = resolve(
      Trace {
        $0.born(1, 2); $0.queue(1, gather: 0x10); $0.queue(2, gather: 0x20)
        $0.callRCU(0x9000, load: 1)
      })
    #expect(resolver.callbacks.contains { $0.head == 0x9000 && $0.isComplete && $0.members == 1 })
  }

  /// A million callbacks need no more slots than wait at once.
  @Test func callbackSlotsAreUsedAgain() {
    let (resolver, _) = resolve(
      Trace {
        for round in UInt64(0)..<200 {
          let pfn = round % 3
          $0.born(pfn); $0.queueBatch([pfn], head: 0x9000); $0.gp()
          $0.runBatch([pfn], head: 0x9000)
          $0.born(7); $0.fallbackByIPI(7)
        }
      })
    #expect(resolver.callbacks.count < 8)
  }

  @Test func unflushedBatchesAreForgotten() {
    let (resolver, _) = resolve(
      Trace {
        for _ in 0..<200 { $0.born(1); $0.queue(1); $0.emit(.gatherFinish, Trace.gather) }
      }.without(.callRCU))
    #expect(resolver.callbacks.count < 4)
  }

  @Test func placesOfEachKind() {
    let (_, batch) = resolve(Trace { $0.born(1, 2) })
    #expect(Array(batch.places(of: .tableAlloc)) == [0, 4])
    #expect(batch.places(of: .quiesce).isEmpty)
  }

  @Test func holes() {
    var holes = HoleTracker()
    #expect(holes.cleanSince == 0)
    holes.open(cpu: 1)
    holes.open(cpu: 2)
    #expect(holes.cleanSince == .max)
    holes.close(cpu: 1, at: 10)
    #expect(holes.cleanSince == .max)
    holes.close(cpu: 2, at: 12)
    #expect(holes.cleanSince == 12)
    holes.open(cpu: 1)
    holes.open(cpu: 1)
    holes.close(cpu: 1, at: 20)
    #expect(holes.cleanSince == .max)
    holes.close(cpu: 1, at: 21)
    // An end without beginning: whatever was missing is over.
    holes.close(cpu: 5, at: 30)
    #expect(holes.cleanSince == 30)
  }

  @Test func slotMapFindsWhatWasPut() {
    var map = SlotMap(capacity: 1)
    let keys: [UInt64] = [0, .max] + (1...500).map { $0 << 32 }
    for (slot, key) in keys.enumerated() { map.set(key, Int32(slot)) }
    for (slot, key) in keys.enumerated() { #expect(map.find(key) == Int32(slot)) }
    #expect(map.find(12345) == -1)
    #expect(map.count == keys.count)
  }

  @Test func kindSets() {
    let set: KindSet = [.tableFree, .tableAlloc]
    #expect(set.kinds == [.tableAlloc, .tableFree])
    #expect(set.union([.intentPin]).contains(.intentPin))
    #expect(!set.contains(.intentPin) && !set.isEmpty && KindSet().isEmpty)
    #expect(KindSet(EventKind.allCases).kinds == EventKind.allCases)
  }

  @Test func facts() {
    let facts = Trace {
      $0.born(1, locks: true); $0.queueBatch([1], early: true, locks: true)
      $0.alloc(2); $0.lockAlloc(Trace.lockAddress(1), of: 2)
      $0.gp(); $0.runBatch([1], early: true)
      $0.born(3); $0.fallbackByIPI(3); $0.lostRace(4)
    }.check().facts
    #expect(facts.queuedForBatch == 2 && facts.fallbacks == 1 && facts.queuedForPage == 0)
    #expect(facts.destructors(at: .beforeQueue) == 1)
    #expect(facts.destructors(at: .withoutGracePeriod) == 1)
    #expect(facts.destructors(at: .direct) == 1)
    #expect(facts.locksFreedEarly == 1 && facts.locksReusedWhilePending == 1)
    #expect(facts.freedInCallback == 1 && facts.freedOutside == 2)
  }
}
