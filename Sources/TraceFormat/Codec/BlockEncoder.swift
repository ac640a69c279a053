/// Turns the events of one block into columns: what ``BlockModel`` does not expect.
struct BlockEncoder {
  private(set) var columns = BlockColumns()
  /// Tasks of the block in the order they first occur.
  private(set) var tasks: [UInt32] = []

  private var model = BlockModel()
  private var numbers = IdentityMap()
  private var taskNumbers = IdentityMap()
  /// Objects whose generation the block raises, with their space.
  private var raised: [(object: UInt32, space: UInt8)] = []

  /// Fills ``columns`` and ``tasks`` from `events`; `timeBase` is what the first time is told from.
  mutating func encode(
    _ events: [Event], timeBase: UInt64, generations tracker: inout GenerationTracker
  ) {
    reset()
    let unit = ClockUnit.of(events, base: timeBase)
    if unit != 1 { Varint.append(unit, to: &columns.clockUnit) }
    let table = KindTraits.table
    var cpu: UInt16?
    var time = timeBase
    for event in events {
      let raw = event.kind.rawValue
      let traits = table[Int(raw)]
      let slot = Int(event.cpu) & (BlockModel.cpuCount - 1)
      let switched = cpu != event.cpu
      if switched {
        cpu = event.cpu
        Varint.append(UInt64(event.cpu), to: &columns.cpu)
      }
      let kinds = model.cpus[slot].kinds
      let symbol = model.kindSymbol(raw, BlockModel.kindContext(kinds, switched: switched))
      columns.kind.append(symbol | (switched ? 0x80 : 0))
      encodeTime(event.time, slot, before: time, unit)
      time = event.time
      var misses = encodeTask(event.task, slot)
      if model.cpus[slot].context != event.context {
        model.cpus[slot].context = event.context
        columns.context.append(event.context.rawValue)
        misses |= Miss.context
      }
      misses |= encodeFields(event, traits, slot, kinds, tracker)
      columns.misses.append(misses)
      model.cpus[slot].kinds = (kinds << 7 | Int(raw)) & 0x3fff
    }
    for (object, space) in raised {
      let object = model.objects[Int(object)]
      tracker.advance(space, object.key, to: object.generation)
    }
  }

  /// Adds the texts of the block.
  mutating func setTexts(names: [UInt8], strings: [UInt8]) {
    columns.taskNames = names
    columns.strings = strings
  }

  private mutating func reset() {
    columns.removeAll()
    tasks.removeAll(keepingCapacity: true)
    model.reset()
    numbers.removeAll()
    taskNumbers.removeAll()
    raised.removeAll(keepingCapacity: true)
  }

  @inline(__always)
  private mutating func encodeTime(_ time: UInt64, _ slot: Int, before: UInt64, _ unit: UInt64) {
    let last = model.cpus[slot].isKnown ? model.cpus[slot].time : before
    model.cpus[slot].isKnown = true
    model.cpus[slot].time = time
    var difference = time &- last
    if unit != 1 {
      difference = UInt64(bitPattern: Int64(bitPattern: difference) / Int64(bitPattern: unit))
    }
    if difference < TimeCode.firstMedium {
      columns.time.append(UInt8(truncatingIfNeeded: difference))
    } else if difference < TimeCode.firstLong {
      let high = UInt8(truncatingIfNeeded: difference >> 8)
      columns.time.append(UInt8(TimeCode.firstMedium) + high)
      columns.timeRest.append(UInt8(truncatingIfNeeded: difference))
    } else {
      let value = Varint.zigzag(difference)
      let length = (71 - value.leadingZeroBitCount) / 8
      columns.time.append(TimeCode.longHead + UInt8(truncatingIfNeeded: length))
      SplitNumber.appendBytes(value, length, to: &columns.timeRest)
    }
  }

  @inline(__always)
  private mutating func encodeTask(_ task: UInt32, _ slot: Int) -> UInt8 {
    let last = model.cpus[slot].task
    if last != BlockModel.none && tasks[Int(last)] == task { return 0 }
    let number: UInt32
    if let known = taskNumbers.value(1, UInt64(task)) {
      number = known
    } else {
      number = UInt32(tasks.count)
      tasks.append(task)
      taskNumbers.set(1, UInt64(task), to: number)
      Varint.append(UInt64(task), to: &columns.taskIDs)
    }
    model.cpus[slot].task = number
    Varint.append(UInt64(number), to: &columns.task)
    return Miss.task
  }

  /// Encodes object, arguments, level and flags; returns what the model missed.
  @inline(__always)
  private mutating func encodeFields(
    _ event: Event, _ traits: KindTraits, _ slot: Int, _ kinds: Int, _ tracker: GenerationTracker
  ) -> UInt8 {
    let raw = event.kind.rawValue
    var misses: UInt8 = 0
    var object = BlockModel.none
    if traits.space == .lock {
      let place = Place(
        slot: slot, kinds: kinds, kind: raw, isWalk: traits.isWalk, object: BlockModel.none)
      let first = encode(event.arg0, 1, traits.arg0, false, place, &misses, tracker)
      let second = encode(event.arg1, 2, traits.arg1, false, place, &misses, tracker)
      let partner = traits.arg1 == .table ? second : first
      object = reference(0, .lock, event.object, place, partner, &misses, tracker)
      if partner != BlockModel.none { model.objects[Int(partner)].lock = object }
    } else {
      var place = Place(
        slot: slot, kinds: kinds, kind: raw, isWalk: traits.isWalk, object: BlockModel.none)
      object = encode(event.object, 0, traits.space, false, place, &misses, tracker)
      place.object = object
      _ = encode(event.arg0, 1, traits.arg0, traits.bound0, place, &misses, tracker)
      _ = encode(event.arg1, 2, traits.arg1, traits.bound1, place, &misses, tracker)
    }
    if traits.startsGeneration {
      model.objects[Int(object)].generation &+= 1
      raised.append((object, traits.space.rawValue))
    }
    if traits.frees { model.free(BlockModel.list(slot, traits.space), object) }
    let isTable = traits.space == .table
    let expected = isTable ? model.objects[Int(object)].level : model.levels[Int(raw)]
    if event.level != expected {
      misses |= Miss.level
      columns.level.append(event.level.rawValue)
      if isTable {
        model.objects[Int(object)].level = event.level
      } else {
        model.levels[Int(raw)] = event.level
      }
    }
    if isTable { model.tableLevel = event.level }
    if event.flags.rawValue != model.flags[Int(raw)] {
      misses |= Miss.flags
      columns.flags.append(event.flags.rawValue)
      model.flags[Int(raw)] = event.flags.rawValue
    }
    return misses
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

  /// Encodes a field; returns the object it names.
  @inline(__always)
  private mutating func encode(
    _ value: UInt64, _ field: Int, _ space: ObjectSpace, _ isBound: Bool, _ place: Place,
    _ misses: inout UInt8, _ tracker: GenerationTracker
  ) -> UInt32 {
    if space != .none {
      return reference(field, space, value, place, BlockModel.none, &misses, tracker)
    }
    let bound = isBound ? place.object : BlockModel.none
    let expected = model.expected(field, place.kind, bound: bound, place.slot)
    model.note(value, field, place.kind, bound: bound, place.slot)
    if value != expected {
      misses |= Miss.field(field)
      let difference = Varint.zigzag(value &- expected)
      if field == 2 {
        SplitNumber.append(difference, to: &columns.values1, &columns.valuesRest)
      } else {
        SplitNumber.append(difference, to: &columns.values0, &columns.valuesRest)
      }
    }
    return BlockModel.none
  }

  /// Encodes a reference; returns the object, or none for key 0 of an argument.
  private mutating func reference(
    _ field: Int, _ space: ObjectSpace, _ key: UInt64, _ place: Place, _ partner: UInt32,
    _ misses: inout UInt8, _ tracker: GenerationTracker
  ) -> UInt32 {
    let list = BlockModel.list(place.slot, space)
    let context = BlockModel.wayContext(field, before: place.kinds, place.kind)
    let expected = model.ways[context]
    var (way, object) = (expected, BlockModel.none)
    if expected == BlockModel.Way.zero && key == 0 && field != 0 { return BlockModel.none }
    object = model.find(expected, list, place.kind, partner: partner)
    if object == BlockModel.none || model.objects[Int(object)].key != key {
      (way, object) = search(field, space, key, list, place.kind, partner, tracker)
      if way != expected {
        misses |= Miss.field(field)
        model.ways[context] = way
        switch field {
        case 0: columns.object.append(way)
        case 1: columns.arg0.append(way)
        default: columns.arg1.append(way)
        }
      }
      if way == BlockModel.Way.zero { return BlockModel.none }
    }
    if way == BlockModel.Way.freed { model.takeFreed(list) }
    model.touch(list, object, way)
    if space == .table {
      model.follow(list, place.kind, object, links: field == 0 && !place.isWalk)
    }
    return object
  }

  /// The first way that leads to the object; lists a new one.
  private mutating func search(
    _ field: Int, _ space: ObjectSpace, _ key: UInt64, _ list: Int, _ kind: UInt8,
    _ partner: UInt32,
    _ tracker: GenerationTracker
  ) -> (way: UInt8, object: UInt32) {
    if key == 0 && field != 0 { return (BlockModel.Way.zero, BlockModel.none) }
    guard let object = numbers.value(space.rawValue, key) else {
      return add(space, key, list, kind, partner, tracker)
    }
    for way in 0..<BlockModel.Way.new where model.recent[list + Int(way)] == object {
      return (way, object)
    }
    for way in BlockModel.Way.next..<BlockModel.Way.count
    where model.find(way, list, kind, partner: partner) == object {
      return (way, object)
    }
    let number = UInt64(model.objects.count - 1) - UInt64(object)
    SplitNumber.append(number, to: &columns.numbers, &columns.numbersRest)
    return (BlockModel.Way.number, object)
  }

  private mutating func add(
    _ space: ObjectSpace, _ key: UInt64, _ list: Int, _ kind: UInt8, _ partner: UInt32,
    _ tracker: GenerationTracker
  ) -> (way: UInt8, object: UInt32) {
    var way = BlockModel.Way.new
    let generation = tracker.generation(space.rawValue, key)
    if generation == 0 && partner != BlockModel.none
      && model.objects[Int(partner)].lock == BlockModel.none
      && model.lockKey(of: partner) == key
    {
      way = BlockModel.Way.lock
    } else {
      let difference = Varint.zigzag(key &- model.keyBase(list, kind))
      SplitNumber.append(difference, to: &columns.keys, &columns.keysRest)
      Varint.append(UInt64(generation), to: &columns.generations)
    }
    let object = model.add(list, key: key, generation: generation, partner: partner)
    numbers.set(space.rawValue, key, to: object)
    return (way, object)
  }
}
