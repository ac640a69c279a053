/// Maps page frame numbers to slots.
///
/// Page tables are handed out in runs, so slots lie in lines of 32 neighbouring pages, which a
/// ``SlotMap`` finds: a tenth of what an entry per page needs, most of it in the cache. Pages are
/// not removed.
struct PageMap {
  private var lines = SlotMap()
  /// Line after line; -1 where there is no slot.
  private var slots = PlainStore<Int32>()

  private static let lineBits = 5
  private static let lineMask: UInt64 = 1 << 5 - 1

  /// The slot of a page, or -1.
  @inline(__always)
  func find(_ pfn: UInt64) -> Int32 {
    let line = lines.find(pfn >> Self.lineBits)
    return line < 0 ? -1 : slots[Self.place(line, pfn)]
  }

  /// Makes a page point at `slot`, which is not negative.
  mutating func set(_ pfn: UInt64, _ slot: Int32) {
    slots.own()
    var line = lines.find(pfn >> Self.lineBits)
    if line < 0 {
      line = Int32(truncatingIfNeeded: slots.count >> Self.lineBits)
      lines.set(pfn >> Self.lineBits, line)
      for _ in 0..<1 << Self.lineBits { slots.append(-1) }
    }
    slots[Self.place(line, pfn)] = slot
  }

  @inline(__always)
  private static func place(_ line: Int32, _ pfn: UInt64) -> Int {
    Int(line) << lineBits | Int(pfn & lineMask)
  }
}
