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

  private var model = ReferenceModel()
  private var keys: [UInt64] = []
  private var generations: [UInt32] = []
  private var tasks: [UInt32] = []
  private var lastKeys = InlineArray<8, UInt64>(repeating: 0)
  private var lastTasks = InlineArray<256, UInt32>(repeating: .max)
  private var lastValues = InlineArray<768, UInt64>(repeating: 0)
  private var time: UInt64 = 0
  private var places = Places()

  /// How far each column that is not one byte an event has been read.
  private struct Places {
    var cpu = 0
    var task = 0
    var time = 0
    var object = 0
    var arg0 = 0
    var arg1 = 0
    var keys = 0
    var generations = 0
    var taskIDs = 0
  }

  /// Begins a block whose columns are in place.
  mutating func begin(count: Int, timeBase: UInt64) {
    self.count = count
    position = 0
    model.reset()
    keys.removeAll(keepingCapacity: true)
    generations.removeAll(keepingCapacity: true)
    tasks.removeAll(keepingCapacity: true)
    lastKeys = .init(repeating: 0)
    lastTasks = .init(repeating: .max)
    lastValues = .init(repeating: 0)
    time = timeBase
    places = Places()
  }

  /// Appends the events up to number `end` of the block.
  mutating func decode(upTo end: Int, into events: inout [Event]) throws(FormatProblem) {
    let table = KindTraits.table
    while position < end {
      let raw = columns.kind[position]
      let traits = table[Int(raw)]
      guard let kind = traits.kind else { throw FormatProblem("event kind \(raw) is unknown") }
      guard let context = ExecutionContext(rawValue: columns.context[position]) else {
        throw FormatProblem("context \(columns.context[position]) is unknown")
      }
      guard let level = TableLevel(rawValue: columns.level[position]) else {
        throw FormatProblem("level \(columns.level[position]) is unknown")
      }
      let cpu = Varint.read(columns.cpu, &places.cpu)
      guard let cpu = UInt16(exactly: cpu) else { throw FormatProblem("CPU \(cpu) is too large") }
      time = time &+ Varint.unzigzag(Varint.read(columns.time, &places.time))
      var event = Event(
        kind, time: time, cpu: cpu, context: context, level: level,
        flags: EventFlags(rawValue: columns.flags[position]))
      event.task = try decodeTask(cpu)
      try decodeObject(&event, traits)
      let arg0 = Varint.read(columns.arg0, &places.arg0)
      event.arg0 = try value(arg0, traits.arg0, cpu, 256 + Int(raw))
      let arg1 = Varint.read(columns.arg1, &places.arg1)
      event.arg1 = try value(arg1, traits.arg1, cpu, 512 + Int(raw))
      events.append(event)
      position += 1
    }
    if position == count { try checkEnds() } else { try checkShort() }
  }

  @inline(__always)
  private mutating func decodeTask(_ cpu: UInt16) throws(FormatProblem) -> UInt32 {
    let token = Varint.read(columns.task, &places.task)
    let slot = Int(cpu) & (BlockEncoder.cpuCount - 1)
    if token == 0 {
      let last = lastTasks[slot]
      guard last != .max else { throw FormatProblem("an event has no task") }
      return tasks[Int(last)]
    }
    let number = Int(clamping: token - 1)
    if number == tasks.count {
      let task = Varint.read(columns.taskIDs, &places.taskIDs)
      guard let task = UInt32(exactly: task) else {
        throw FormatProblem("task \(task) is too large")
      }
      tasks.append(task)
    }
    guard number < tasks.count else { throw FormatProblem("task \(number) is not listed") }
    lastTasks[slot] = UInt32(number)
    return tasks[number]
  }

  @inline(__always)
  private mutating func decodeObject(
    _ event: inout Event, _ traits: KindTraits
  ) throws(FormatProblem) {
    let token = Varint.read(columns.object, &places.object)
    let field = Int(event.kind.rawValue)
    guard traits.space != .none else {
      event.object = plain(token, field)
      return
    }
    let object = try reference(token, traits.space, event.cpu, field)
    event.object = keys[object]
    if traits.startsGeneration { generations[object] &+= 1 }
    event.generation = traits.isNumbered ? generations[object] : 0
  }

  @inline(__always)
  private mutating func value(
    _ token: UInt64, _ space: ObjectSpace, _ cpu: UInt16, _ field: Int
  ) throws(FormatProblem) -> UInt64 {
    space == .none ? plain(token, field) : keys[try reference(token, space, cpu, field)]
  }

  @inline(__always)
  private mutating func plain(_ token: UInt64, _ field: Int) -> UInt64 {
    let value = lastValues[field] &+ Varint.unzigzag(token)
    lastValues[field] = value
    return value
  }

  /// The number of the object a token names; it is in `keys`.
  @inline(__always)
  private mutating func reference(
    _ token: UInt64, _ space: ObjectSpace, _ cpu: UInt16, _ field: Int
  ) throws(FormatProblem) -> Int {
    let list = ReferenceModel.list(space, cpu)
    if token < ReferenceModel.newObject {
      let place = Int(truncatingIfNeeded: token)
      guard let object = model.recentObject(list, place) else {
        throw FormatProblem("a reference names place \(place) of a shorter list")
      }
      if place > 0 { model.touch(list, object, from: place) }
      _ = model.exchangeLast(field, object)
      return object
    }
    let object: Int
    if token == ReferenceModel.newObject {
      object = try addObject(space)
    } else {
      let distance = Varint.unzigzag(token - ReferenceModel.explicit)
      let number = UInt64(model.lastObject(field)) &+ distance
      guard number < UInt64(keys.count) else {
        throw FormatProblem("a reference names object \(number), which is not listed")
      }
      object = Int(number)
    }
    model.touch(list, object, from: ReferenceModel.recentCount - 1)
    _ = model.exchangeLast(field, object)
    return object
  }

  private mutating func addObject(_ space: ObjectSpace) throws(FormatProblem) -> Int {
    let difference = Varint.unzigzag(Varint.read(columns.objectKeys, &places.keys))
    let key = lastKeys[Int(space.rawValue)] &+ difference
    lastKeys[Int(space.rawValue)] = key
    keys.append(key)
    let generation = Varint.read(columns.objectGenerations, &places.generations)
    guard let generation = UInt32(exactly: generation) else {
      throw FormatProblem("generation \(generation) is too large")
    }
    generations.append(generation)
    return keys.count - 1
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
      (.cpu, places.cpu), (.task, places.task), (.time, places.time), (.object, places.object),
      (.arg0, places.arg0), (.arg1, places.arg1), (.objectKeys, places.keys),
      (.objectGenerations, places.generations), (.taskIDs, places.taskIDs),
    ]
  }
}
