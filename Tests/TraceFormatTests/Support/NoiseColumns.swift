@testable import TraceFormat

/// Columns of a block that are noise, but of the sort that gets far: a first byte that is wrong
/// would end most blocks, and what follows it would never be reached.
enum NoiseColumns {
  static func make(events: Int, _ random: inout SplitMix64) -> BlockColumns {
    let columns = BlockColumns()
    let shapes = Int.random(in: 1...min(events, 6), using: &random)
    var constants = 0
    for _ in 0..<shapes { columns[.shapes] += shape(&random, &constants) }
    columns[.tokens] = (0..<events).map { index in
      if index == 0 || Int.random(in: 0..<3, using: &random) == 0 {
        return UInt8(4 + Int.random(in: 0..<shapes, using: &random))
      }
      return UInt8.random(in: 0...3, using: &random)
    }
    for id in ColumnID.allCases where id.rest != nil {
      let count =
        id == .constants
        ? constants
        : Int.random(
          in: 0...id.rawLengths(events: events).upperBound,
          using: &random)
      numbers(id, count: min(count, 4 * events), columns, &random)
    }
    numbers(.time, count: events, columns, &random)
    let objects = Int.random(in: 0...(3 * events), using: &random)
    columns[.levels] = (0..<objects).map { _ in UInt8.random(in: 0...5, using: &random) }
    numbers(.generations, count: objects, columns, &random)
    columns[.cpus] = [UInt8.random(in: 0...3, using: &random)]
    columns[.runs] = [UInt8(events - 1)]
    columns[.runsRest] = []
    if Bool.random(using: &random) {
      columns[.cpus] += [0xff, 7]
      columns[.cpusRest] = [1, 2]
      let first = UInt8.random(in: 0...UInt8(events - 1), using: &random)
      columns[.runs] = [first, UInt8(events - 1) &- first &- 1, 0]
    }
    // Rarely anything else.
    if Int.random(in: 0..<8, using: &random) == 0 {
      let id = ColumnID.allCases.randomElement(using: &random)!
      columns[id] = (0..<Int.random(in: 0...events, using: &random)).map { _ in
        UInt8.random(in: 0...255, using: &random)
      }
    }
    return columns
  }

  private static func shape(_ random: inout SplitMix64, _ constants: inout Int) -> [UInt8] {
    let kind = EventKind.allCases.randomElement(using: &random)!
    let traits = KindTraits.table[Int(kind.rawValue)]
    var bytes = [
      kind.rawValue, UInt8.random(in: 0...4, using: &random),
      UInt8.random(in: 0...255, using: &random), UInt8.random(in: 0...6, using: &random),
      bits(traits, &random), traits.space == .none ? 0 : UInt8.random(in: 0...5, using: &random),
    ]
    for (space, isAddress) in [
      (traits.space, false), (traits.arg0, traits.isAddress0), (traits.arg1, traits.isAddress1),
    ] {
      let plain: ClosedRange<UInt8> = isAddress ? 19...22 : 16...18
      let way = UInt8.random(
        in: space != .none ? 0...EventShape.Way.recent : plain, using: &random)
      if way == EventShape.Way.constant { constants += 1 }
      let first: UInt8 = isAddress ? UInt8(EventShape.firstAddressRegister) : 0
      bytes += [
        way, UInt8.random(in: first...(first + 5), using: &random),
        UInt8.random(in: (first + 1)...(first + 5), using: &random),
      ]
    }
    return bytes
  }

  private static func bits(_ traits: KindTraits, _ random: inout SplitMix64) -> UInt8 {
    var bits = UInt8.random(in: 0...255, using: &random)
    bits &= traits.space == .none ? 0x70 : traits.isNumbered ? 0xfc : 0x7c
    if traits.startsGeneration { bits |= EventShape.Bit.startsGeneration }
    if traits.isNumbered { bits |= EventShape.Bit.numbered }
    return bits
  }

  private static func numbers(
    _ id: ColumnID, count: Int, _ columns: BlockColumns, _ random: inout SplitMix64
  ) {
    let high: UInt8 = Bool.random(using: &random) ? 254 : 3
    columns[id] = (0..<count).map { _ in UInt8.random(in: 0...high, using: &random) }
    let length = columns[id].reduce(0) { $0 + NumberCode.heads[Int($1)].length }
    columns[id.rest!] = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
  }
}
