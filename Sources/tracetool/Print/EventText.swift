import TraceFormat

/// Prints events the way ftrace does: one line each, names as in EVENTS.md.
///
///     812       munmap-1234  [001] task       12.345678901: pt_dtor: pfn=0x8a1f3#2 level=pte nr=-1
struct EventText {
  private let clock: Clock
  private let fractionDigits: Int

  /// Makes a printer for the events of a trace with this clock.
  init(clock: Clock) {
    self.clock = clock
    var digits = 0
    var units = clock.unitsPerSecond ?? 1
    while units >= 10 {
      units /= 10
      digits += 1
    }
    fractionDigits = digits
  }

  /// One line without its end. `source` names tasks and texts.
  func line(_ event: Event, ordinal: UInt64, source: any EventSource) -> String {
    let task = "\(source.taskName(event.task) ?? "<...>")-\(event.task)"
    let cpu = event.cpu == Event.allCPUs ? "all" : padded(String(event.cpu), 3, with: "0")
    var text = padded(String(ordinal), 9) + " " + padded(printableLine(task), 20)
    text += " [\(cpu)] " + event.context.name.padding(to: 7)
    text += " " + padded(time(event.time), 16) + ": \(event.kind.name):"
    for (name, value) in fields(of: event, source: source) { text += " \(name)=\(value)" }
    return text
  }

  /// A time in seconds, or the bare number where the clock has no unit.
  func time(_ time: UInt64) -> String {
    guard let units = clock.unitsPerSecond, units > 0 else { return String(time) }
    guard fractionDigits > 0 else { return String(time / units) }
    // A clock that is no power of ten is shown to its nearest lower one.
    let scale = (0..<fractionDigits).reduce(UInt64(1)) { scale, _ in scale * 10 }
    let (high, low) = (time % units).multipliedFullWidth(by: scale)
    let fraction = units.dividingFullWidth((high, low)).quotient
    return "\(time / units)." + padded(String(fraction), fractionDigits, with: "0")
  }

  /// The names and printed values of everything an event carries, in the order of its line.
  func fields(of event: Event, source: any EventSource) -> [(name: String, value: String)] {
    let meaning = event.kind.fields
    var result: [(String, String)] = []
    if !meaning.objectName.isEmpty {
      result.append((meaning.objectName, object(of: event, source: source)))
    }
    if event.level != .unknown { result.append(("level", event.level.name)) }
    for (argument, value) in [(meaning.arg0, event.arg0), (meaning.arg1, event.arg1)]
    where argument.type != .none {
      result.append((argument.name, Self.argument(argument, value, of: event)))
    }
    if event.flags.contains(.kernelTable) { result.append(("kernel", "1")) }
    if event.flags.contains(.inferred) { result.append(("inferred", "1")) }
    return result
  }

  private func object(of event: Event, source: any EventSource) -> String {
    switch event.kind {
    case .loss, .lossEnd:
      return UInt8(exactly: event.object).flatMap(LossCause.init(rawValue:))?.printName
        ?? String(event.object)
    case .mark: return JSONText.quoted(source.string(event.object) ?? "")
    default: break
    }
    switch event.kind.fields.space {
    case .none: return String(event.object)
    // The kernel prints sequence numbers signed: they start a little below zero.
    case .gracePeriod: return String(Int64(bitPattern: event.object))
    case .reader: return "\(event.object)#\(event.generation)"
    case .table, .lock, .callback, .mm, .gather:
      return "\(hexadecimal(event.object))#\(event.generation)"
    }
  }

  /// An argument as text.
  static func argument(
    _ argument: EventArgument, _ value: UInt64, of event: Event
  ) -> String {
    switch argument.type {
    case .none: return ""
    case .count:
      if event.kind == .loss, value == Event.unknownCount { return "unknown" }
      return event.loadIsFrame(argument) ? hexadecimal(value) : String(value)
    case .signed: return String(Int64(bitPattern: value))
    case .address, .pfn: return hexadecimal(value)
    case .freeFunction:
      return UInt8(exactly: value).flatMap(FreeFunction.init(rawValue:))?.name ?? String(value)
    case .callbackFunction:
      return UInt8(exactly: value).flatMap(CallbackFunction.init(rawValue:))?.name ?? String(value)
    case .readerClass:
      return UInt8(exactly: value).flatMap(ReaderClass.init(rawValue:))?.name ?? String(value)
    }
  }
}

extension Event {
  /// Whether `argument` is the load of a callback of one table, which is that table's pfn.
  func loadIsFrame(_ argument: EventArgument) -> Bool {
    guard argument.name == "load" else { return false }
    return arg0 == UInt64(CallbackFunction.freeDeferred.rawValue)
      || arg0 == UInt64(CallbackFunction.removeTableOne.rawValue)
  }
}

extension LossCause {
  /// The cause without spaces, as a value in a line.
  var printName: String { name.replacing(" ", with: "-") }
}

/// `value` as the kernel's `%#lx` prints it.
func hexadecimal(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }

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
