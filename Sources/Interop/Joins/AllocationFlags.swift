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
    // __GFP_ZERO; GFP_NOWAIT and GFP_ATOMIC; GFP_HIGHUSER_MOVABLE and __GFP_MOVABLE.
    if ends(bytes, start, stop, Self.zero) { isZeroed = true }
    if ends(bytes, start, stop, Self.nowait) || ends(bytes, start, stop, Self.atomic)
      || ends(bytes, start, stop, Self.movable)
    {
      isOther = true
    }
  }

  /// What all the names together say.
  var value: UInt64 { isZeroed && !isOther ? Self.ofTable : Self.notOfTable }

  /// The value of `A|B|C`; nil for a number, whose bits nobody explains.
  static func value(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> UInt64? {
    guard start < end, bytes[start] != 0x30 else { return nil }
    var flags = AllocationFlags()
    var at = start
    while at < end {
      var stop = at
      while stop < end, bytes[stop] != 0x7C { stop += 1 }
      flags.take(bytes, at, stop)
      at = stop + 1
    }
    return flags.value
  }

  private static let zero = Array("_ZERO".utf8)
  private static let nowait = Array("NOWAIT".utf8)
  private static let atomic = Array("ATOMIC".utf8)
  private static let movable = Array("_MOVABLE".utf8)

  private func ends(
    _ bytes: Span<UInt8>, _ start: Int, _ stop: Int, _ suffix: [UInt8]
  ) -> Bool {
    guard stop - start >= suffix.count else { return false }
    for place in suffix.indices where bytes[stop - suffix.count + place] != suffix[place] {
      return false
    }
    return true
  }
}
