public import TraceFormat

/// Plays a trace and stops anywhere: the engine of `replay`.
///
/// Positions are ordinals; "at N" is the state *after* event N. Going backwards plays from the
/// start again, so it costs a pass, never memory.
public struct Player {
  /// What is known at the stop.
  public private(set) var state: Resolver
  /// The event at the stop, nil before the first.
  public private(set) var event: Event?
  /// Its place.
  public private(set) var ordinal: Ordinal = .none
  private let source: any EventSource
  private var single = EventBatch()
  private var resolved = ResolvedBatch()

  /// A player at the start of `source`.
  ///
  /// - Parameter history: what is known of the events before.
  public init(_ source: any EventSource, after history: TraceHistory? = nil) {
    self.source = source
    state = Resolver(machine: source.header.machine)
    guard let history else { return }
    state.follow(history)
    event = history.items.last?.event
    ordinal = Ordinal(history.ordinal) - 1
  }

  /// Plays every event for which `visit` returns true, one at a time.
  ///
  /// - Parameter visit: called after each event with the event, what was known before it, and
  ///   the state after it; returns false to stop there.
  public mutating func play(
    _ visit: (ResolvedEvent, Resolver) throws -> Bool
  ) throws {
    var batch = EventBatch()
    single.events = [Event(.quiesce, time: 0)]
    while try source.next(into: &batch) {
      for (index, event) in batch.events.enumerated() {
        single.events[0] = event
        single.firstOrdinal = batch.firstOrdinal + UInt64(index)
        state.resolve(single, into: &resolved)
        self.event = event
        ordinal = Ordinal(single.firstOrdinal)
        if try !visit(resolved[0], state) { return }
      }
    }
  }

  /// Plays up to a place, whole batches at a time where nobody looks.
  ///
  /// - Returns: false if the trace ends before it.
  public mutating func play(to target: Place) throws -> Bool {
    var batch = EventBatch()
    while try source.next(into: &batch) {
      let count = batch.events.count
      let stop: Int? =
        switch target {
        case .ordinal(let wanted):
          wanted < Ordinal(batch.firstOrdinal) + Ordinal(count)
            ? Int(max(0, wanted - Ordinal(batch.firstOrdinal))) : nil
        case .time(let wanted):
          batch.events.firstIndex { $0.time > wanted }.map { $0 - 1 }
        }
      if let stop {
        // The first event later than the time asked for may open the batch.
        guard stop >= 0 else { return ordinal != .none }
        batch.events.removeSubrange((stop + 1)...)
      }
      state.resolve(batch, into: &resolved)
      event = batch.events.last
      ordinal = Ordinal(batch.firstOrdinal) + Ordinal(batch.events.count) - 1
      if stop != nil { return true }
    }
    if case .time = target { return ordinal != .none }
    return false
  }

  /// A place in a trace.
  public enum Place: Sendable, Equatable {
    /// After this event.
    case ordinal(Ordinal)
    /// After the last event not later than this, in clock units.
    case time(UInt64)
  }
}
