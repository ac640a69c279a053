import ArgumentParser
import TraceFormat

/// A number of events, `auto` or `none`.
struct SnapshotInterval: ExpressibleByArgument {
  let policy: TraceWriter.Snapshots

  init(policy: TraceWriter.Snapshots) { self.policy = policy }

  init?(argument: String) {
    switch argument {
    case "auto": policy = .automatic
    case "none": policy = .none
    default:
      guard let events = UInt64(argument), events > 0 else { return nil }
      policy = .every(events)
    }
  }

  var defaultValueDescription: String {
    switch policy {
    case .none: "none"
    case .automatic: "auto"
    case .every(let events): "\(events)"
    }
  }
}
