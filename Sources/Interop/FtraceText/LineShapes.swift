/// How the pairs of each event are written: which keys, in which order.
///
/// Lines of one event differ in their values only. What an earlier line showed is compared with the
/// next one's keys; where they are others, the line is read as any line is, and its shape is the one
/// that is expected from then on.
struct LineShapes {
  /// A key and the sign behind it, with the `0x` of an address.
  private struct Pair {
    /// Of 16 bytes those that are the key's.
    var low: UInt64 = 0
    var high: UInt64 = 0
    var lowMask: UInt64 = 0
    var highMask: UInt64 = 0
    var length: UInt8 = 0
    /// nil where the joins need no such key.
    var key: FieldKey?
    var form = FieldKey.Form.number
    /// First eight digits of the last address that has more of them, and what they say: most
    /// addresses begin alike. 0 = there was none.
    var digits: UInt64 = 0
    var value: UInt64 = 0
  }

  /// The pairs of one event's lines.
  private struct Shape {
    /// Blanks before the first key, 0 or 1.
    var start = 0
    /// 0 where no line was seen yet, or the last one has none of the usual forms.
    var count = 0
  }

  /// No more pairs are compared.
  private static let limit = 12
  /// Per index of ``NameTable/entries``.
  private var shapes: [Shape]
  private var pairs: [Pair]

  init() {
    let count = NameTable.shared.entries.count
    shapes = [Shape](repeating: Shape(), count: count)
    pairs = [Pair](repeating: Pair(), count: count * Self.limit)
  }

  /// Reads what the event with the name at `index` says from `start` on under the keys of `wanted`.
  /// What ``Fields`` holds of these is what its own reader would have found.
  @inline(always)
  mutating func read(
    _ index: Int, _ wanted: FieldSet, _ bytes: Span<UInt8>, from start: Int,
    into fields: inout Fields
  ) {
    guard !readKnown(index, wanted, bytes, from: start, into: &fields) else { return }
    fields.read(bytes, from: start)
    learn(index, bytes, from: start)
  }

  /// Reads a line that has the shape of the one before; false if it has another.
  @inline(always)
  private mutating func readKnown(
    _ index: Int, _ wanted: FieldSet, _ bytes: Span<UInt8>, from start: Int,
    into fields: inout Fields
  ) -> Bool {
    let shape = shapes[index]
    guard shape.count > 0 else { return false }
    var at = start
    if shape.start > 0 {
      guard at < bytes.count, bytes[at] == 0x20 else { return false }
      at &+= 1
    }
    fields.clear()
    let first = index &* Self.limit
    for place in first..<first &+ shape.count {
      let pair = pairs[place]
      guard (bytes.wordOrLess(at: at) ^ pair.low) & pair.lowMask == 0 else { return false }
      if pair.highMask != 0 {
        guard (bytes.wordOrLess(at: at &+ 8) ^ pair.high) & pair.highMask == 0 else { return false }
      }
      at &+= Int(pair.length)
      guard let end = read(place, pair, wanted, bytes, at, into: &fields) else { return false }
      guard end < bytes.count else {
        return end == bytes.count && place &+ 1 == first &+ shape.count
      }
      guard bytes[end] == 0x20 else { return false }
      at = end &+ 1
    }
    return false
  }

  /// Reads the value of `pair`, or passes over it; returns its end, nil if it has another form.
  @inline(always)
  private mutating func read(
    _ place: Int, _ pair: Pair, _ wanted: FieldSet, _ bytes: Span<UInt8>, _ at: Int,
    into fields: inout Fields
  ) -> Int? {
    guard let key = pair.key, wanted.contains(key) else {
      if let key = pair.key { fields.skip(key) }
      return bytes.firstPlace(of: 0x20, or: 0x20, from: at)
    }
    guard pair.form == .address else { return fields.read(key, pair.form, bytes, at) }
    let word = bytes.wordOrLess(at: at)
    let digits = ByteWord.first(ByteWord.otherThanHexadecimal(word))
    if digits < 8 {
      guard digits > 0 else { return nil }
      fields[key] = ByteWord.hexadecimal(word, digits)
      return at &+ digits
    }
    if word != pair.digits {
      pairs[place].digits = word
      pairs[place].value = ByteWord.hexadecimal(word, 8)
    }
    let found = bytes.hexadecimal(behind: pairs[place].value, at: at &+ 8)
    fields[key] = found.value
    return found.end
  }

  /// Keeps the shape of a line whose pairs begin at `start`.
  @inline(never)
  private mutating func learn(_ index: Int, _ bytes: Span<UInt8>, from start: Int) {
    shapes[index].count = 0
    var at = start
    if at < bytes.count, bytes[at] == 0x20 { at += 1 }
    shapes[index].start = at - start
    var count = 0
    while at < bytes.count, count < Self.limit {
      guard let pair = Self.pair(bytes, at) else { return }
      pairs[index * Self.limit + count] = pair
      count += 1
      at = bytes.firstPlace(of: 0x20, or: 0x20, from: at + Int(pair.length)) + 1
    }
    // A blank at the end is no usual form either.
    if at == bytes.count + 1 { shapes[index].count = count }
  }

  /// The key at `start`; nil if there is none, or it is too long.
  private static func pair(_ bytes: Span<UInt8>, _ start: Int) -> Pair? {
    let sign = bytes.firstPlace(of: 0x3D, or: 0x20, from: start)
    guard sign < bytes.count, bytes[sign] == 0x3D else { return nil }
    var pair = Pair()
    pair.key = Fields.key(bytes.wordOrLess(at: start), length: sign - start)
    pair.form = pair.key?.form ?? .number
    var end = sign + 1
    if pair.form == .address, end + 2 < bytes.count, bytes[end] == 0x30, bytes[end + 1] == 0x78 {
      end += 2
    }
    let length = end - start
    guard length <= 16 else { return nil }
    pair.length = UInt8(length)
    pair.lowMask = ByteWord.prefix(.max, min(length, 8))
    pair.low = bytes.wordOrLess(at: start) & pair.lowMask
    if length > 8 {
      pair.highMask = ByteWord.prefix(.max, length - 8)
      pair.high = bytes.wordOrLess(at: start + 8) & pair.highMask
    }
    return pair
  }
}
