/// Decides which CPU makes the next step: the one place where an interleaving comes from.
///
/// A random schedule is the only one so far; a replayed, a PCT or an exhaustive one is another
/// type of this protocol.
protocol SchedulingStrategy {
  /// A CPU of `candidates`, a bit mask that is not empty.
  mutating func nextCPU(of candidates: UInt64) -> Int
}

/// Every CPU that can do something is equally likely to be next.
struct RandomSchedule: SchedulingStrategy {
  private var random: SplitMix64

  init(seed: UInt64) { random = SplitMix64(seed: seed, stream: 1) }

  mutating func nextCPU(of candidates: UInt64) -> Int {
    var skip = random.below(candidates.nonzeroBitCount)
    var left = candidates
    while skip > 0 {
      left &= left &- 1
      skip -= 1
    }
    return left.trailingZeroBitCount
  }
}
