/// What the flags of an allocation say about its use, from their names: each kernel version
/// numbers the bits anew.
struct AllocationFlags {
  /// Value of ``FieldKey/gfp`` where the page may become a table: zeroed, unmovable, and allocated
  /// by code that may sleep.
  static let ofTable: UInt64 = 1
  /// Value of ``FieldKey/gfp`` where it may not.
  static let notOfTable: UInt64 = 0

  private var isZeroed = false
  private var isOther = false

  /// Takes the name in `start..<stop`.
  mutating func take(_ bytes: Span<UInt8>, _ start: Int, _ stop: Int) {
    let end = bytes.word(endingAt: stop)
    let length = stop - start
    // __GFP_ZERO; GFP_NOWAIT and GFP_ATOMIC; GFP_HIGHUSER_MOVABLE and __GFP_MOVABLE.
    if length >= 5, end >> 24 == Self.zero { isZeroed = true }
    if length >= 6, end >> 16 == Self.nowait || end >> 16 == Self.atomic { isOther = true }
    if length >= 8, end == Self.movable { isOther = true }
  }

  /// What all the names together say.
  var value: UInt64 { isZeroed && !isOther ? Self.ofTable : Self.notOfTable }

  /// The value of `A|B|C`; nil for a number, whose bits nobody explains.
  static func value(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> UInt64? {
    guard start < end, bytes[start] != 0x30 else { return nil }
    var flags = AllocationFlags()
    let text = bytes.extracting(0..<end)
    var at = start
    while at < end {
      let stop = text.firstPlace(of: 0x7C, or: 0x7C, from: at)
      flags.take(bytes, at, stop)
      at = stop + 1
    }
    return flags.value
  }

  // `_ZERO`, `NOWAIT`, `ATOMIC` and `_MOVABLE`, the first letter in the lowest bits.
  private static let zero: UInt64 = 0x4F_5245_5A5F
  private static let nowait: UInt64 = 0x5449_4157_4F4E
  private static let atomic: UInt64 = 0x4349_4D4F_5441
  private static let movable: UInt64 = 0x454C_4241_564F_4D5F
}
