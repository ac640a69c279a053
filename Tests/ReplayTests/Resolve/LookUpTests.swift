import Testing
import TraceFormat

@testable import Replay

/// How lives are packed, and how they are found.
@Suite struct LookUpTests {
  @Test(arguments: [0, 7, 1 << 32 - 1, 1 << 40, 1 << 62] as [Ordinal])
  func ordinalsSurvivePacking(_ base: Ordinal) {
    var packed = NearbyOrdinals<3>()
    #expect((0..<3).allSatisfy { packed[$0, from: base] == .none })
    let distances: [Ordinal] = [
      0, 1, -1, 255, 1 << 32 - 1, 1 << 32, 1 << 32 + 1, 1 << 39 - 1, 1 - 1 << 39,
    ]
    for distance in distances where base + distance >= 0 {
      packed[1, from: base] = base + distance
      #expect(packed[1, from: base] == base + distance)
      #expect(packed[0, from: base] == .none && packed[2, from: base] == .none)
    }
    packed[1, from: base] = .none
    #expect(packed[1, from: base] == .none)
  }

  /// What lies too far off is still an event, and on the right side.
  @Test func farOrdinalsStayOnTheirSide() {
    var packed = NearbyOrdinals<2>()
    packed[0, from: 0] = 1 << 41
    packed[1, from: 1 << 50] = 5
    #expect(packed[0, from: 0] > 1 << 38)
    #expect((0..<(1 << 50)).contains(packed[1, from: 1 << 50]))
  }

  @Test func everyFieldOfALifeIsItsOwn() {
    var life = TableLife(pfn: 9, generation: 3, firstAt: 1000)
    let ordinals: [WritableKeyPath<TableLife, Ordinal>] = [
      \.constructAt, \.installAt, \.unlinkAt, \.queueAt, \.fallbackAt, \.destructAt, \.lockFreeAt,
      \.freeAt, \.typeClearAt, \.depositAt, \.withdrawAt, \.enteredAt, \.childAt, \.loadedSince,
    ]
    let flags: [WritableKeyPath<TableLife, Bool>] = [
      \.bornInTrace, \.isConstructed, \.isFreed, \.isZeroed, \.installed, \.queueInferred,
      \.deposited, \.hasLockObject, \.kernelTable, \.unlinkInferred, \.destructWaited,
      \.lockFreeWaited, \.typeClearWaited, \.isTorn, \.holdsCallback,
    ]
    for (index, field) in ordinals.enumerated() {
      life[keyPath: field] = 2000 + Ordinal(index)
      let found = ordinals[...index].map { life[keyPath: $0] }
      #expect(found == (0...index).map { 2000 + Ordinal($0) })
      #expect(ordinals[(index + 1)...].allSatisfy { life[keyPath: $0] == .none })
    }
    for (index, field) in flags.enumerated() {
      life[keyPath: field] = true
      #expect(flags[...index].allSatisfy { life[keyPath: $0] })
      #expect(flags[(index + 1)...].allSatisfy { !life[keyPath: $0] })
    }
    #expect(life.allocAt == .none && life.slot == 0 && life.pfn == 9 && life.generation == 3)
  }

  /// A page that is allocated again knows the entry it was in, and nothing else.
  @Test func anAllocatedLifeRemembersItsEntry() {
    var before = TableLife(pfn: 9, generation: 1, firstAt: 10)
    before.enter(0x1238, at: 12)
    #expect(before.slot == 0x1238 && before.enteredAt == 12)
    let life = TableLife(
      allocated: Event(.tableAlloc, time: 0, object: 9, generation: 2), at: 20, after: before)
    #expect(life.allocAt == 20 && life.firstAt == 20 && life.generation == 2)
    #expect(life.slot == 0 && life.entry == 0x1238 && life.enteredAt == 12 && !life.isFreed)
  }

  /// Neighbours, strangers, and pages whose numbers differ in the high bits only.
  @Test func pagesAreFound() {
    var map = PageMap()
    let pages: [UInt64] =
      (0..<200).map { $0 } + (1...60).map { 1 << UInt64($0) | 1 << 63 } + [.max, .max - 31]
    for (slot, page) in pages.enumerated() {
      #expect(map.find(page) == -1)
      map.set(page, Int32(slot))
    }
    for (slot, page) in pages.enumerated() { #expect(map.find(page) == Int32(slot)) }
    #expect(map.find(200) == -1 && map.find(1 << 62) == -1)
  }

  private static func store(_ locks: [LockLife]) -> PlainStore<LockLife> {
    var store = PlainStore<LockLife>()
    for lock in locks { store.append(lock) }
    return store
  }

  @Test func locksAreFound() {
    var map = LifeMap()
    let locks = Self.store(
      (0..<3000).map { index in
        LockLife(
          seen: Event(.lockAcquire, time: 0, object: 0xffff_8880_0000_0000 + UInt64(index) * 64),
          at: 0)
      })
    for (slot, lock) in locks.enumerated() {
      #expect(map.find(lock.address, in: locks) == -1)
      map.add(lock.address, Int32(slot))
    }
    for (slot, lock) in locks.enumerated() {
      #expect(map.find(lock.address, in: locks) == Int32(slot))
    }
    #expect(map.find(1, in: locks) == -1)
  }

  /// An entry whose hash is right and whose life has another key is passed over.
  @Test func locksOfOneHashAreToldApart() {
    let locks = Self.store(
      [1, 2, 3].map { LockLife(seen: Event(.lockFree, time: 0, object: $0), at: 0) })
    var map = LifeMap()
    // Added under the key of the last one: all three have its hash.
    for slot in locks.indices { map.add(3, Int32(slot)) }
    #expect(map.find(3, in: locks) == 2)
  }

  /// A batch that somebody keeps is not written over.
  @Test func aKeptBatchStays() throws {
    var resolver = Resolver()
    var batch = EventBatch()
    batch.events = [Event(.tableAlloc, time: 1, object: 5, generation: 1)]
    var resolved = ResolvedBatch()
    resolver.resolve(batch, into: &resolved)
    let kept = resolved
    let event = resolved[0]
    batch.firstOrdinal = 1
    batch.events = [Event(.tableFree, time: 2, object: 5, generation: 1)]
    resolver.resolve(batch, into: &resolved)
    #expect(kept.events[0].kind == .tableAlloc && event.ordinal == 0 && event.table == nil)
    #expect(resolved[0].table?.allocAt == 0 && resolved.places(of: .tableFree).count == 1)
    #expect(kept.places(of: .tableFree).isEmpty)
  }
}
