/// Ordinals of one life in five bytes each, as distances from a place that the life keeps in full.
///
/// A life has many of them, a trace has hundreds of thousands of lives, and each event looks at
/// one: what they need decides how often the judge waits for memory. A distance may be up to 2^39
/// events, more than a trace of a terabyte holds; what lies farther off stays at that distance.
struct NearbyOrdinals<let count: Int>: Sendable, BitwiseCopyable {
  /// Distance, from 1; 0 is ``Ordinal/none``. The lower 32 bits …
  private var low = InlineArray<count, UInt32>(repeating: 0)
  /// … and the upper 8.
  private var high = InlineArray<count, UInt8>(repeating: 0)

  /// The distance 0 is stored as this.
  private static var middle: Int64 { 1 << 39 }
  private static var limit: Int64 { 1 << 40 - 1 }

  /// Something of the middle.
  var somewhere: Int32 { Int32(truncatingIfNeeded: low[count / 2]) }

  /// The ordinal at an index, given the place all of them are told from.
  @inline(__always)
  subscript(index: Int, from base: Ordinal) -> Ordinal {
    get {
      let stored = Int64(high[index]) << 32 | Int64(low[index])
      return stored == 0 ? .none : base &+ (stored &- Self.middle)
    }
    set {
      let distance = newValue &- base &+ Self.middle
      let stored = newValue == .none ? 0 : min(max(distance, 1), Self.limit)
      low[index] = UInt32(truncatingIfNeeded: stored)
      high[index] = UInt8(truncatingIfNeeded: stored >> 32)
    }
  }
}

/// Yes or no, of several things, a bit each.
struct LifeFlags: Sendable, BitwiseCopyable {
  private var bits: UInt32 = 0

  @inline(__always)
  subscript(bit: UInt32) -> Bool {
    get { bits & (1 << bit) != 0 }
    set { bits = newValue ? bits | 1 << bit : bits & ~(1 << bit) }
  }
}
