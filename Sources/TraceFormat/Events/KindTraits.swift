/// What a codec has to know about a kind, without the strings of ``EventFields``.
///
/// A plain value in a table by raw kind: looked up once per event.
struct KindTraits: Sendable {
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
  /// Whether `arg0` is a value that goes with the object, as a slot or a load does.
  let bound0: Bool
  /// The same of `arg1`.
  let bound1: Bool
  /// Whether the event gives a table or lock back to its allocator.
  let frees: Bool
  /// Whether the event walks tables, in an order that says nothing of their lives.
  let isWalk: Bool

  /// Whether the keys of `space` have generations.
  @inline(__always)
  var isNumbered: Bool { space != .none && space != .gracePeriod }

  /// Traits by raw kind, for all 256 numbers.
  static let table: [KindTraits] = (0...255).map { KindTraits(rawKind: UInt8($0)) }

  private init(rawKind: UInt8) {
    kind = EventKind(rawValue: rawKind)
    let fields = kind?.fields
    space = fields?.space ?? .none
    arg0 = fields?.arg0.space ?? .none
    arg1 = fields?.arg1.space ?? .none
    startsGeneration = fields?.startsGeneration ?? false
    let hasBound = space != .none && space != .lock
    bound0 = hasBound && arg0 == .none && fields?.arg0.goesWithObject ?? false
    bound1 = hasBound && arg1 == .none && fields?.arg1.goesWithObject ?? false
    isWalk = kind == .readerLoad || kind == .readerAccess
    frees = kind == .tableFree || kind == .lockFree
  }
}

extension EventArgument {
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

  /// Whether a later event about the same object is likely to repeat the value.
  var goesWithObject: Bool { type == .address || name == "load" }
}
