/// Distances in clock units, kept in buckets of about 3 % so that memory does not grow.
public struct LatencyHistogram: Sendable, Equatable {
  private static let subBits: UInt64 = 5
  private var buckets: [Int] = []
  /// Values taken.
  public private(set) var count = 0
  /// Largest value.
  public private(set) var max: UInt64 = 0

  /// An empty histogram.
  public init() {}

  /// Takes a value.
  public mutating func add(_ value: UInt64) {
    let bucket = Self.bucket(of: value)
    if bucket >= buckets.count {
      buckets += Array(repeating: 0, count: bucket + 1 - buckets.count)
    }
    buckets[bucket] += 1
    count += 1
    max = Swift.max(max, value)
  }

  /// The value below which `fraction` of the values lie (lower bound of its bucket); nil if empty.
  public func percentile(_ fraction: Double) -> UInt64? {
    guard count > 0 else { return nil }
    var left = Swift.max(1, Int((Double(count) * fraction).rounded(.up)))
    for (bucket, amount) in buckets.enumerated() {
      left -= amount
      if left <= 0 { return Swift.min(Self.floor(of: bucket), max) }
    }
    return max
  }

  private static func bucket(of value: UInt64) -> Int {
    guard value >= 1 << subBits else { return Int(value) }
    let exponent = UInt64(63 - value.leadingZeroBitCount) - subBits
    return Int((exponent + 1) << subBits + (value >> exponent) - (1 << subBits))
  }

  private static func floor(of bucket: Int) -> UInt64 {
    let bucket = UInt64(bucket)
    guard bucket >= 1 << subBits else { return bucket }
    let exponent = bucket >> subBits - 1
    return (bucket & (1 << subBits - 1) | 1 << subBits) << exponent
  }
}
