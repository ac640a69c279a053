/// The constant parts of an event's text, as bytes, and how its numbers are written.
struct KindText: Sendable {
  /// How a number is written.
  enum Style: Sendable {
    case none
    case decimal
    /// As the times of events are printed in lines; a number where a program reads it.
    case time
    case signed
    /// A hexadecimal number.
    case hexadecimal
    /// A name; a number that has none is written in decimal.
    case named([[UInt8]])
  }

  /// One `name=value` of an event.
  struct Field: Sendable {
    /// The name.
    let name: [UInt8]
    /// `,"name":` for JSON.
    let key: [UInt8]
    let style: Style
    /// Whether a zero says "not known" and is left out of the line.
    let isOptional: Bool

    var isUsed: Bool {
      if case .none = style { false } else { true }
    }
  }

  /// Name of the kind.
  let name: [UInt8]
  let object: Field
  /// Whether the object has a generation.
  let isNumbered: Bool
  let arg0: Field
  let arg1: Field

  /// Texts by raw kind.
  static let table: [KindText?] = (0...255).map {
    EventKind(rawValue: $0).map(KindText.init)
  }

  private init(_ kind: EventKind) {
    let fields = kind.fields
    name = Array(fields.name.utf8)
    object = Self.objectField(kind, fields)
    isNumbered = fields.space != .none && fields.space != .gracePeriod
    arg0 = Self.field(fields.arg0)
    arg1 = Self.field(fields.arg1)
  }

  private static func objectField(_ kind: EventKind, _ fields: EventFields) -> Field {
    guard !fields.objectName.isEmpty else { return field(.none) }
    let style: Style
    switch fields.space {
    case .table, .lock, .callback, .mm, .gather: style = .hexadecimal
    case .reader: style = .decimal
    // gp_seq starts below zero and is printed by the kernel with a sign.
    case .gracePeriod: style = .signed
    case .none:
      style =
        kind == .mark ? .decimal : .named(LossCause.allCases.map { Array($0.name.utf8) })
    }
    return Field(
      name: Array(fields.objectName.utf8), key: key(fields.objectName), style: style,
      isOptional: false)
  }

  private static func field(_ argument: EventArgument) -> Field {
    let style: Style
    var isOptional = false
    switch argument.type {
    case .none: style = .none
    case .count: style = .decimal
    case .time:
      style = .time
      isOptional = true
    case .signed: style = .signed
    case .address, .pfn:
      style = .hexadecimal
      isOptional = true
    case .freeFunction:
      style = .named(FreeFunction.allCases.map { Array($0.name.utf8) })
      isOptional = true
    case .callbackFunction:
      style = .named(CallbackFunction.allCases.map { Array($0.name.utf8) })
    case .flushRoute:
      style = .named(FlushRoute.allCases.map { Array($0.name.utf8) })
    case .readerClass:
      style = .named(ReaderClass.allCases.map { Array($0.name.utf8) })
    }
    return Field(
      name: Array(argument.name.utf8), key: key(argument.name), style: style,
      isOptional: isOptional)
  }

  private static func key(_ name: String) -> [UInt8] { Array(",\"\(name)\":".utf8) }
}
