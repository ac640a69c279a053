import TraceFormat

/// Prints events as NDJSON: one object a line, keys always in the same order.
///
/// Numbers are numbers, except addresses, which do not fit a double and are strings in
/// hexadecimal. A count nobody knows is null.
struct EventJSON {
  private var tasks: [UInt32: (name: String, quoted: String)] = [:]

  /// Appends the object of an event, without a line break. `source` names tasks and texts.
  mutating func append(
    _ event: Event, ordinal: UInt64, source: any EventSource, to text: inout TextBuffer
  ) {
    text.append("{\"ordinal\":")
    text.append(ordinal)
    append("time", .number(event.time), to: &text)
    append("cpu", event.cpu == Event.allCPUs ? .unknown : .number(UInt64(event.cpu)), to: &text)
    append("task", .number(UInt64(event.task)), to: &text)
    if let name = quotedName(of: event.task, source: source) {
      text.append(",\"comm\":")
      text.append(name)
    }
    append("context", .word(event.context.name), to: &text)
    let fields = event.kind.fields
    append("kind", .word(fields.name), to: &text)
    if !fields.objectName.isEmpty {
      append(fields.objectName, event.objectValue(fields, source: source), to: &text)
      if fields.space != .none && fields.space != .gracePeriod {
        append("generation", .number(UInt64(event.generation)), to: &text)
      }
    }
    if event.level != .unknown { append("level", .word(event.level.name), to: &text) }
    if fields.arg0.type != .none {
      append(fields.arg0.name, event.argumentValue(fields.arg0, event.arg0), to: &text)
    }
    if fields.arg1.type != .none {
      append(fields.arg1.name, event.argumentValue(fields.arg1, event.arg1), to: &text)
    }
    if event.flags.contains(.kernelTable) { text.append(",\"kernel\":true") }
    if event.flags.contains(.inferred) { text.append(",\"inferred\":true") }
    text.append("}")
  }

  private func append(_ name: String, _ value: EventValue, to text: inout TextBuffer) {
    text.append(",\"")
    text.append(name)
    text.append("\":")
    switch value {
    case .number(let number), .frame(let number): text.append(number)
    case .signed(let number): text.append(number)
    case .address(let number):
      text.append("\"")
      text.appendHexadecimal(number)
      text.append("\"")
    case .word(let word):
      text.append("\"")
      text.append(word)
      text.append("\"")
    case .text(let string): text.append(string.map(JSONText.quoted) ?? "null")
    case .unknown: text.append("null")
    }
  }

  private mutating func quotedName(of task: UInt32, source: any EventSource) -> String? {
    guard let name = source.taskName(task) else { return nil }
    if let known = tasks[task], known.name == name { return known.quoted }
    let quoted = JSONText.quoted(name)
    tasks[task] = (name, quoted)
    return quoted
  }
}
