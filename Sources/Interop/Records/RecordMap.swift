import TraceFormat
import Yams

/// What the keys of another tracer's records mean: the file behind `--map`.
struct RecordMap {
  enum Format: String {
    case ndjson, csv
  }

  /// What a number of the clock is worth.
  enum Unit: String, CaseIterable {
    case ns, us, ms, s
    /// The clock only counts.
    case ticks

    var nanoseconds: UInt64 {
      switch self {
      case .ns, .ticks: 1
      case .us: 1000
      case .ms: 1_000_000
      case .s: 1_000_000_000
      }
    }
  }

  /// One of the tracer's events.
  struct Event {
    /// Index in ``NameTable/entries``.
    var index: Int
    var origin: RecordedEvent.Origin
    /// Our keys, and theirs.
    var values: [(key: FieldKey, column: [UInt8])] = []
    /// Our keys, and a value that is always the same.
    var always: [(key: FieldKey, text: [UInt8])] = []
    /// Their key of a marker's text.
    var text: [UInt8]?
  }

  var format: Format?
  var time: [UInt8] = []
  var unit = Unit.ns
  var cpu: [UInt8] = []
  var pid: [UInt8] = []
  var comm: [UInt8]?
  var context: [UInt8]?
  var name: [UInt8] = []
  var events: [String: Event] = [:]
  /// Name of the records that say that events of their CPU were lost, and their count's key.
  var lost: (name: String, count: [UInt8]?)?

  private let file: String

  /// Reads the map in `path`.
  init(path: String) throws(TraceError) {
    file = path
    guard let bytes = ByteSource.small(path, limit: 1 << 20) else {
      throw TraceError(
        file: path, what: "cannot be read as a map of names",
        hint: "docs/IMPORT.md shows one")
    }
    let root: Node?
    do {
      root = try Yams.compose(yaml: String(decoding: bytes, as: UTF8.self))
    } catch {
      throw TraceError(
        file: path, what: "is no YAML: \(Self.oneLine("\(error)"))",
        hint: "docs/IMPORT.md shows a map")
    }
    guard let root, root.mapping != nil else {
      throw TraceError(
        file: path, what: "holds no mapping of keys", hint: "docs/IMPORT.md shows a map")
    }
    try readTop(root)
  }

  private static func oneLine(_ text: String) -> String {
    text.split(whereSeparator: \.isNewline).joined(separator: " ")
  }

  private mutating func readTop(_ root: Node) throws(TraceError) {
    for (key, value) in root.mapping ?? [:] {
      switch key.string ?? "" {
      case "format":
        guard let found = value.string.flatMap(Format.init) else {
          throw bad(value, "format is ndjson or csv")
        }
        format = found
      case "time": try readTime(value)
      case "cpu": cpu = try column(value)
      case "pid": pid = try column(value)
      case "comm": comm = try column(value)
      case "context": context = try column(value)
      case "name": name = try column(value)
      case "lost":
        guard let records = value["name"]?.string else {
          throw bad(value, "lost needs the name of the records")
        }
        lost = (records, value["count"]?.string.map { Array($0.utf8) })
      case "events":
        for (name, event) in value.mapping ?? [:] {
          guard let text = name.string else { throw bad(name, "the name of an event is a text") }
          events[text] = try readEvent(text, event)
        }
      default: throw bad(key, "\(key.string ?? "this key") is no key of a map")
      }
    }
    for (what, key) in [("time", time), ("cpu", cpu), ("pid", pid), ("name", name)]
    where key.isEmpty {
      throw bad(root, "the map does not say which key is the \(what)")
    }
    guard !events.isEmpty else { throw bad(root, "the map names no events") }
  }

  private mutating func readTime(_ node: Node) throws(TraceError) {
    guard node.mapping != nil else { return time = try column(node) }
    guard let key = node["key"] else { throw bad(node, "time needs a key") }
    time = try column(key)
    if let text = node["unit"] {
      guard let found = text.string.flatMap(Unit.init) else {
        throw bad(text, "the unit of time is ns, us, ms, s or ticks")
      }
      unit = found
    }
  }

  private func readEvent(_ name: String, _ node: Node) throws(TraceError) -> Event {
    let target = node.string ?? node["is"]?.string ?? name
    guard let index = NameTable.shared.index(of: target) else {
      throw bad(node, "\(target) is no event that is read; docs/IMPORT.md lists them")
    }
    var event = Event(index: index, origin: .program)
    guard node.mapping != nil else { return event }
    for (key, value) in node.mapping ?? [:] {
      switch key.string ?? "" {
      case "is": break
      case "from":
        switch value.string {
        case "tracepoint": event.origin = .tracepoint
        case "probe": event.origin = .probe
        case "program": event.origin = .program
        default: throw bad(value, "from is tracepoint, probe or program")
        }
      case "text": event.text = try column(value)
      case "values":
        for (ours, theirs) in value.mapping ?? [:] {
          event.values.append((try fieldKey(ours), try column(theirs)))
        }
      case "always":
        for (ours, constant) in value.mapping ?? [:] {
          event.always.append((try fieldKey(ours), try column(constant)))
        }
      default: throw bad(key, "\(key.string ?? "this key") is no key of an event")
      }
    }
    return event
  }

  private func fieldKey(_ node: Node) throws(TraceError) -> FieldKey {
    guard let key = node.string.flatMap(FieldKey.init(named:)) else {
      throw bad(
        node, "\(node.string ?? "this") is no value that is read; docs/IMPORT.md lists them")
    }
    return key
  }

  private func column(_ node: Node) throws(TraceError) -> [UInt8] {
    guard let text = node.scalar?.string, !text.isEmpty else {
      throw bad(node, "the name of a key is expected here")
    }
    return Array(text.utf8)
  }

  private func bad(_ node: Node, _ what: String) -> TraceError {
    let line = node.mark.map { "line \($0.line): " } ?? ""
    return TraceError(file: file, what: line + what, hint: "docs/IMPORT.md shows a map")
  }
}
