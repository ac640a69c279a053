/// What a codec has to know about a kind, without the strings of ``EventFields``.
///
/// A plain value in a table by raw kind: looked up once per event.
struct KindTraits: Sendable, BitwiseCopyable {
  /// The kind; nil for a number no kind has.
  let kind: EventKind?
  /// Space of `object`.
  let space: ObjectSpace
  /// Space of `arg0`, where it holds the key of an object.
  let arg0: ObjectSpace
  /// Space of `arg1`, where it holds the key of an object.
  let arg1: ObjectSpace
  /// Whether the event starts a new generation of `object`.
  let startsGeneration: Bool

  /// Whether `arg0` is an address that names no object.
  let isAddress0: Bool
  /// Whether `arg1` is.
  let isAddress1: Bool
  /// How the codec tells plain values of `arg0` from one event to the next.
  let plain0: PlainValue
  /// The same of `arg1`.
  let plain1: PlainValue
  /// Whether the event gives its table or lock back to the allocator it came from.
  let frees: Bool
  /// Whether the event ends a reader section.
  let endsSection: Bool
  /// Whether tables follow each other in events of this kind as they do in their lives.
  let links: Bool

  /// Sorts of plain values.
  enum PlainValue: Sendable, BitwiseCopyable {
    /// One of a few, and part of a block's shapes.
    case choice
    /// Any number.
    case number
    /// An address that comes back with the object.
    case slot
    /// An address near one that came with the object.
    case address
  }

  /// Whether the keys of `space` have generations.
  @inline(__always)
  var isNumbered: Bool { space != .none && space != .gracePeriod }

  /// Traits by raw kind, for all 256 numbers. Never freed.
  static let table: Lane<KindTraits> = {
    let table = Lane<KindTraits>(room: 256)
    for number in 0..<256 { table[number] = KindTraits(rawKind: UInt8(number)) }
    return table
  }()

  private init(rawKind: UInt8) {
    kind = EventKind(rawValue: rawKind)
    let fields = kind?.fields
    space = fields?.space ?? .none
    arg0 = fields?.arg0.space ?? .none
    arg1 = fields?.arg1.space ?? .none
    startsGeneration = fields?.startsGeneration ?? false
    plain0 = fields?.arg0.plainValue ?? .number
    plain1 = fields?.arg1.plainValue ?? .number
    isAddress0 = arg0 == .none && fields?.arg0.type == .address
    isAddress1 = arg1 == .none && fields?.arg1.type == .address
    endsSection = kind == .readerExit
    frees = kind == .tableFree || kind == .lockFree
    links =
      kind == .tableAlloc || kind == .tableInstall || kind == .tableUnlink
      || kind == .tableQueueBatch || kind == .tableQueuePage
  }
}

extension EventArgument {
  /// How plain values of this argument tend to come.
  var plainValue: KindTraits.PlainValue {
    switch type {
    case .freeFunction, .callbackFunction, .readerClass, .flushRoute, .none, .signed: .choice
    case .address: name == "slot" ? .slot : .address
    default: name == "order" || name == "fullmm" ? .choice : .number
    }
  }

  /// The space whose keys this argument holds; `none` for plain numbers.
  var space: ObjectSpace {
    switch name {
    case "mm", "child": .mm
    case "gather": .gather
    case "batch": .callback
    case "section": .reader
    default: type == .pfn ? .table : .none
    }
  }
}
