import TraceFormat

/// Where the trace says that nothing may be left (`quiesce`).
///
/// A trace may go on after it: what began later owes nothing yet.
struct Quiescence: Sendable {
  /// The last `quiesce`; nil if there was none.
  private(set) var event: Event?
  /// Its place.
  private(set) var at: Ordinal = .none
  /// No event is missing between this place and the last `quiesce`.
  private(set) var cleanSince: Ordinal = 0
  private var places: [Ordinal] = []

  /// Notes the events of a batch; call it before judging them.
  mutating func take(_ batch: ResolvedBatch) {
    places.removeAll(keepingCapacity: true)
    if at != .none { places.append(at) }
    for place in batch.places(of: .quiesce) {
      at = batch.firstOrdinal + Ordinal(place)
      event = batch.event(at: place)
      cleanSince = batch.resolutions[Int(place)].cleanSince
      places.append(at)
    }
  }

  /// Whether what began at `start`, and is still there at the end, should be gone.
  func binds(_ start: Ordinal) -> Bool { start < at }

  /// Whether the trace said that nothing was left between two places, the second of which is in
  /// the batch taken last.
  func passed(after start: Ordinal, before end: Ordinal) -> Bool {
    guard let last = places.last(where: { $0 < end }) else { return false }
    return last > start
  }
}
