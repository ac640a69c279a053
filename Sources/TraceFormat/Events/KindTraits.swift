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

  /// Whether the keys of `space` have generations.
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
}
