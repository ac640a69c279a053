@testable import TraceFormat

extension TableRange {
  /// The tables of `events`.
  init(of events: [Event]) {
    let lane = Lane<Event>(room: events.count)
    defer { lane.deallocate() }
    for (index, event) in events.enumerated() { lane[index] = event }
    self.init(of: lane)
  }
}
