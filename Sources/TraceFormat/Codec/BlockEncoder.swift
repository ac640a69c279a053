/// Turns the events of one block into columns.
final class BlockEncoder {
  let columns = BlockColumns()
  /// Tasks of the block in the order they first occur.
  private(set) var tasks: [UInt32] = []
  /// What the index says of the events.
  private(set) var summary = BlockSummary()

  private var state = BlockState()
  private var shapes = ShapeTable(capacity: 0)
  private var objects = ObjectMap(capacity: 0)
  private var chunks = ObjectMap(capacity: 0)
  private var taskNumbers = ObjectMap(capacity: 0)
  private var traces = EncodeTraces(capacity: 0)
  private var cursor: EncodeKernel.Cursor
  /// Whether events keep the generations they come with.
  private var keepsGenerations = false
  /// Shapes that have been looked at for callbacks, and whether there are some for a table of
  /// their own.
  private var shapesSeen = 0
  private var hasCallbacks = false
  /// The tables of those.
  private var callbackTables: [UInt64] = []

  init() { cursor = EncodeKernel.Cursor(columns) }

  deinit {
    state.deallocate()
    traces.deallocate()
  }

  /// Begins a block of up to `capacity` events; `timeBase` is what the first time is told from.
  ///
  /// Where `keepsGenerations`, events keep the generations they come with; otherwise
  /// ``setGenerations(_:)`` has to follow ``end()``.
  func begin(capacity: Int, timeBase: UInt64, keepsGenerations: Bool) {
    reserve(capacity)
    tasks.removeAll(keepingCapacity: true)
    shapes.removeAll()
    objects.removeAll()
    chunks.removeAll()
    taskNumbers.removeAll()
    callbackTables.removeAll(keepingCapacity: true)
    (shapesSeen, hasCallbacks) = (0, false)
    state.begin(time: timeBase)
    traces.begin()
    self.keepsGenerations = keepsGenerations
    cursor = EncodeKernel.Cursor(columns)
  }

  /// Encodes the next events of the block, as many at a time as may be.
  func add(_ events: Lane<Event>) {
    var cursor = cursor
    kernel.encode(events, &cursor)
    self.cursor = cursor
    noteCallbacks(events)
  }

  /// Ends the block: ``columns``, ``tasks`` and ``summary`` are complete but for generations.
  func end() {
    kernel.endRun(&cursor)
    for number in 0..<cursor.tasks { tasks.append(traces.tasks[number]) }
    finish()
    summarize()
    if keepsGenerations { setKeptGenerations() }
  }

  private var kernel: EncodeKernel {
    EncodeKernel(
      state: state, shapes: shapes, objects: objects, chunks: chunks, taskNumbers: taskNumbers,
      traces: traces, columns: columns, keepsGenerations: keepsGenerations,
      tokens: columns.buffer(.tokens).lane, levels: columns.buffer(.levels).lane)
  }

  /// Makes room for a block. Memory that is not used stays with the system.
  private func reserve(_ events: Int) {
    for id in ColumnID.allCases {
      columns.buffer(id).reserve(id.isText ? 0 : id.rawLengths(events: events).upperBound)
    }
    guard shapes.capacity < events else { return }
    shapes = ShapeTable(capacity: events)
    traces.deallocate()
    traces = EncodeTraces(capacity: events)
    objects = ObjectMap(capacity: 3 * events)
    chunks = ObjectMap(capacity: 3 * events)
    taskNumbers = ObjectMap(capacity: events)
    state.reserve(shapes: events, objects: 3 * events)
  }

  /// Numbers the generations of the block's objects behind those of the blocks before.
  func setGenerations(_ tracker: inout GenerationTracker) {
    var writer = NumberWriter(
      columns.buffer(.generations).lane, columns.buffer(.generationsRest).lane)
    for number in 1..<cursor.objects {
      if number % EncodeTraces.window == 1 { approach(number, tracker: &tracker) }
      let object = state.objects[number]
      let (space, marks) = (traces.objects[number].space, traces.objects[number].marks)
      // So far the generation counts the starts in this block, of the object or of any section.
      let starts = object.generation
      guard marks & EncodeTraces.Mark.section == 0 else {
        NumberCode.append(UInt64(tracker.generation(space, object.key)), &writer)
        if starts == 0 {
          tracker.close(object.key)
        } else {
          tracker.advance(space, object.key, to: tracker.sections &+ starts)
        }
        continue
      }
      let generation =
        starts == 0
        ? tracker.generation(space, object.key) : tracker.raise(space, object.key, by: starts)
      NumberCode.append(UInt64(generation), &writer)
    }
    finish(writer, .generations)
    setSections(before: tracker.sections)
    tracker.addSections(cursor.sections)
  }

  /// Brings what a tracker knows of the next objects near the core. In a loop this short many reads
  /// are under way at once.
  private func approach(_ first: Int, tracker: inout GenerationTracker) {
    let count = min(EncodeTraces.window, cursor.objects - first)
    let homes = traces.homes
    for index in 0..<count {
      let number = first &+ index
      homes[index] = tracker.home(traces.objects[number].space, state.objects[number].key)
    }
    for index in 0..<count { tracker.touch(homes[index]) }
  }

  private func setKeptGenerations() {
    var writer = NumberWriter(
      columns.buffer(.generations).lane, columns.buffer(.generationsRest).lane)
    for number in 1..<cursor.objects {
      NumberCode.append(UInt64(traces.starts[number]), &writer)
    }
    finish(writer, .generations)
  }

  /// Adds the texts of the block.
  func setTexts(names: [UInt8], strings: [UInt8]) {
    columns[.taskNames] = names
    columns[.strings] = strings
  }

  /// A level no event asks for is that of the object before: a run costs nothing.
  private func smoothLevels(count: Int) {
    let levels = columns.buffer(.levels).lane
    var last: UInt8 = 0
    for index in 0..<count {
      if levels[index] == 0 { levels[index] = last }
      last = levels[index]
    }
  }

  /// Notes the tables of callbacks, which events name and blocks do not list.
  private func noteCallbacks(_ events: Lane<Event>) {
    while shapesSeen < shapes.count && !hasCallbacks {
      let step = shapes.steps[shapesSeen]
      hasCallbacks = Event.isCallbackForTable(step.kind, step.arg0.constant)
      shapesSeen += 1
    }
    guard hasCallbacks else { return }
    for index in 0..<events.count {
      if let table = events[index].tableOfCallback { callbackTables.append(table) }
    }
  }

  /// Says what the index has to know. Every table an event names is listed, but for those of
  /// callbacks and a pfn 0.
  private func summarize() {
    summary = BlockSummary()
    guard cursor.events > 0 else { return }
    (summary.timeMin, summary.timeMax) = (cursor.timeMin, cursor.timeMax)
    summary.cpuMask = cursor.cpuMask
    var namesZero = false
    for number in 0..<shapes.count {
      let step = shapes.steps[number]
      summary.note(kind: step.kind.rawValue)
      let traits = KindTraits.table[Int(step.kind.rawValue)]
      namesZero =
        namesZero || traits.arg0 == .table && step.arg0.isNothing
        || traits.arg1 == .table && step.arg1.isNothing
    }
    let (known, objects, count) = (traces.objects, state.objects, cursor.objects)
    summary.tables = TableRange { frame in
      if namesZero { frame(0) }
      for number in 1..<count where known[number].space == ObjectSpace.table.rawValue {
        frame(objects[number].key)
      }
      for table in callbackTables { frame(table) }
    }
  }

  private func finish(_ writer: NumberWriter, _ id: ColumnID) {
    columns.buffer(id).count = writer.count
    columns.buffer(id.rest!).count = writer.restCount
  }

  private func finish() {
    for (id, writer) in [
      (ColumnID.keys, cursor.keys), (.numbers, cursor.numbers), (.jumps, cursor.jumps),
      (.tasks, cursor.taskTokens), (.taskIDs, cursor.taskIDs), (.values, cursor.values),
      (.addresses, cursor.addresses), (.near, cursor.near), (.runs, cursor.runs),
    ] {
      finish(writer, id)
    }
    let unit = finishTimes()
    columns.buffer(.tokens).count = cursor.token
    columns.buffer(.tokensRest).count = cursor.tokensRest
    columns.buffer(.cpus).count = cursor.cpu
    columns.buffer(.cpusRest).count = cursor.cpusRest
    columns.buffer(.levels).count = cursor.objects - 1
    smoothLevels(count: cursor.objects - 1)
    let table = columns.buffer(.shapes)
    for number in 0..<shapes.count {
      shapes.shapes[number].write(table.lane, at: number * EventShape.bytes)
    }
    table.count = shapes.count * EventShape.bytes
    var constants = NumberWriter(
      columns.buffer(.constants).lane, columns.buffer(.constantsRest).lane)
    for constant in shapes.constants { NumberCode.append(Varint.zigzag(constant), &constants) }
    finish(constants, .constants)
    let parameters = columns.buffer(.parameters)
    parameters.lane.store64(unit, 0)
    parameters.lane.store64(cursor.bias ?? 0, 8)
    setSections(before: cursor.firstSection ?? 0)
  }

  /// Writes the times in the largest unit that does, which this returns.
  private func finishTimes() -> UInt64 {
    let times = traces.times.prefix(cursor.events)
    let unit = ClockUnit.of(times)
    var writer = NumberWriter(columns.buffer(.time).lane, columns.buffer(.timeRest).lane)
    for index in 0..<times.count {
      var difference = times[index]
      if unit != 1 {
        difference = UInt64(bitPattern: Int64(bitPattern: difference) / Int64(bitPattern: unit))
      }
      NumberCode.append(difference, &writer)
    }
    finish(writer, .time)
    return unit
  }

  /// Says how many reader sections began before the block, and with it writes the parameters.
  private func setSections(before count: UInt32) {
    let parameters = columns.buffer(.parameters)
    parameters.lane.store64(UInt64(count), 16)
    let isDefault =
      parameters.lane.load64(0) == 1 && parameters.lane.load64(8) == 0 && count == 0
    parameters.count = isDefault ? 0 : 24
  }
}

extension ColumnID {
  fileprivate var isText: Bool { self == .taskNames || self == .strings }
}

/// The clock unit of a block.
enum ClockUnit {
  /// The largest number that divides each of some differences of time; 1 where one is too large to
  /// be signed, or all are 0.
  static func of(_ times: Lane<UInt64>) -> UInt64 {
    var unit: UInt64 = 0
    for index in 0..<times.count {
      let distance = Int64(bitPattern: times[index]).magnitude
      if distance >= 1 << 62 { return 1 }
      if unit == 0 {
        unit = distance
      } else if distance % unit != 0 {
        unit = divisor(unit, distance)
        if unit == 1 { return 1 }
      }
    }
    return max(unit, 1)
  }

  private static func divisor(_ first: UInt64, _ second: UInt64) -> UInt64 {
    var (large, small) = (first, second)
    while small != 0 { (large, small) = (small, large % small) }
    return large
  }
}
