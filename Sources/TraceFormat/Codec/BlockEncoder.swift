/// Turns the events of one block into columns.
struct BlockEncoder {
  private(set) var columns = BlockColumns()
  /// Tasks of the block in the order they first occur.
  private(set) var tasks: [UInt32] = []

  private var model = ReferenceModel()
  private var objects = IdentityMap()
  private var keys: [UInt64] = []
  private var spaces: [UInt8] = []
  private var startGenerations: [UInt32] = []
  private var generations: [UInt32] = []
  /// Last key listed in each space.
  private var lastKeys = InlineArray<8, UInt64>(repeating: 0)
  private var taskNumbers = IdentityMap()
  private var lastTasks = InlineArray<256, UInt32>(repeating: .max)
  /// Last plain value, by field (object, arg0, arg1) and raw kind.
  private var lastValues = InlineArray<768, UInt64>(repeating: 0)

  static let cpuCount = 256

  /// Fills ``columns`` and ``tasks`` from `events`; `timeBase` is what the first time is told from.
  mutating func encode(
    _ events: [Event], timeBase: UInt64, generations tracker: inout GenerationTracker
  ) {
    reset()
    columns.kind = events.map(\.kind.rawValue)
    columns.context = events.map(\.context.rawValue)
    columns.level = events.map(\.level.rawValue)
    columns.flags = events.map(\.flags.rawValue)
    let table = KindTraits.table
    var lastTime = timeBase
    for event in events {
      let raw = event.kind.rawValue
      let traits = table[Int(raw)]
      Varint.append(UInt64(event.cpu), to: &columns.cpu)
      Varint.append(Varint.zigzag(event.time &- lastTime), to: &columns.time)
      lastTime = event.time
      encodeTask(event)
      encodeObject(event, traits, tracker)
      let arg0 = encodeArgument(event.arg0, traits.arg0, event.cpu, 256 + Int(raw), tracker)
      Varint.append(arg0, to: &columns.arg0)
      let arg1 = encodeArgument(event.arg1, traits.arg1, event.cpu, 512 + Int(raw), tracker)
      Varint.append(arg1, to: &columns.arg1)
    }
    for object in keys.indices where generations[object] != startGenerations[object] {
      tracker.advance(spaces[object], keys[object], to: generations[object])
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
    objects.removeAll()
    keys.removeAll(keepingCapacity: true)
    spaces.removeAll(keepingCapacity: true)
    startGenerations.removeAll(keepingCapacity: true)
    generations.removeAll(keepingCapacity: true)
    taskNumbers.removeAll()
    lastKeys = .init(repeating: 0)
    lastTasks = .init(repeating: .max)
    lastValues = .init(repeating: 0)
  }

  /// 0 = the task this CPU was in last; else 1 + its number in the block's list.
  @inline(__always)
  private mutating func encodeTask(_ event: Event) {
    let cpu = Int(event.cpu) & (Self.cpuCount - 1)
    let last = lastTasks[cpu]
    if last != .max && tasks[Int(last)] == event.task {
      columns.task.append(0)
      return
    }
    let number: UInt32
    if let known = taskNumbers.value(1, UInt64(event.task)) {
      number = known
    } else {
      number = UInt32(tasks.count)
      tasks.append(event.task)
      taskNumbers.set(1, UInt64(event.task), to: number)
      Varint.append(UInt64(event.task), to: &columns.taskIDs)
    }
    lastTasks[cpu] = number
    Varint.append(UInt64(number) + 1, to: &columns.task)
  }

  @inline(__always)
  private mutating func encodeObject(
    _ event: Event, _ traits: KindTraits, _ tracker: GenerationTracker
  ) {
    let field = Int(event.kind.rawValue)
    guard traits.space != .none else {
      Varint.append(plain(event.object, field), to: &columns.object)
      return
    }
    let (token, object) = reference(traits.space, event.object, event.cpu, field, tracker)
    if traits.startsGeneration { generations[object] &+= 1 }
    Varint.append(token, to: &columns.object)
  }

  @inline(__always)
  private mutating func encodeArgument(
    _ value: UInt64, _ space: ObjectSpace, _ cpu: UInt16, _ field: Int,
    _ tracker: GenerationTracker
  ) -> UInt64 {
    space == .none ? plain(value, field) : reference(space, value, cpu, field, tracker).token
  }

  /// The difference to the value this field of this kind had last.
  @inline(__always)
  private mutating func plain(_ value: UInt64, _ field: Int) -> UInt64 {
    let token = Varint.zigzag(value &- lastValues[field])
    lastValues[field] = value
    return token
  }

  private mutating func reference(
    _ space: ObjectSpace, _ key: UInt64, _ cpu: UInt16, _ field: Int, _ tracker: GenerationTracker
  ) -> (token: UInt64, object: Int) {
    let list = ReferenceModel.list(space, cpu)
    for place in 0..<ReferenceModel.recentCount {
      guard let object = model.recentObject(list, place) else { break }
      if keys[object] == key {
        model.touch(list, object, from: place)
        _ = model.exchangeLast(field, object)
        return (UInt64(place), object)
      }
    }
    let oldest = ReferenceModel.recentCount - 1
    if let known = objects.value(space.rawValue, key) {
      let object = Int(known)
      model.touch(list, object, from: oldest)
      let before = model.exchangeLast(field, object)
      let distance = UInt64(bitPattern: Int64(object - before))
      return (ReferenceModel.explicit + Varint.zigzag(distance), object)
    }
    let object = addObject(space.rawValue, key, tracker)
    model.touch(list, object, from: oldest)
    _ = model.exchangeLast(field, object)
    return (ReferenceModel.newObject, object)
  }

  private mutating func addObject(
    _ space: UInt8, _ key: UInt64, _ tracker: GenerationTracker
  ) -> Int {
    let object = keys.count
    let generation = tracker.generation(space, key)
    objects.set(space, key, to: UInt32(object))
    keys.append(key)
    spaces.append(space)
    startGenerations.append(generation)
    generations.append(generation)
    let difference = key &- lastKeys[Int(space)]
    Varint.append(Varint.zigzag(difference), to: &columns.objectKeys)
    lastKeys[Int(space)] = key
    Varint.append(UInt64(generation), to: &columns.objectGenerations)
    return object
  }
}
