/// A run of consecutive events, reused from one read to the next.
public struct EventBatch: Sendable {
  /// The events, in order.
  public var events: [Event] = []
  /// Ordinal of the first event.
  public var firstOrdinal: UInt64 = 0

  /// An empty batch.
  public init() {}
}

/// A stream of events with its header, pulled batch by batch.
///
/// The one interface through which checkers, diffs and printers read: a file, a simulator run and a
/// test's literal look the same to them.
public protocol EventSource: AnyObject {
  /// What the trace says about itself; complete once `next(into:)` has returned false.
  var header: TraceHeader { get }
  /// Name of a task, where known.
  func taskName(_ task: UInt32) -> String?
  /// Text of a mark, where known.
  func string(_ index: UInt64) -> String?
  /// Fills `batch` with the next events; false at the end.
  func next(into batch: inout EventBatch) throws -> Bool
}

/// Told now and then how much of a job is done, and of how much if that is known.
public typealias Progress = (_ done: UInt64, _ total: UInt64?) -> Void

/// Where events go: a file, an array, or nothing.
public protocol EventSink: AnyObject {
  /// Takes the next event. `generation` is assigned by the sink.
  func append(_ event: Event) throws
  /// Names a task from here on.
  func setTaskName(_ name: String, of task: UInt32) throws
  /// Stores a text and returns the index a `mark` names it by.
  func addString(_ text: String) throws -> UInt64
  /// Hands everything so far on to whoever reads meanwhile.
  func flush() throws
}

extension EventSink {
  /// Most sinks keep nothing back.
  public func flush() throws {}
}

/// A trace held in memory: what tests and the simulator's callers use.
public final class EventArray: EventSource, EventSink {
  /// What the trace says about itself.
  public var header: TraceHeader
  /// The events, numbered from 0.
  public private(set) var events: [Event] = []
  private var names: [UInt32: String] = [:]
  private var strings: [String] = []
  private var generations = GenerationTracker()
  private var position = 0
  private let batchSize: Int

  /// Makes an empty trace that is read in batches of `batchSize` events.
  public init(header: TraceHeader, batchSize: Int = 4096) {
    precondition(batchSize > 0)
    self.header = header
    self.batchSize = batchSize
  }

  public func append(_ event: Event) {
    var event = event
    event.generation = generations.generation(of: event)
    events.append(event)
  }

  public func setTaskName(_ name: String, of task: UInt32) { names[task] = name }

  public func addString(_ text: String) -> UInt64 {
    strings.append(text)
    return UInt64(strings.count - 1)
  }

  public func taskName(_ task: UInt32) -> String? { names[task] }

  public func string(_ index: UInt64) -> String? {
    index < UInt64(strings.count) ? strings[Int(index)] : nil
  }

  public func next(into batch: inout EventBatch) -> Bool {
    let end = min(position + batchSize, events.count)
    guard position < end else {
      position = 0
      return false
    }
    batch.firstOrdinal = UInt64(position)
    batch.events.removeAll(keepingCapacity: true)
    batch.events.append(contentsOf: events[position..<end])
    position = end
    return true
  }
}
