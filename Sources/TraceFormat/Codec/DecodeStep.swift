/// A shape as the decoder's loop takes it: what a shape chooses is, as far as it can be, a place to
/// read from, a place to write to or a mask, and what is left is one of few paths.
struct DecodeStep: BitwiseCopyable {
  /// What an event needs beside the objects its registers hold and values that are as they were.
  enum Path {
    /// The object is linked or bound to the one its register holds.
    static let follows: UInt64 = 1
    /// One field is a value of its own.
    static let value: UInt64 = 2
    /// Something happens to the object.
    static let effects: UInt64 = 4
    /// Nothing here holds: ``DecodeKernel`` takes the event from the ``ShapeStep``, field by field.
    static let isRare: UInt64 = 8
  }

  /// Bits of ``effects`` beside those of ``EventShape/Bit``.
  enum Effect {
    static let section: UInt8 = 32
    static let binds: UInt8 = 64
  }

  /// Columns of plain values, in the order of ``DecodeKernel/plains``; 0 is that of zeros.
  enum Column {
    static let none: UInt8 = 0
    static let values: UInt8 = 1
    static let addresses: UInt8 = 2
    static let near: UInt8 = 3
  }

  /// A reference that must be found before the others are: 16 bits of ``plan``.
  struct Early {
    /// Bits of one reference.
    static let width: UInt64 = 16
    fileprivate let word: UInt64

    /// The way; only behind the last reference it is 0.
    var way: UInt8 { UInt8(truncatingIfNeeded: word & 15) }
    /// The register read.
    var source: Int { Int(truncatingIfNeeded: word &>> 4 & 63) }
    /// The register written.
    var target: Int { Int(truncatingIfNeeded: word &>> 10 & 63) }

    fileprivate init(_ field: ShapeStep.StepField) {
      word = UInt64(field.way) | UInt64(field.source) << 4 | UInt64(field.target) << 10
    }

    /// The lowest reference.
    @inline(__always)
    init(_ word: UInt64) { self.word = word }
  }

  /// Places of a slot behind its registers of objects: for what no register is to get, for what the
  /// object's register held before where the object is found early, and registers of values.
  enum Place {
    static let bin = UInt8(EventShape.registers)
    static let before = UInt8(EventShape.registers + 1)
    static let values = UInt8(EventShape.registers + 8)
  }

  /// What is added to each field.
  var objectConstant: UInt64 = 0
  var constant0: UInt64 = 0
  var constant1: UInt64 = 0
  /// Bits 0 … 3: ``Path``. Behind them references found before all others, the first one lowest.
  private(set) var plan: UInt64 = 0
  /// The last word of the event as far as the shape knows it.
  let lastWord: UInt64
  /// All ones where the event has its object's generation.
  let generationMask: UInt32
  /// All ones where it has its object's level.
  let levelMask: UInt8
  /// Places of the fields, read and written.
  var objectSource: UInt8
  var source0: UInt8
  var source1: UInt8
  var objectTarget: UInt8
  var target0: UInt8
  var target1: UInt8
  /// The way from the object's source to the object, where it is followed.
  var link: UInt8 = 0
  /// The value: what `valueSource` holds + next number of `column` + what is bound to the object,
  /// kept in `valueTarget`.
  var valueSource = Place.values
  var valueTarget: UInt8 = 0
  var column = Column.none
  /// Numbers taken from the column, 0 or 1.
  var takes: UInt8 = 0
  /// All ones for the field that is the value.
  var objectMask: Int8 = 0
  var mask0: Int8 = 0
  var mask1: Int8 = 0
  /// All ones where what is bound to the object is added, and where the value becomes bound.
  var boundMask: Int8 = 0
  var bindsMask: Int8 = 0
  /// Bits of ``EventShape/Bit`` and ``Effect``.
  private(set) var effects: UInt8 = 0
  /// Register of the object whose peer the event's object becomes.
  let bind: UInt8
  /// Place of the object that the event's is linked to.
  var linkPlace: UInt8

  /// Makes a step of a shape that has been checked.
  init(_ step: ShapeStep) {
    lastWord = Event.lastWord(
      step.kind, context: step.context, level: step.level, flags: EventFlags(rawValue: step.flags))
    levelMask = step.levelMask
    bind = step.bind
    generationMask = step.generationMask
    (objectTarget, target0, target1) =
      (Self.target(step.object), Self.target(step.arg0), Self.target(step.arg1))
    (objectSource, source0, source1) =
      (Self.source(step.object), Self.source(step.arg0), Self.source(step.arg1))
    linkPlace = objectTarget
    (objectConstant, constant0, constant1) =
      (step.object.constant, step.arg0.constant, step.arg1.constant)
    setEarly(step)
    setValue(step)
    typealias Bit = EventShape.Bit
    effects = step.bits & (Bit.startsGeneration | Bit.links | Bit.frees | Bit.secondRing)
    if step.isSection { effects |= Effect.section }
    if bind != 0 { effects |= Effect.binds }
    if effects & ~Bit.secondRing != 0 { plan |= Path.effects }
    let isRare = step.bits & (Bit.otherTask | Bit.previousTask | Bit.generation) != 0
    if isRare || plan & Path.isRare != 0 { plan = Path.isRare }
  }

  private static func source(_ field: ShapeStep.StepField) -> UInt8 {
    field.isPlain ? Place.values + field.valueSource : field.source
  }

  private static func target(_ field: ShapeStep.StepField) -> UInt8 {
    field.isPlain ? Place.bin : field.target
  }

  /// Finds out which references must be found before the others.
  private mutating func setEarly(_ step: ShapeStep) {
    let fields = [step.arg0, step.arg1, step.object]
    var isEarly = [false, false, false]
    for place in 0..<3 where !fields[place].isPlain {
      let isHeld = fields[place].way == EventShape.Way.register
      isEarly[place] = !isHeld && (place < 2 || fields[place].way > EventShape.Way.peer)
    }
    // One before it that is found later must not matter to it, nor it to that one.
    for place in [2, 1] where isEarly[place] {
      for other in 0..<place where !fields[other].isPlain {
        if fields[other].target == fields[place].source
          || fields[other].source == fields[place].target
          || fields[other].target == fields[place].target
        {
          isEarly[other] = true
        }
      }
    }
    var shift: UInt64 = 4
    for place in 0..<3 where isEarly[place] {
      // What it finds is read when all of them have been found.
      let isLost = (place + 1..<3).contains {
        isEarly[$0] && fields[$0].target == fields[place].target
      }
      if isLost { plan |= Path.isRare }
      // Way 0 would look like the end.
      if fields[place].way == EventShape.Way.register { plan |= Path.isRare }
      plan |= Early(fields[place]).word << shift
      shift += Early.width
    }
    if isEarly[0] { source0 = target0 }
    if isEarly[1] { source1 = target1 }
    if isEarly[2] {
      (objectSource, linkPlace) = (objectTarget, Place.before)
    } else if !step.object.isPlain && step.object.way != EventShape.Way.register {
      link = step.object.way
      plan |= Path.follows
    }
  }

  /// Finds out which field is a value.
  private mutating func setValue(_ step: ShapeStep) {
    let fields = [step.object, step.arg0, step.arg1]
    let active = fields.indices.filter { fields[$0].way > EventShape.Way.same }
    guard let place = active.first else { return }
    plan |= Path.value
    let field = fields[place]
    // All other values are read before this one is kept.
    let isReadLater = fields[(place + 1)...].contains {
      $0.way == EventShape.Way.same && $0.valueSource == field.valueTarget
    }
    if active.count > 1 || isReadLater { plan |= Path.isRare }
    valueTarget = Place.values + field.valueTarget
    switch place {
    case 0: (objectMask, objectSource) = (-1, Place.values)
    case 1: (mask0, source0) = (-1, Place.values)
    default: (mask1, source1) = (-1, Place.values)
    }
    switch field.way {
    case EventShape.Way.bound: boundMask = -1
    case EventShape.Way.nearBound:
      boundMask = -1
      column = Column.near
    case EventShape.Way.value:
      valueSource = Place.values + field.valueSource
      column = Column.values
    default:
      valueSource = Place.values + field.valueSource
      column = Column.addresses
      if field.way == EventShape.Way.slot { bindsMask = -1 }
    }
    takes = column == Column.none ? 0 : 1
  }
}
