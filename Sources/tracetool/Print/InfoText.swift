import TraceFormat

/// Prints what is in a trace for people.
enum InfoText {
  /// Losses that are listed one by one; the rest is counted.
  private static let listedLosses = 8

  /// Everything `info` says, with its line breaks.
  static func describe(_ contents: TraceContents) -> String {
    var text = ""
    for (name, value) in facts(contents) {
      text += name.padding(to: 12) + printableLine(value) + "\n"
    }
    text += losses(contents)
    text += kinds(contents)
    text += columns(contents)
    for (name, value) in sorted(contents.header.counts) {
      text += "count".padding(to: 12) + "\(printableLine(name)): \(value)\n"
    }
    for remark in contents.header.remarks {
      text += "remark".padding(to: 12) + printableLine(remark) + "\n"
    }
    return text
  }

  private static func facts(_ contents: TraceContents) -> [(String, String)] {
    let header = contents.header
    var facts = [("file", contents.name), ("source", "\(header.source) (\(header.producer))")]
    facts.append(("stage", header.stage ?? "not declared"))
    facts.append(
      ("kernel", [header.kernel, header.arch].compactMap { $0 }.joined(separator: " ")))
    facts.append(("host", header.host ?? ""))
    facts.append(("boot id", header.boot ?? ""))
    facts.append(("workload", header.workload ?? ""))
    facts.append(("seed", header.seed.map { String($0) } ?? ""))
    for (name, value) in sorted(header.options) { facts.append(("option", "\(name): \(value)")) }
    facts.append(("cpus", String(header.cpus)))
    let unit = header.clock.unitsPerSecond.map { "\($0) units per second" }
    facts.append(("clock", "\(header.clock.name), \(unit ?? "counts only")"))
    facts.append(("events", "\(contents.events), \(contents.inferred) of them inferred"))
    if let first = header.firstOrdinal {
      facts.append(
        ("ordinals", "\(first) to \(first + max(contents.events, 1) - 1) of a longer trace"))
    }
    facts.append(("size", size(contents)))
    facts.append(("time", span(contents)))
    return facts.filter { !$0.1.isEmpty }
  }

  private static func size(_ contents: TraceContents) -> String {
    var parts: [String] = []
    if let bytes = contents.size.bytes { parts.append("\(bytes) bytes") }
    if let blocks = contents.size.blocks {
      parts.append(blocks == 1 ? "1 block" : "\(blocks) blocks")
    }
    if let snapshots = contents.size.snapshots, snapshots > 0 {
      parts.append(snapshots == 1 ? "1 snapshot" : "\(snapshots) snapshots")
    }
    if let ratio = contents.bytesPerEvent { parts.append("\(twoDecimals(ratio)) bytes per event") }
    return parts.joined(separator: ", ")
  }

  private static func span(_ contents: TraceContents) -> String {
    guard let times = contents.times else { return "" }
    let clock = contents.header.clock
    let unit = clock.unitsPerSecond == nil ? "ticks" : "s"
    let length = times.upperBound - times.lowerBound
    return "\(time(times.lowerBound, clock)) to \(time(times.upperBound, clock)), "
      + "\(time(length, clock)) \(unit)"
  }

  private static func time(_ time: UInt64, _ clock: Clock) -> String {
    var bytes: [UInt8] = []
    EventText(clock: clock).appendTime(time, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func losses(_ contents: TraceContents) -> String {
    guard !contents.losses.isEmpty else { return "losses".padding(to: 12) + "none\n" }
    var text = ""
    for loss in contents.losses.prefix(listedLosses) {
      let place = loss.cpu.map { "CPU \($0)" } ?? "all CPUs"
      let count = loss.count.map { "\($0) events" } ?? "an unknown number of events"
      text += "loss".padding(to: 12) + "#\(loss.ordinal): \(loss.cause.name), \(place), \(count)\n"
    }
    let rest = contents.losses.count - listedLosses
    if rest > 0 { text += "loss".padding(to: 12) + "and \(rest) more\n" }
    return text
  }

  private static func kinds(_ contents: TraceContents) -> String {
    let capabilities = contents.header.capabilities
    var text = "\n" + "kind".padding(to: 24) + padded("events", 10) + "  seen\n"
    for kind in EventKind.allCases {
      let count = contents.count(of: kind)
      let visibility = capabilities[kind]
      guard count > 0 || visibility != nil else { continue }
      text += kind.name.padding(to: 24) + padded(String(count), 10)
      text += "  " + (visibility?.rawValue ?? "-")
      if let misses = capabilities.misses[kind.name], misses > 0 {
        let bound = capabilities.missesAreCumulative ? "at most " : ""
        text += ", \(bound)\(misses) missed"
      }
      if let reason = capabilities.reasons[kind.name] { text += " (\(printableLine(reason)))" }
      text += "\n"
    }
    return text + "\n"
  }

  /// What each column takes in the file, and before compression.
  private static func columns(_ contents: TraceContents) -> String {
    guard contents.columns != nil else { return "" }
    func row(_ name: String, _ cells: [String]) -> String {
      name.padding(to: 24) + cells.map { padded($0, 12) }.joined() + "\n"
    }
    func share(_ bytes: UInt64) -> String { contents.perEvent(bytes).map(threeDecimals) ?? "-" }
    var text = row("column", ["bytes", "B/event", "unpacked"])
    for column in contents.filledColumns {
      text += row(column.name, [String(column.stored), share(column.stored), share(column.raw)])
    }
    return text + "\n"
  }
}

/// The entries of a dictionary by name.
func sorted<Value>(_ entries: [String: Value]) -> [(name: String, value: Value)] {
  entries.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
}

/// `text` with `fill` before it up to `width` characters.
func padded(_ text: String, _ width: Int, with fill: Character = " ") -> String {
  String(repeating: fill, count: max(0, width - text.count)) + text
}

extension String {
  /// The text with spaces behind it up to `width` characters, and at least one.
  func padding(to width: Int) -> String {
    self + String(repeating: " ", count: max(1, width - count))
  }
}
