import TraceFormat

/// A value of an event, as it is meant; each text form has its own way to print it.
enum EventValue {
  /// A plain number.
  case number(UInt64)
  /// A number that may be negative.
  case signed(Int64)
  /// An address or another opaque value.
  case address(UInt64)
  /// A page frame number.
  case frame(UInt64)
  /// A word of the vocabulary.
  case word(String)
  /// Free text; nil if the trace does not have it.
  case text(String?)
  /// A count nobody knows.
  case unknown
}

extension Event {
  /// What `object` is.
  func objectValue(_ fields: EventFields, source: any EventSource) -> EventValue {
    switch fields.space {
    case .table: return .frame(object)
    case .reader: return .number(object)
    // The kernel prints sequence numbers signed: they start a little below zero.
    case .gracePeriod: return .signed(Int64(bitPattern: object))
    case .lock, .callback, .mm, .gather: return .address(object)
    case .none: break
    }
    switch kind {
    case .loss, .lossEnd: return .coded(object, LossCause.init(rawValue:)) { $0.word }
    case .mark: return .text(source.string(object))
    default: return .number(object)
    }
  }

  /// What `raw`, which is this event's `argument`, is.
  func argumentValue(_ argument: EventArgument, _ raw: UInt64) -> EventValue {
    switch argument.type {
    case .none, .count:
      if kind == .loss, raw == Event.unknownCount { return .unknown }
      return loadIsFrame(argument) ? .frame(raw) : .number(raw)
    case .signed: return .signed(Int64(bitPattern: raw))
    case .address: return .address(raw)
    case .pfn: return .frame(raw)
    case .freeFunction: return .coded(raw, FreeFunction.init(rawValue:)) { $0.name }
    case .callbackFunction: return .coded(raw, CallbackFunction.init(rawValue:)) { $0.name }
    case .readerClass: return .coded(raw, ReaderClass.init(rawValue:)) { $0.name }
    }
  }

  /// Whether `argument` is the load of a callback of one table, which is that table's pfn.
  func loadIsFrame(_ argument: EventArgument) -> Bool {
    guard argument.name == "load" else { return false }
    return arg0 == UInt64(CallbackFunction.freeDeferred.rawValue)
      || arg0 == UInt64(CallbackFunction.removeTableOne.rawValue)
  }
}

extension EventValue {
  /// The word for a code, or the bare code if no word belongs to it.
  fileprivate static func coded<Code>(
    _ raw: UInt64, _ decode: (UInt8) -> Code?, _ name: (Code) -> String
  ) -> EventValue {
    guard let small = UInt8(exactly: raw), let code = decode(small) else { return .number(raw) }
    return .word(name(code))
  }
}

extension LossCause {
  /// The cause without spaces, as a value in a line.
  var word: String {
    switch self {
    case .unknown: "unknown"
    case .overrun: "overrun"
    case .lostEvents: "lost-events"
    case .damagedFile: "damaged-file"
    }
  }
}
