import Replay
import Testing

@Suite struct LatencyHistogramTests {
  @Test func emptyHasNoPercentile() {
    #expect(LatencyHistogram().percentile(0.5) == nil)
  }

  @Test func smallValuesAreExact() {
    var histogram = LatencyHistogram()
    for value in UInt64(0)..<32 { histogram.add(value) }
    #expect(histogram.percentile(0.5) == 15)
    #expect(histogram.percentile(1) == 31)
    #expect(histogram.max == 31)
  }

  /// Against sorting, for values of every size up to the largest there is.
  @Test(arguments: [UInt64(1), 2, 3])
  func percentilesAreWithinABucket(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var histogram = LatencyHistogram()
    var values: [UInt64] = []
    for _ in 0..<2_000 {
      let value = random.next() >> UInt64(random.below(64))
      values.append(value)
      histogram.add(value)
    }
    values.sort()
    for fraction in [0.01, 0.5, 0.9, 0.99, 1] {
      let exact = values[max(0, Int((2_000 * fraction).rounded(.up)) - 1)]
      let found = histogram.percentile(fraction)!
      #expect(found <= exact)
      #expect(Double(exact - found) <= Double(exact) / 32 + 1, "\(fraction) seed \(seed)")
    }
    #expect(histogram.max == values.last)
  }
}
