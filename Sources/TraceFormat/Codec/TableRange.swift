/// Which page tables the events of a block name, as far as 24 bytes can tell.
///
/// The smallest and the largest pfn, and a map of 64 equal parts of the range between them: bit i
/// is set where a pfn p is with `(p − min) >> shift == i`, shift being the bits of max − min
/// beyond six. No table at all is all zero.
public struct TableRange: Sendable, Equatable {
  /// Smallest pfn.
  public internal(set) var min: UInt64 = 0
  /// Largest pfn.
  public internal(set) var max: UInt64 = 0
  /// Which parts of the range are used; 0 = no table is named.
  public internal(set) var parts: UInt64 = 0

  /// No table.
  init() {}

  /// The tables that `each` hands to its argument, which it has to do twice alike.
  @inline(__always)
  init(_ each: ((UInt64) -> Void) -> Void) {
    var low = UInt64.max
    var high: UInt64 = 0
    each { frame in
      low = Swift.min(low, frame)
      high = Swift.max(high, frame)
    }
    guard low <= high else { return }
    (min, max) = (low, high)
    let shift = shift
    var map: UInt64 = 0
    each { map |= 1 &<< (($0 &- low) &>> shift) }
    parts = map
  }

  /// Whether an event of the block may name the table at `frame`.
  public func mayContain(_ frame: UInt64) -> Bool {
    guard parts != 0, min <= frame, frame <= max else { return false }
    return parts >> ((frame - min) >> shift) & 1 == 1
  }

  private var shift: UInt64 {
    let bits = UInt64.bitWidth - (max &- min).leadingZeroBitCount
    return UInt64(Swift.max(0, bits - 6))
  }
}
