@testable import TraceFormat

extension TableRange {
  /// The tables of `events`.
  init(of events: [Event]) {
    self.init { frame in
      for event in events { event.eachTable { frame($0) } }
    }
  }
}
