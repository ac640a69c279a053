import Synchronization
import TraceFormat

/// How far a verb has come, as one line at the bottom of the terminal.
///
/// Nothing is drawn unless stderr is a terminal, nobody asked for quiet, and the work has gone on
/// for a second. The line is gone before anything else is printed, and when the work ends.
final class ProgressBar: Sendable {
  /// What is counted.
  enum Unit: Sendable {
    case events
    case bytes
  }

  private struct State {
    var lastDrawn: ContinuousClock.Instant
    var width = 80
  }

  /// Whether a bar stands on the terminal now. One process draws one at a time.
  private static let isShown = Mutex(false)
  private static let patience = Duration.seconds(1)
  private static let interval = Duration.milliseconds(100)

  private let title: String
  private let unit: Unit
  private let start: ContinuousClock.Instant
  private let state: Mutex<State>

  /// A bar for work that begins now; nil where none would be seen.
  ///
  /// - Parameter output: where the verb writes text meanwhile; a bar among lines on the same
  ///   terminal is no help.
  init?(_ title: String, _ unit: Unit, _ verbosity: VerbosityOptions, output: String? = nil) {
    guard !verbosity.quiet, standardErrorIsTerminal(), environmentValue("TERM") != "dumb",
      output != "-" || !standardOutputIsTerminal()
    else { return nil }
    self.title = title
    self.unit = unit
    start = .now
    state = Mutex(State(lastDrawn: start))
  }

  deinit { Self.clear() }

  /// Says how much is done, of how much if that is known. Cheap enough for every few thousand
  /// events.
  func update(_ done: UInt64, of total: UInt64?) {
    let now = ContinuousClock.now
    guard now - start >= Self.patience else { return }
    let line: String? = state.withLock { state in
      guard now - state.lastDrawn >= Self.interval else { return nil }
      state.lastDrawn = now
      state.width = terminalWidth()
      return Self.line(
        title, unit, done: done, total: total, elapsed: now - start, width: state.width)
    }
    guard let line else { return }
    Self.isShown.withLock { isShown in
      isShown = true
      writeToStandardError(Array("\r\u{1b}[K\(line)".utf8))
    }
  }

  /// Takes the bar off the terminal, if there is one.
  static func clear() {
    isShown.withLock { isShown in
      if isShown { writeToStandardError(Array("\r\u{1b}[K".utf8)) }
      isShown = false
    }
  }

  /// One line of fewer than `width` columns.
  static func line(
    _ title: String, _ unit: Unit, done: UInt64, total: UInt64?, elapsed: Duration, width: Int
  ) -> String {
    let seconds = max(
      Double(elapsed.components.seconds)
        + Double(elapsed.components.attoseconds) / 1e18, 0.001)
    let rate = Double(done) / seconds
    let speed = amount(rate, unit) + "/s"
    guard let total, total > 0 else {
      return String("\(title)  \(amount(Double(done), unit))  \(speed)".prefix(max(1, width - 1)))
    }
    let part = min(1, Double(done) / Double(total))
    let percent = Int(part * 100)
    let left = rate > 0 ? time(Double(total - min(done, total)) / rate) : "-:--"
    let figures = " \(padded(String(percent), 3, with: " "))%  \(speed)  ETA \(left)"
    let room = width - 1 - title.count - 2 - figures.count - 2
    guard room >= 8 else { return String("\(title)\(figures)".prefix(max(1, width - 1))) }
    let cells = min(room, 40)
    let full = Int(part * Double(cells))
    let bar = String(repeating: "#", count: full) + String(repeating: "-", count: cells - full)
    return "\(title)  [\(bar)]\(figures)"
  }

  private static func amount(_ value: Double, _ unit: Unit) -> String {
    let name = unit == .events ? " events" : "B"
    let scales = [(1e9, "G"), (1e6, "M"), (1e3, "k")]
    guard let (scale, prefix) = scales.first(where: { value >= $0.0 }) else {
      return "\(Int(value))" + (unit == .events ? name : " B")
    }
    let tenths = Int(value / scale * 10)
    return "\(tenths / 10).\(tenths % 10) \(prefix)" + name
  }

  private static func time(_ seconds: Double) -> String {
    let whole = Int(min(seconds, 359_999).rounded(.up))
    let (minutes, rest) = (whole / 60, padded(String(whole % 60), 2, with: "0"))
    guard minutes >= 60 else { return "\(minutes):\(rest)" }
    return "\(minutes / 60):\(padded(String(minutes % 60), 2, with: "0")):\(rest)"
  }
}

/// A source that tells a bar how far it has been read.
final class WatchedSource: EventSource {
  private let source: any EventSource
  private let bar: ProgressBar
  private let total: () -> UInt64?
  private var first: UInt64?

  /// Watches `source`, of which `total` tells the number of events where it is known.
  init(_ source: any EventSource, _ bar: ProgressBar, total: @escaping () -> UInt64?) {
    self.source = source
    self.bar = bar
    self.total = total
  }

  var header: TraceHeader { source.header }

  func taskName(_ task: UInt32) -> String? { source.taskName(task) }

  func string(_ index: UInt64) -> String? { source.string(index) }

  func next(into batch: inout EventBatch) throws -> Bool {
    guard try source.next(into: &batch) else {
      ProgressBar.clear()
      return false
    }
    let start = first ?? batch.firstOrdinal
    first = start
    bar.update(batch.firstOrdinal &- start, of: total().map { $0 > start ? $0 - start : 0 })
    return true
  }
}

/// A sink that tells a bar how much it has been given.
final class WatchedSink: EventSink {
  private let sink: any EventSink
  private let bar: ProgressBar
  private let total: UInt64?
  private var count: UInt64 = 0

  /// Watches `sink`, which is going to get about `total` events.
  init(_ sink: any EventSink, _ bar: ProgressBar, total: UInt64?) {
    self.sink = sink
    self.bar = bar
    self.total = total
  }

  func append(_ event: Event) throws {
    try sink.append(event)
    count += 1
    if count & 4095 == 0 { bar.update(count, of: total) }
  }

  func setTaskName(_ name: String, of task: UInt32) throws {
    try sink.setTaskName(name, of: task)
  }

  func addString(_ text: String) throws -> UInt64 { try sink.addString(text) }
}
