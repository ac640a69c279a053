import Testing

@testable import Replay

/// What holds the lives: grows, is copied when it is owned, and is read where it lies.
@Suite struct PlainStoreTests {
  @Test func elementsStayWhileItGrows() {
    var store = PlainStore<UInt64>()
    for value in 0..<100_000 as Range<UInt64> {
      store.append(value &* 0x9E37_79B9)
      if value % 997 == 0 { #expect(store[Int(value) / 2] == (value / 2) &* 0x9E37_79B9) }
    }
    #expect(store.count == 100_000)
    #expect(store.enumerated().allSatisfy { $1 == UInt64($0) &* 0x9E37_79B9 })
  }

  /// A copy keeps what it had: both when its owner changes elements and when it grows.
  @Test func aCopyStaysAsItWas() {
    var store = PlainStore(repeating: 7 as Int32, count: 16)
    let copy = store
    store.own()
    store[3] = 8
    #expect(copy[3] == 7 && store[3] == 8)
    let second = store
    for _ in 0..<100 { store.append(9) }
    store[0] = 1
    #expect(second.count == 16 && second[0] == 7 && second[3] == 8 && store.count == 116)
    #expect(Array(copy) == Array(repeating: 7, count: 16))
  }

  @Test func partsOfArraysAreTaken() {
    var store = PlainStore<Int32>()
    store.append(contentsOf: [1, 2, 3, 4], 1..<3)
    store.append(contentsOf: [], 0..<0)
    store.append(contentsOf: [5], 0..<1)
    #expect(Array(store) == [2, 3, 5])
    #expect(Array(store.run(1..<3)) == [3, 5] && store.run(3..<3).isEmpty)
    store.removeAll()
    #expect(store.isEmpty)
  }

  @Test func anElementOfAnotherStoreIsCopied() {
    let source = PlainStore(repeating: UInt16(5), count: 3)
    var store = PlainStore<UInt16>()
    for index in source.indices { store.append(copyOf: index, in: source) }
    #expect(Array(store) == [5, 5, 5])
  }
}
