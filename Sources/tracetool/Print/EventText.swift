import TraceFormat

/// Prints events the way ftrace does: one line each, names as in EVENTS.md.
///
///     812       munmap-1234  [001] task       12.345678901: pt_dtor: pfn=0x8a1f3#2 level=pte nr=-1
struct EventText {
  private let clock: Clock
  private let fractionDigits: Int
  private let scale: UInt64
  private var tasks: [UInt32: (name: String?, label: [UInt8])] = [:]

  /// Makes a printer for the events of a trace with this clock.
  init(clock: Clock) {
    self.clock = clock
    var digits = 0
    var scale: UInt64 = 1
    let units = clock.unitsPerSecond ?? 1
    // A clock that is no power of ten is shown in the next coarser one.
    while units / scale >= 10 {
      scale *= 10
      digits += 1
    }
    fractionDigits = digits
    self.scale = scale
  }

  /// Appends the line of an event, without its end. `source` names tasks and texts.
  mutating func append(
    _ event: Event, ordinal: UInt64, source: any EventSource, to text: inout TextBuffer
  ) {
    text.append(ordinal, width: 9)
    text.append(" ")
    text.append(label(of: event.task, source: source))
    text.append(" [")
    if event.cpu == Event.allCPUs {
      text.append("all")
    } else {
      text.append(UInt64(event.cpu), width: 3, fill: "0")
    }
    text.append("] ")
    let context = event.context.name
    text.append(context)
    text.append(" ", times: 8 - context.utf8.count)
    appendTime(event.time, width: 16, to: &text)
    text.append(": ")
    let fields = event.kind.fields
    text.append(fields.name)
    text.append(":")
    appendFields(event, fields, source: source, to: &text)
  }

  /// The line of one event, without its end.
  mutating func line(_ event: Event, ordinal: UInt64, source: any EventSource) -> String {
    var text = TextBuffer()
    append(event, ordinal: ordinal, source: source, to: &text)
    return String(decoding: text.bytes, as: UTF8.self)
  }

  /// A time in seconds, or the bare number where the clock has no unit.
  func time(_ time: UInt64) -> String {
    var text = TextBuffer()
    appendTime(time, width: 0, to: &text)
    return String(decoding: text.bytes, as: UTF8.self)
  }

  private func appendTime(_ time: UInt64, width: Int, to text: inout TextBuffer) {
    guard let units = clock.unitsPerSecond, units > 0, fractionDigits > 0 else {
      return text.append(time / max(clock.unitsPerSecond ?? 1, 1), width: width)
    }
    text.append(time / units, width: width - 1 - fractionDigits)
    text.append(".")
    let product = (time % units).multipliedFullWidth(by: scale)
    text.append(units.dividingFullWidth(product).quotient, width: fractionDigits, fill: "0")
  }

  private func appendFields(
    _ event: Event, _ fields: EventFields, source: any EventSource, to text: inout TextBuffer
  ) {
    if !fields.objectName.isEmpty {
      append(fields.objectName, event.objectValue(fields, source: source), to: &text)
      if fields.space != .none && fields.space != .gracePeriod {
        text.append("#")
        text.append(UInt64(event.generation))
      }
    }
    if event.level != .unknown { append("level", .word(event.level.name), to: &text) }
    if fields.arg0.type != .none {
      append(fields.arg0.name, event.argumentValue(fields.arg0, event.arg0), to: &text)
    }
    if fields.arg1.type != .none {
      append(fields.arg1.name, event.argumentValue(fields.arg1, event.arg1), to: &text)
    }
    if event.flags.contains(.kernelTable) { text.append(" kernel=1") }
    if event.flags.contains(.inferred) { text.append(" inferred=1") }
  }

  private func append(_ name: String, _ value: EventValue, to text: inout TextBuffer) {
    text.append(" ")
    text.append(name)
    text.append("=")
    switch value {
    case .number(let number): text.append(number)
    case .signed(let number): text.append(number)
    case .address(let number), .frame(let number): text.appendHexadecimal(number)
    case .word(let word): text.append(word)
    case .text(let string): text.append(JSONText.quoted(string ?? ""))
    case .unknown: text.append("unknown")
    }
  }

  /// `comm-pid`, right-aligned. A task may be renamed on the way.
  private mutating func label(of task: UInt32, source: any EventSource) -> [UInt8] {
    let name = source.taskName(task)
    if let known = tasks[task], known.name == name { return known.label }
    let text = "\(printableLine(name ?? (task == 0 ? "<idle>" : "<...>")))-\(task)"
    let label = Array(padded(text, 20).utf8)
    tasks[task] = (name, label)
    return label
  }
}

/// `text` with `fill` before it up to `width` characters.
func padded(_ text: String, _ width: Int, with fill: Character = " ") -> String {
  String(repeating: fill, count: max(0, width - text.count)) + text
}

extension String {
  /// The text with spaces behind it up to `width` characters.
  func padding(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
}
