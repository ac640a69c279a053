/// How an event is put together from what is known already: everything about it that tends to
/// come back, as one entry of a block's shape table.
///
/// An event is stored as the number of its shape, and as what the shape leaves open. The meaning
/// of every part is spelled out in docs/FORMAT.md, "Shapes".
struct EventShape: Equatable, BitwiseCopyable {
  /// One field (object, arg0 or arg1) of a shape, in 24 bits.
  struct Field: Equatable, BitwiseCopyable {
    fileprivate let word: UInt32

    /// How the value is found.
    var way: UInt8 { UInt8(truncatingIfNeeded: word) }
    /// The register read.
    var source: UInt8 { UInt8(truncatingIfNeeded: word &>> 8) }
    /// The register written.
    var target: UInt8 { UInt8(truncatingIfNeeded: word &>> 16) }

    /// The register nothing reads.
    static let bin: UInt8 = 1

    @inline(__always)
    init(way: UInt8 = Way.register, source: UInt8 = 0, target: UInt8 = Self.bin) {
      word = UInt32(way) | UInt32(source) &<< 8 | UInt32(target) &<< 16
    }

    @inline(__always)
    fileprivate init(word: UInt64) { self.word = UInt32(truncatingIfNeeded: word) & 0xff_ffff }
  }

  /// Ways to an object (below ``constant``) and to a plain value.
  enum Way {
    static let register: UInt8 = 0
    static let next: UInt8 = 1
    static let previous: UInt8 = 2
    static let peer: UInt8 = 3
    static let freed: UInt8 = 4
    static let new: UInt8 = 5
    static let newAfterListed: UInt8 = 6
    static let derived: UInt8 = 7
    static let number: UInt8 = 8
    static let recent: UInt8 = 9
    static let firstPlain: UInt8 = 16
    static let constant: UInt8 = 16
    static let same: UInt8 = 17
    static let value: UInt8 = 18
    static let address: UInt8 = 19
    static let slot: UInt8 = 20
    static let bound: UInt8 = 21
    static let nearBound: UInt8 = 22
    static let lastPlain: UInt8 = 22
  }

  /// Bits of ``bits``.
  enum Bit {
    static let startsGeneration: UInt8 = 1
    static let numbered: UInt8 = 2
    static let links: UInt8 = 4
    static let frees: UInt8 = 8
    static let secondRing: UInt8 = 16
    static let previousTask: UInt8 = 32
    static let otherTask: UInt8 = 64
    static let generation: UInt8 = 128
  }

  /// Bytes 0 … 7 and 8 … 14 of the entry: two words, so that shapes are compared at once.
  let head: UInt64
  let tail: UInt64
  /// Constants of fields whose way is ``Way/constant``, else 0.
  var constants: Constants

  struct Constants: Equatable, BitwiseCopyable {
    var object: UInt64 = 0
    var arg0: UInt64 = 0
    var arg1: UInt64 = 0
  }

  /// Raw kind.
  var kind: UInt8 { Self.byte(head, 0) }
  var context: UInt8 { Self.byte(head, 1) }
  var flags: UInt8 { Self.byte(head, 2) }
  /// Level, or ``objectLevel``.
  var level: UInt8 { Self.byte(head, 3) }
  var bits: UInt8 { Self.byte(head, 4) }
  /// The register whose object the event's object becomes the peer of; 0 = none.
  var bind: UInt8 { Self.byte(head, 5) }
  var object: Field { Field(word: head &>> 48 | tail &<< 16) }
  var arg0: Field { Field(word: tail &>> 8) }
  var arg1: Field { Field(word: tail &>> 32) }

  /// Value of ``level``: that of the object.
  static let objectLevel: UInt8 = 6
  /// Bytes in the file.
  static let bytes = 15
  /// Registers of objects, and of values, that each CPU slot has.
  static let registers = 64
  /// Places a slot's registers take: those of objects, some for what no register is to get, and
  /// for the decoder those of values.
  static let bank = 104
  static let valueRegisters = 32
  /// Value registers from here on hold addresses, those below other values, so that each can be
  /// read without the other.
  static let firstAddressRegister = 16
  /// CPUs with a state of their own; higher ones share it.
  static let slots = 64
  /// Objects a ring of freed ones holds.
  static let ringSize = 256
  /// Bits of a key within its chunk.
  static let chunkBits: UInt64 = 5
  /// Numbers of a new table's key from here on name a chunk met before.
  static let firstChunked: UInt64 = 64
  /// Number of a new table's key that another number follows.
  static let farKey: UInt64 = 63
  /// Objects each slot keeps of those it listed or named by number.
  static let recents = 4096

  /// An entry without constants.
  init(head: UInt64, tail: UInt64) {
    self.head = head
    self.tail = tail & (1 << 56 - 1)
    constants = Constants()
  }

  @inline(__always)
  init(
    kind: UInt8, context: UInt8, flags: UInt8, level: UInt8, bits: UInt8, bind: UInt8,
    object: Field, arg0: Field, arg1: Field, constants: Constants
  ) {
    let low =
      UInt32(kind) | UInt32(context) &<< 8 | UInt32(flags) &<< 16 | UInt32(level) &<< 24
    let high = UInt64(bits) | UInt64(bind) &<< 8 | UInt64(object.word) &<< 16
    head = UInt64(low) | high &<< 32
    tail = UInt64(object.word &>> 16) | UInt64(arg0.word) &<< 8 | UInt64(arg1.word) &<< 32
    self.constants = constants
  }

  /// Writes the entry.
  func write(_ column: Lane<UInt8>, at place: Int) {
    column.store64(head, place)
    column.store64(tail, place + 8)
  }

  @inline(__always)
  private static func byte(_ word: UInt64, _ index: UInt64) -> UInt8 {
    UInt8(truncatingIfNeeded: word &>> (8 &* index))
  }
}

/// A shape as the kernels use it.
struct ShapeStep: BitwiseCopyable {
  var kind: EventKind
  var context: ExecutionContext
  var flags: UInt8
  /// Level where it does not come from the object.
  var level: UInt8
  /// All ones where the level is the object's.
  var levelMask: UInt8
  var bits: UInt8
  var bind: UInt8
  /// Whether every field is in a register, a constant or as it was, and nothing else happens:
  /// the value of a field is then key of register + value of register + constant.
  var isSimple: Bool
  /// Whether the event begins or ends a reader section.
  var isSection: Bool
  /// All ones where the event has its object's generation.
  var generationMask: UInt32
  var object: StepField
  var arg0: StepField
  var arg1: StepField

  struct StepField: BitwiseCopyable {
    var constant: UInt64 = 0
    var way: UInt8 = 0
    /// Registers of an object; 0 and the place behind the last for a plain field.
    var source: UInt8 = 0
    var target = UInt8(EventShape.registers)
    /// Registers of a value; source 0 for a reference.
    var valueSource: UInt8 = 0
    var valueTarget: UInt8 = 1
    @inline(__always)
    var isPlain: Bool { way >= EventShape.Way.firstPlain }
    /// Whether the field names an object that is none.
    var isNothing: Bool { way == EventShape.Way.register && source == 0 }
  }

  /// A step of no event, whose fields are found in no way there is.
  static let none: ShapeStep = {
    let field = EventShape.Field(way: EventShape.Way.same)
    let shape = EventShape(
      kind: EventKind.quiesce.rawValue, context: 0, flags: 0, level: 0, bits: 0, bind: 0,
      object: field, arg0: field, arg1: field, constants: EventShape.Constants())
    var step = try! ShapeStep(shape)
    (step.object.way, step.arg0.way, step.arg1.way) = (.max, .max, .max)
    return step
  }()

  /// Makes a shape usable, or says what is wrong with it.
  init(_ shape: EventShape) throws(FormatProblem) {
    guard let kind = EventKind(rawValue: shape.kind) else {
      throw FormatProblem("event kind \(shape.kind) is unknown")
    }
    guard let context = ExecutionContext(rawValue: shape.context) else {
      throw FormatProblem("context \(shape.context) is unknown")
    }
    guard shape.level <= EventShape.objectLevel, shape.bind < EventShape.registers else {
      throw FormatProblem("a shape of \(kind.name) has an unknown level or register")
    }
    try Self.check(shape, kind)
    self.kind = kind
    self.context = context
    flags = shape.flags
    let isOfObject = shape.level == EventShape.objectLevel
    level = isOfObject ? 0 : shape.level
    levelMask = isOfObject ? .max : 0
    bits = shape.bits
    bind = shape.bind
    generationMask = shape.bits & EventShape.Bit.numbered != 0 ? .max : 0
    object = try Self.field(shape.object, shape.constants.object)
    arg0 = try Self.field(shape.arg0, shape.constants.arg0)
    arg1 = try Self.field(shape.arg1, shape.constants.arg1)
    let others = EventShape.Bit.numbered
    let traits = KindTraits.table[Int(shape.kind)]
    isSection = traits.space == .reader
    isSimple =
      !traits.endsSection && shape.bits & ~others == 0 && shape.bind == 0 && Self.isSimple(object)
      && Self.isSimple(arg0) && Self.isSimple(arg1)
      && arg1.source != arg0.target && object.source != arg0.target
      && object.source != arg1.target
  }

  /// Whether what the shape does is what its kind means.
  private static func check(_ shape: EventShape, _ kind: EventKind) throws(FormatProblem) {
    let traits = KindTraits.table[Int(kind.rawValue)]
    func fits(_ field: EventShape.Field, _ space: ObjectSpace, isAddress: Bool) -> Bool {
      if field.way < EventShape.Way.firstPlain { return space != .none }
      // Only so can a reader leave addresses out, or everything but addresses.
      let isFitting =
        isAddress ? field.way != EventShape.Way.value : field.way < EventShape.Way.address
      let readsOwn = field.source == 0 || isOwn(field.source, isAddress)
      let writesOwn = field.way <= EventShape.Way.same || isOwn(field.target, isAddress)
      return space == .none && isFitting && readsOwn && writesOwn
    }
    let bits = shape.bits
    let needsObject =
      EventShape.Bit.links | EventShape.Bit.frees | EventShape.Bit.generation
    guard fits(shape.object, traits.space, isAddress: false),
      fits(shape.arg0, traits.arg0, isAddress: traits.isAddress0),
      fits(shape.arg1, traits.arg1, isAddress: traits.isAddress1),
      (bits & EventShape.Bit.startsGeneration != 0) == traits.startsGeneration,
      (bits & EventShape.Bit.numbered != 0) == traits.isNumbered,
      traits.space != .none || bits & needsObject == 0 && shape.bind == 0,
      traits.isNumbered || bits & EventShape.Bit.generation == 0
    else { throw FormatProblem("a shape of \(kind.name) does not fit its kind") }
  }

  private static func isOwn(_ register: UInt8, _ isAddress: Bool) -> Bool {
    (register >= EventShape.firstAddressRegister) == isAddress
  }

  private static func isSimple(_ field: StepField) -> Bool {
    field.way == EventShape.Way.register || field.way == EventShape.Way.constant
      || field.way == EventShape.Way.same
  }

  private static func field(
    _ field: EventShape.Field, _ constant: UInt64
  ) throws(FormatProblem) -> StepField {
    var step = StepField()
    step.way = field.way
    step.constant = constant
    if field.way < EventShape.Way.firstPlain {
      guard field.way <= EventShape.Way.recent, field.source < EventShape.registers,
        (1..<UInt8(EventShape.registers)).contains(field.target)
      else { throw FormatProblem("a shape names way \(field.way) or a register there is not") }
      step.source = field.source
      step.target = field.target
    } else {
      guard
        field.way <= EventShape.Way.lastPlain,
        field.source < EventShape.valueRegisters,
        (1..<UInt8(EventShape.valueRegisters)).contains(field.target)
      else { throw FormatProblem("a shape names way \(field.way) or a register there is not") }
      step.valueSource = field.way == EventShape.Way.constant ? 0 : field.source
      step.valueTarget = field.target
    }
    return step
  }
}
