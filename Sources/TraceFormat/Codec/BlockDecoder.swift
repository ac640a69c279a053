/// Turns the columns of one block back into events, a batch at a time.
///
/// What a column claims is checked where it is used; the first thing that cannot be is a
/// ``FormatProblem`` that names the column.
struct BlockDecoder {
  /// Columns of the block, filled by ``BlockLoader``.
  var columns = BlockColumns()
  /// Events of the block.
  private(set) var count = 0
  /// Events decoded so far.
  private(set) var position = 0

  private var model = BlockModel()
  private var tasks: [UInt32] = []
  private var cpu: UInt16 = 0
  private var time: UInt64 = 0
  private var unit: UInt64 = 1
  private var places = Places()

  /// How far each column that is not one byte an event has been read.
  private struct Places {
    var cpu = 0
    var context = 0
    var level = 0
    var flags = 0
    var task = 0
    var timeRest = 0
    var object = 0
    var arg0 = 0
    var arg1 = 0
    var numbers = 0
    var numbersRest = 0
    var keys = 0
    var keysRest = 0
    var generations = 0
    var values0 = 0
    var values1 = 0
    var valuesRest = 0
    var taskIDs = 0
    var clockUnit = 0
  }

  /// Begins a block whose columns are in place.
  mutating func begin(count: Int, timeBase: UInt64) {
    self.count = count
    position = 0
    model.reset()
    tasks.removeAll(keepingCapacity: true)
    time = timeBase
    places = Places()
    unit = 1
    if !columns.clockUnit.isEmpty { unit = Varint.read(columns.clockUnit, &places.clockUnit) }
  }

  /// Appends the events up to number `end` of the block.
  mutating func decode(upTo end: Int, into events: inout [Event]) throws(FormatProblem) {
    let start = events.count
    // Room first, so that an event is written once, straight to its place.
    events.append(contentsOf: repeatElement(Event(.quiesce, time: 0), count: end - position))
    do {
      var places = events.mutableSpan
      try fill(&places, from: start, upTo: end)
    } catch {
      events.removeLast(events.count - start)
      throw error
    }
    if position == count { try checkEnds() } else { try checkShort() }
  }

  private mutating func fill(
    _ events: inout MutableSpan<Event>, from start: Int, upTo end: Int
  ) throws(FormatProblem) {
    let table = KindTraits.table
    // Local copies: their storage cannot change below, so that nothing is loaded twice.
    let (kindColumn, missColumn, timeColumn) = (columns.kind, columns.misses, columns.time)
    let (symbols, missBytes, times) = (kindColumn.span, missColumn.span, timeColumn.span)
    let first = position - start
    while position < end {
      let symbol = symbols[position]
      let switched = symbol >= 0x80
      if switched {
        try switchCPU()
      } else if position == 0 {
        throw FormatProblem("the first event has no CPU")
      }
      let slot = Int(cpu) & (BlockModel.cpuCount - 1)
      let kinds = model.cpus[slot].kinds
      let raw = model.kind(symbol & 0x7f, BlockModel.kindContext(kinds, switched: switched))
      let traits = table[Int(raw)]
      guard let kind = traits.kind else { throw FormatProblem("event kind \(raw) is unknown") }
      try decodeTime(times[position], slot)
      let misses = missBytes[position]
      if misses & (Miss.task | Miss.context | 0x80) != 0 { try decodeState(misses, slot) }
      let task = model.cpus[slot].task
      guard task != BlockModel.none else { throw FormatProblem("an event has no task") }
      let place = Place(
        slot: slot, kinds: kinds, kind: raw, isWalk: traits.isWalk, object: BlockModel.none)
      let fields = try decodeFields(traits, misses, place)
      model.cpus[slot].kinds = (kinds << 7 | Int(raw)) & 0x3fff
      events[position - first] = Event(
        kind, time: time, cpu: cpu, task: tasks[Int(task)], context: model.cpus[slot].context,
        object: fields.object, arg0: fields.arg0, arg1: fields.arg1, level: fields.level,
        flags: EventFlags(rawValue: fields.flags), generation: fields.generation)
      position += 1
    }
  }

  private mutating func switchCPU() throws(FormatProblem) {
    let number = Varint.read(columns.cpu, &places.cpu)
    guard let number = UInt16(exactly: number) else {
      throw FormatProblem("CPU \(number) is too large")
    }
    cpu = number
  }

  @inline(__always)
  private mutating func decodeTime(_ head: UInt8, _ slot: Int) throws(FormatProblem) {
    var difference = UInt64(head)
    if difference >= TimeCode.firstMedium { difference = try longDifference(head) }
    if model.cpus[slot].isKnown {
      time = model.cpus[slot].time &+ difference &* unit
    } else {
      model.cpus[slot].isKnown = true
      time = time &+ difference &* unit
    }
    model.cpus[slot].time = time
  }

  @inline(__always)
  private mutating func longDifference(_ head: UInt8) throws(FormatProblem) -> UInt64 {
    if head <= TimeCode.longHead {
      let low = SplitNumber.byte(columns.timeRest, &places.timeRest)
      return (UInt64(head) - TimeCode.firstMedium) << 8 | UInt64(low)
    }
    let length = Int(head - TimeCode.longHead)
    guard length <= 8 else { throw FormatProblem("time head \(head) is unknown") }
    return Varint.unzigzag(SplitNumber.bytes(columns.timeRest, &places.timeRest, length))
  }

  /// Task and context that are not those of the CPU's last event.
  private mutating func decodeState(_ misses: UInt8, _ slot: Int) throws(FormatProblem) {
    guard misses < 0x80 else { throw FormatProblem("bit 7 of a miss is set") }
    if misses & Miss.task != 0 {
      let number = Int(clamping: Varint.read(columns.task, &places.task))
      if number == tasks.count {
        let task = Varint.read(columns.taskIDs, &places.taskIDs)
        guard let task = UInt32(exactly: task) else {
          throw FormatProblem("task \(task) is too large")
        }
        tasks.append(task)
      }
      guard number < tasks.count else { throw FormatProblem("task \(number) is not listed") }
      model.cpus[slot].task = UInt32(number)
    }
    if misses & Miss.context != 0 {
      let number = SplitNumber.byte(columns.context, &places.context)
      guard let context = ExecutionContext(rawValue: number) else {
        throw FormatProblem("context \(number) is unknown")
      }
      model.cpus[slot].context = context
    }
  }

  /// Where a field stands.
  private struct Place {
    var slot: Int
    var kinds: Int
    var kind: UInt8
    /// Whether the kind follows tables in no order of theirs.
    var isWalk: Bool
    var object: UInt32
  }

  /// Fields of an event that depend on its kind.
  private struct Fields {
    var object: UInt64
    var arg0: UInt64
    var arg1: UInt64
    var generation: UInt32
    var level: TableLevel
    var flags: UInt8
  }

  @inline(__always)
  private mutating func decodeFields(
    _ traits: KindTraits, _ misses: UInt8, _ start: Place
  ) throws(FormatProblem) -> Fields {
    var place = start
    let object, arg0, arg1: (value: UInt64, object: UInt32)
    if traits.space == .lock {
      arg0 = try decode(1, traits.arg0, false, place, misses)
      arg1 = try decode(2, traits.arg1, false, place, misses)
      let partner = traits.arg1 == .table ? arg1.object : arg0.object
      let lock = try reference(0, .lock, place, partner, misses)
      object = (model.objects[Int(lock)].key, lock)
      if partner != BlockModel.none { model.objects[Int(partner)].lock = lock }
    } else {
      object = try decode(0, traits.space, false, place, misses)
      place.object = object.object
      arg0 = try decode(1, traits.arg0, traits.bound0, place, misses)
      arg1 = try decode(2, traits.arg1, traits.bound1, place, misses)
    }
    let number = Int(object.object)
    var generation: UInt32 = 0
    if traits.isNumbered {
      if traits.startsGeneration { model.objects[number].generation &+= 1 }
      generation = model.objects[number].generation
      if traits.frees { model.free(BlockModel.list(place.slot, traits.space), object.object) }
    }
    let kind = Int(place.kind)
    let isTable = traits.space == .table
    var level = isTable ? model.objects[number].level : model.levels[kind]
    if misses & (Miss.level | Miss.flags) != 0 {
      if misses & Miss.level != 0 {
        level = try decodeLevel()
        if isTable { model.objects[number].level = level } else { model.levels[kind] = level }
      }
      if misses & Miss.flags != 0 {
        model.flags[kind] = SplitNumber.byte(columns.flags, &places.flags)
      }
    }
    if isTable { model.tableLevel = level }
    return Fields(
      object: object.value, arg0: arg0.value, arg1: arg1.value, generation: generation,
      level: level, flags: model.flags[kind])
  }

  private mutating func decodeLevel() throws(FormatProblem) -> TableLevel {
    let number = SplitNumber.byte(columns.level, &places.level)
    guard let level = TableLevel(rawValue: number) else {
      throw FormatProblem("level \(number) is unknown")
    }
    return level
  }

  /// Decodes a field; returns its value and the object it names.
  @inline(__always)
  private mutating func decode(
    _ field: Int, _ space: ObjectSpace, _ isBound: Bool, _ place: Place, _ misses: UInt8
  ) throws(FormatProblem) -> (value: UInt64, object: UInt32) {
    if space != .none {
      let object = try reference(field, space, place, BlockModel.none, misses)
      return (object == BlockModel.none ? 0 : model.objects[Int(object)].key, object)
    }
    let bound = isBound ? place.object : BlockModel.none
    var value = model.expected(field, place.kind, bound: bound, place.slot)
    if misses & Miss.field(field) != 0 {
      value &+= Varint.unzigzag(difference(field))
      model.note(value, field, place.kind, bound: bound, place.slot)
    } else if bound != BlockModel.none {
      model.note(value, field, place.kind, bound: bound, place.slot)
    }
    return (value, BlockModel.none)
  }

  private mutating func difference(_ field: Int) -> UInt64 {
    field == 2
      ? SplitNumber.read(columns.values1, &places.values1, columns.valuesRest, &places.valuesRest)
      : SplitNumber.read(columns.values0, &places.values0, columns.valuesRest, &places.valuesRest)
  }

  /// The number of the object a field names; none for key 0 of an argument.
  @inline(__always)
  private mutating func reference(
    _ field: Int, _ space: ObjectSpace, _ place: Place, _ partner: UInt32, _ misses: UInt8
  ) throws(FormatProblem) -> UInt32 {
    let context = BlockModel.wayContext(field, before: place.kinds, place.kind)
    var way = model.ways[context]
    if misses & Miss.field(field) != 0 {
      switch field {
      case 0: way = SplitNumber.byte(columns.object, &places.object)
      case 1: way = SplitNumber.byte(columns.arg0, &places.arg0)
      default: way = SplitNumber.byte(columns.arg1, &places.arg1)
      }
      guard way < BlockModel.Way.count else {
        throw FormatProblem("way \(way) to an object is unknown")
      }
      model.ways[context] = way
    }
    let list = BlockModel.list(place.slot, space)
    if way == 0 {
      let object = model.recent[list]
      guard object != BlockModel.none else { throw Self.nothing(way) }
      if space == .table {
        model.follow(list, place.kind, object, links: field == 0 && !place.isWalk)
      }
      return object
    }
    if way == BlockModel.Way.zero {
      guard field != 0 else { throw Self.nothing(way) }
      return BlockModel.none
    }
    var object: UInt32
    switch way {
    case BlockModel.Way.new:
      object = try add(list, place.kind, partner)
    case BlockModel.Way.number:
      let back = SplitNumber.read(
        columns.numbers, &places.numbers, columns.numbersRest, &places.numbersRest)
      guard back < UInt64(model.objects.count) else { throw Self.nothing(way) }
      object = UInt32(model.objects.count - 1 - Int(back))
    default:
      object = model.find(way, list, place.kind, partner: partner)
      if object == BlockModel.none {
        guard way == BlockModel.Way.lock, partner != BlockModel.none else {
          throw Self.nothing(way)
        }
        object = model.add(
          list, key: model.lockKey(of: partner), generation: 0, partner: partner)
      }
      if way == BlockModel.Way.freed { model.takeFreed(list) }
    }
    model.touch(list, object, way)
    if space == .table {
      model.follow(list, place.kind, object, links: field == 0 && !place.isWalk)
    }
    return object
  }

  private static func nothing(_ way: UInt8) -> FormatProblem {
    FormatProblem("way \(way) leads to no object")
  }

  /// Adds an object with the next key and generation of their columns.
  private mutating func add(
    _ list: Int, _ kind: UInt8, _ partner: UInt32
  ) throws(FormatProblem) -> UInt32 {
    let difference = SplitNumber.read(
      columns.keys, &places.keys, columns.keysRest, &places.keysRest)
    let key = model.keyBase(list, kind) &+ Varint.unzigzag(difference)
    let generation = Varint.read(columns.generations, &places.generations)
    guard let generation = UInt32(exactly: generation) else {
      throw FormatProblem("generation \(generation) is too large")
    }
    return model.add(list, key: key, generation: generation, partner: partner)
  }

  /// A column that was too short has left its place at `Int.max`.
  private func checkShort() throws(FormatProblem) {
    for (id, place) in ends() where place == .max {
      throw FormatProblem("column \(id.name) is too short or holds no number")
    }
  }

  /// At the end of the block every column must have been used up.
  private func checkEnds() throws(FormatProblem) {
    try checkShort()
    for (id, place) in ends() where place != columns[id].count {
      throw FormatProblem("column \(id.name) is longer than its events")
    }
  }

  private func ends() -> [(ColumnID, Int)] {
    [
      (.cpu, places.cpu), (.context, places.context), (.level, places.level),
      (.flags, places.flags), (.task, places.task), (.timeRest, places.timeRest),
      (.object, places.object), (.arg0, places.arg0), (.arg1, places.arg1),
      (.numbers, places.numbers), (.numbersRest, places.numbersRest), (.keys, places.keys),
      (.keysRest, places.keysRest), (.generations, places.generations),
      (.values0, places.values0), (.values1, places.values1), (.valuesRest, places.valuesRest),
      (.taskIDs, places.taskIDs), (.clockUnit, places.clockUnit),
    ]
  }
}
