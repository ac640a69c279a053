/// Unsigned numbers of up to 64 bits, split by size: a head byte that says how large, and up to
/// eight bytes of rest that zstd could not make smaller anyway.
///
/// Reading needs no branch: value = base[head] + the next length[head] bytes.
enum NumberCode {
  /// Bytes a reader may look at behind the last one.
  static let padding = 8
  /// Heads below stand for themselves.
  static let firstShort: UInt64 = 192
  /// Numbers from here on need two bytes of rest.
  static let firstMedium: UInt64 = 192 + 32 * 256
  /// Numbers from here on are stored as they are.
  static let firstLong: UInt64 = firstMedium + 24 * 65_536
  /// Head of −2³² … −1.
  static let negative: UInt8 = 254
  /// Heads from here on are damage.
  static let invalid: UInt8 = 255

  /// What a head says.
  struct Head: BitwiseCopyable, Sendable {
    var base: UInt64
    var mask: UInt64
    var length: Int
  }

  /// Heads by their byte. Never freed.
  static let heads: Lane<Head> = {
    let heads = Lane<Head>(256, repeating: Head(base: 0, mask: 0, length: 0))
    for byte in 0...UInt8.max { heads[Int(byte)] = head(byte) }
    return heads
  }()

  private static func head(_ byte: UInt8) -> Head {
    guard byte != invalid else { return Head(base: 0, mask: 0, length: 0) }
    let length = length(byte)
    let base =
      switch byte {
      case 0..<192: UInt64(byte)
      case 192..<224: firstShort + (UInt64(byte) - 192) << 8
      case 224..<248: firstMedium + (UInt64(byte) - 224) << 16
      case negative: 0 &- (1 << 32) as UInt64
      default: 0 as UInt64
      }
    let mask = length == 0 ? 0 : UInt64.max >> (64 - 8 * length)
    return Head(base: base, mask: mask, length: length)
  }

  /// Appends a number.
  @inline(__always)
  static func append(_ value: UInt64, _ column: inout NumberWriter) {
    if value < firstShort {
      column.put(UInt8(truncatingIfNeeded: value), 0, 0)
    } else if value < firstMedium {
      let above = value - firstShort
      column.put(UInt8(truncatingIfNeeded: 192 + above >> 8), above, 1)
    } else if value < firstLong {
      let above = value - firstMedium
      column.put(UInt8(truncatingIfNeeded: 224 + above >> 16), above, 2)
    } else if value >= 0 &- (1 << 32) {
      column.put(negative, value, 4)
    } else {
      let length = max(3, (71 - value.leadingZeroBitCount) / 8)
      column.put(UInt8(truncatingIfNeeded: 245 + length), value, length)
    }
  }

  /// Bytes of rest that belong to heads; nil where one of them is damage.
  ///
  /// Eight heads are looked at at once. How many of its highest bits a head has set says how long
  /// its rest is: two 1, three 2, five 3 and more by its three lowest bits.
  static func restLength(_ bytes: Lane<UInt8>, _ count: Int) -> Int? {
    let ones: UInt64 = 0x0101_0101_0101_0101
    var (total, damage, start) = (0, 0 as UInt64, 0)
    while count - start >= 8 {
      // So many lengths of up to 8 fit into a byte each.
      let end = min(count - 7, start &+ 8 * 31)
      var sums: UInt64 = 0
      while start < end {
        let word = bytes.load64(start)
        let two = word &>> 7 & word &>> 6 & ones
        let three = two & word &>> 5
        let five = three & word &>> 4 & word &>> 3
        let low = word & (five &* 7)
        let six = low &>> 2 & low &>> 1 & five
        damage |= six & low
        sums &+= two &+ three &+ five &+ low &- (six &+ six &<< 2)
        start &+= 8
      }
      let pairs = sums & 0x00ff_00ff_00ff_00ff &+ sums &>> 8 & 0x00ff_00ff_00ff_00ff
      total &+= Int(truncatingIfNeeded: (pairs &* 0x0001_0001_0001_0001) &>> 48)
    }
    for index in start..<count {
      if bytes[index] == invalid { return nil }
      total &+= length(bytes[index])
    }
    return damage == 0 ? total : nil
  }

  /// Bytes of rest of a head that is not damage: what ``Head/length`` is made of.
  @inline(__always)
  private static func length(_ head: UInt8) -> Int {
    switch head {
    case 0..<192: 0
    case 192..<224: 1
    case 224..<248: 2
    case negative: 4
    default: Int(head) - 245
    }
  }
}

/// Where the next number of a column pair goes.
struct NumberWriter {
  let heads: Lane<UInt8>
  let rest: Lane<UInt8>
  var count = 0
  var restCount = 0

  init(_ heads: Lane<UInt8>, _ rest: Lane<UInt8>) {
    self.heads = heads
    self.rest = rest
  }

  @inline(__always)
  mutating func put(_ head: UInt8, _ value: UInt64, _ length: Int) {
    heads[count] = head
    count &+= 1
    rest.store64(value, restCount)
    restCount &+= length
  }
}

/// Where the next number of a column pair is. The heads' lengths have been added up before, so
/// only running out of heads has to be looked for.
struct NumberReader {
  let heads: Lane<UInt8>
  let rest: Lane<UInt8>
  let count: Int
  var position = 0
  var restPosition = 0

  init(_ heads: Lane<UInt8>, _ rest: Lane<UInt8>, count: Int) {
    self.heads = heads
    self.rest = rest
    self.count = count
  }

  /// The next number; the caller knows that there is one.
  @inline(__always)
  mutating func take(_ table: Lane<NumberCode.Head>) -> UInt64 {
    let head = table[Int(heads[position])]
    position &+= 1
    let value = head.base &+ (rest.load64(restPosition) & head.mask)
    restPosition &+= head.length
    return value
  }

  /// The next number; 0 behind the last, with `position` beyond `count` from then on.
  @inline(__always)
  mutating func next(_ table: Lane<NumberCode.Head>) -> UInt64 {
    guard position < count else {
      position = count + 1
      return 0
    }
    return take(table)
  }
}
