import TraceFormat

/// A hole that a trace tells of when it is over (docs/EVENTS.md, Losses).
struct LateHole {
  /// Time of the blind CPU's last event before it.
  let since: UInt64
  /// Place of the event that tells of it.
  let ordinal: Ordinal
  /// The CPU that was blind; ``Event/allCPUs`` for all.
  let cpu: UInt16

  /// The hole that a `loss` tells of; nil if it begins at that event.
  init?(_ loss: Event, at ordinal: Ordinal) {
    guard let since = loss.holeSince else { return nil }
    self.since = since
    self.ordinal = ordinal
    cpu = loss.cpu
  }
}

/// Where and when a candidate was met.
struct Moment: Sendable {
  let ordinal: Ordinal
  let time: UInt64
  /// The only CPU whose holes touch it; nil if every hole does.
  let cpu: UInt16?

  /// Whether it lies in `hole`, as seen from time `since` on.
  func lies(in hole: LateHole, since: UInt64) -> Bool {
    ordinal < hole.ordinal && time >= since
      && (cpu == nil || cpu == hole.cpu || hole.cpu == Event.allCPUs)
  }
}

/// When the candidates of a group were met: what a ``LateHole`` may put in doubt.
///
/// Holds the latest candidates one by one; of older ones, runs with a count and the earliest and
/// latest time, so that its memory has a bound. A run is doubted as a whole.
struct CandidateTimes: Sendable {
  private struct Run {
    var latest: Moment
    var earliest: UInt64
    var count: Int
  }

  /// In the order of the trace.
  private var runs: [Run] = []
  private static let limit = 1 << 13

  mutating func add(_ moment: Moment) {
    if runs.count == Self.limit { halve() }
    // Judges go kind by kind through a few hundred events: it belongs at the end, or close to it.
    var place = runs.count
    while place > 0, runs[place - 1].latest.ordinal > moment.ordinal { place -= 1 }
    let run = Run(latest: moment, earliest: moment.time, count: 1)
    if place == runs.count { runs.append(run) } else { runs.insert(run, at: place) }
  }

  /// Those of both.
  func joined(with other: CandidateTimes) -> CandidateTimes {
    var result = self
    result.runs = (runs + other.runs).sorted { $0.latest.ordinal < $1.latest.ordinal }
    while result.runs.count > Self.limit { result.halve() }
    return result
  }

  /// Takes away those that lie in `hole`, and perhaps some older ones: how many, and the time of
  /// the earliest.
  mutating func remove(in hole: LateHole) -> (count: Int, since: UInt64) {
    var count = 0
    var since = hole.since
    runs.removeAll { run in
      guard run.latest.lies(in: hole, since: hole.since) else { return false }
      count += run.count
      since = min(since, run.earliest)
      return true
    }
    return (count, since)
  }

  /// Joins the older half of the runs two by two.
  private mutating func halve() {
    var joined: [Run] = []
    let half = runs.count / 2 & ~1
    for index in stride(from: 0, to: half, by: 2) {
      let (one, two) = (runs[index], runs[index + 1])
      joined.append(
        Run(
          latest: Moment(
            ordinal: two.latest.ordinal, time: max(one.latest.time, two.latest.time),
            cpu: one.latest.cpu == two.latest.cpu ? one.latest.cpu : nil),
          earliest: min(one.earliest, two.earliest), count: one.count + two.count))
    }
    runs = joined + runs[half...]
  }
}
