import TraceFormat

/// Prints events as NDJSON: one object a line, keys always in the same order.
///
/// Numbers are numbers, except addresses, which do not fit a double and are strings in
/// hexadecimal. A count nobody knows is null.
struct EventJSON {
  /// One line without its end. `source` names tasks and texts.
  func line(_ event: Event, ordinal: UInt64, source: any EventSource) -> String {
    var json = JSONText()
    json.object { json in
      json.number("ordinal", ordinal)
      json.number("time", event.time)
      json.number("cpu", event.cpu == Event.allCPUs ? nil : event.cpu)
      json.number("task", event.task)
      if let name = source.taskName(event.task) { json.string("comm", name) }
      json.string("context", event.context.name)
      json.string("kind", event.kind.name)
      Self.addObject(event, source: source, to: &json)
      if event.level != .unknown { json.string("level", event.level.name) }
      let fields = event.kind.fields
      Self.add(fields.arg0, event.arg0, of: event, to: &json)
      Self.add(fields.arg1, event.arg1, of: event, to: &json)
      if event.flags.contains(.kernelTable) { json.bool("kernel", true) }
      if event.flags.contains(.inferred) { json.bool("inferred", true) }
    }
    return json.text
  }

  private static func addObject(
    _ event: Event, source: any EventSource, to json: inout JSONText
  ) {
    let fields = event.kind.fields
    guard !fields.objectName.isEmpty else { return }
    switch event.kind {
    case .loss, .lossEnd:
      json.string(
        fields.objectName,
        UInt8(exactly: event.object).flatMap(LossCause.init(rawValue:))?.printName
          ?? String(event.object))
      return
    case .mark:
      json.string(fields.objectName, source.string(event.object))
      return
    default: break
    }
    switch fields.space {
    case .none: json.number(fields.objectName, event.object)
    case .gracePeriod: json.number(fields.objectName, Int64(bitPattern: event.object))
    case .reader: json.number(fields.objectName, event.object)
    case .table: json.number(fields.objectName, event.object)
    case .lock, .callback, .mm, .gather:
      json.string(fields.objectName, hexadecimal(event.object))
    }
    if fields.space != .none, fields.space != .gracePeriod {
      json.number("generation", event.generation)
    }
  }

  private static func add(
    _ argument: EventArgument, _ value: UInt64, of event: Event, to json: inout JSONText
  ) {
    switch argument.type {
    case .none: return
    case .count:
      let isUnknown = event.kind == .loss && value == Event.unknownCount
      json.number(argument.name, isUnknown ? nil : value)
    case .pfn: json.number(argument.name, value)
    case .signed: json.number(argument.name, Int64(bitPattern: value))
    case .address: json.string(argument.name, hexadecimal(value))
    case .freeFunction, .callbackFunction, .readerClass:
      json.string(argument.name, EventText.argument(argument, value, of: event))
    }
  }
}
