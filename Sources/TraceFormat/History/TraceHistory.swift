/// What has to be known of a trace before an event, in order to follow it from there: events of
/// the part before, each with its place, that still matter.
///
/// For every object that may be used again it holds the events of its current life by the rules of
/// docs/FORMAT.md ("Snapshots"), and besides them what was open on a task or a CPU. A program that
/// follows these events first, and says nothing about them, is where it would be if it had read
/// everything.
public struct TraceHistory: Sendable, Equatable {
  /// One event of the part before.
  public struct Item: Sendable, Equatable {
    /// Its place in the whole trace.
    public let ordinal: UInt64
    /// The event, with the generation it has in the whole.
    public let event: Event

    /// Makes an item.
    public init(ordinal: UInt64, event: Event) {
      self.ordinal = ordinal
      self.event = event
    }
  }

  /// Ordinal of the event that comes next.
  public let ordinal: UInt64
  /// The events, in the order of the trace; every place is below ``ordinal``.
  public let items: [Item]
  /// Lives of objects that had ended and were left out for want of room.
  public let livesLeftOut: Int
  /// Names of the tasks of the events, where known.
  public let taskNames: [UInt32: String]

  /// Makes a history; `items` must be sorted by their places.
  public init(
    ordinal: UInt64, items: [Item], livesLeftOut: Int = 0, taskNames: [UInt32: String] = [:]
  ) {
    self.ordinal = ordinal
    self.items = items
    self.livesLeftOut = livesLeftOut
    self.taskNames = taskNames
  }

  /// The events as batches of consecutive places.
  public var batches: [EventBatch] {
    var batches: [EventBatch] = []
    for item in items {
      if let last = batches.last, last.firstOrdinal + UInt64(last.events.count) == item.ordinal {
        batches[batches.count - 1].events.append(item.event)
      } else {
        var next = EventBatch()
        next.firstOrdinal = item.ordinal
        next.events = [item.event]
        batches.append(next)
      }
    }
    return batches
  }
}
