/// Turns the columns of one block back into events, a batch at a time.
///
/// Everything a hostile block could claim is checked before the loop (shapes, lengths, heads) or
/// where it is used (objects, tasks, runs); inside, an index is known to be good. The first
/// claim that is not is a ``FormatProblem``.
final class BlockDecoder {
  /// Columns of the block, filled by ``BlockLoader``.
  let columns = BlockColumns()
  /// What to decode; changed between blocks only.
  var wanted = ColumnSet.all
  /// Events of the block.
  private(set) var count = 0
  /// Events decoded so far.
  private(set) var position = 0

  private var state = BlockState()
  private var shapes = Lane<ShapeStep>(room: 0)
  private var steps = Lane<DecodeStep>(alignedRoom: 0)
  /// Columns of plain values by ``DecodeStep/Column``.
  private let plains = Lane<NumberReader>(room: 4)
  private let contents = Lane<UInt64>(room: EventShape.slots * EventShape.bank)
  private let sketch = DecodeKernel.Sketch()
  private let zeros = Lane<UInt8>(NumberCode.padding, repeating: 0)
  private var shapeCount = 0
  private var levels = Lane<UInt8>(room: 0)
  private var tasks = Lane<UInt32>(room: 0)
  private var taskLimit = 0
  private var objectLimit = 0
  private var unit: UInt64 = 1
  private var bias: UInt64 = 0
  /// Reader sections begun before the block.
  private var sections: UInt32 = 0
  private var cursor: DecodeKernel.Cursor

  init() {
    precondition(Event.isSixWords, "events")
    cursor = DecodeKernel.Cursor(columns)
  }

  deinit {
    state.deallocate()
    shapes.deallocate()
    steps.deallocate()
    plains.deallocate()
    sketch.deallocate()
    contents.deallocate()
    zeros.deallocate()
    levels.deallocate()
    tasks.deallocate()
  }

  /// Begins a block whose columns are in place.
  func begin(count: Int, timeBase: UInt64) throws(FormatProblem) {
    self.count = 0
    position = 0
    guard count > 0 else { return }
    for id in ColumnID.allCases where id.rest != nil && wanted.needs(id) { try checkHeads(id) }
    shapeCount = columns.buffer(.shapes).count / EventShape.bytes
    objectLimit = columns.buffer(.levels).count
    state.reserve(shapes: shapeCount, objects: objectLimit)
    state.begin(time: timeBase)
    state.followers.fill(BlockState.noFollowers, upTo: shapeCount + 1)
    try readParameters()
    try readShapes()
    try readObjects()
    try readTasks()
    beginValues()
    cursor = DecodeKernel.Cursor(columns)
    cursor.sections = sections
    self.count = count
  }

  /// Forgets the block at hand.
  func end() {
    count = 0
    position = 0
  }

  /// Room held for a block, in bytes.
  var bufferedBytes: Int {
    let held = ColumnID.allCases.reduce(0) { $0 + columns.buffer($1).lane.count }
    return held + state.byteCount + levels.count + 4 * tasks.count
      + shapes.count * (MemoryLayout<ShapeStep>.stride + MemoryLayout<DecodeStep>.stride)
  }

  /// Fills `events` from number `start` on with the events up to number `end` of the block.
  func decode(upTo end: Int, into events: inout [Event], at start: Int) throws(FormatProblem) {
    let length = start + end - position
    if events.count < length {
      let filler = Event(.quiesce, time: 0)
      events.append(contentsOf: repeatElement(filler, count: length - events.count))
    }
    let kernel = DecodeKernel(
      state: state, shapes: shapes, steps: steps, plains: plains, contents: contents,
      sketch: sketch,
      levels: levels, tasks: tasks,
      tokens: columns.buffer(.tokens).lane, times: columns.buffer(.time).lane,
      timeRest: columns.buffer(.timeRest).lane, cpus: columns.buffer(.cpus),
      cpusRest: columns.buffer(.cpusRest), tokensRest: columns.buffer(.tokensRest), count: count,
      shapeCount: shapeCount, objectLimit: objectLimit, taskLimit: UInt64(taskLimit),
      unit: unit, bias: bias, hasTime: wanted.contains(.time), hasTask: wanted.contains(.task))
    var cursor = self.cursor
    unsafe events.withUnsafeMutableBufferPointer { buffer in
      let lane = unsafe Lane(buffer)
      kernel.fill(lane, from: start, count: length - start, &cursor)
    }
    self.cursor = cursor
    guard cursor.problem == .none else {
      count = 0
      position = 0
      throw cursor.problem.explanation
    }
    position = end
    if position == count { try checkEnds() }
  }

  private func checkHeads(_ id: ColumnID) throws(FormatProblem) {
    let heads = columns.buffer(id)
    guard let rest = NumberCode.restLength(heads.lane, heads.count) else {
      throw FormatProblem("column \(id.name) holds no number")
    }
    guard rest == columns.buffer(id.rest!).count else {
      throw FormatProblem("column \(id.rest!.name) does not fit column \(id.name)")
    }
  }

  private func readParameters() throws(FormatProblem) {
    let parameters = columns.buffer(.parameters)
    guard parameters.count == 0 || parameters.count == 24 else {
      throw FormatProblem("column parameters does not hold three numbers")
    }
    let before = parameters.isEmpty ? 0 : parameters.lane.load64(16)
    guard before <= UInt64(UInt32.max) else { throw FormatProblem("a generation is too large") }
    sections = UInt32(before)
    unit = parameters.isEmpty ? 1 : parameters.lane.load64(0)
    bias = parameters.isEmpty ? 0 : parameters.lane.load64(8)
  }

  private func readShapes() throws(FormatProblem) {
    let column = columns.buffer(.shapes)
    guard column.count == shapeCount * EventShape.bytes else {
      throw FormatProblem("column shapes ends inside a shape")
    }
    if steps.count < shapeCount {
      shapes.deallocate()
      shapes = Lane(room: shapeCount)
      steps.deallocate()
      steps = Lane(alignedRoom: shapeCount)
    }
    let buffer = columns.buffer(.constants)
    var constants = NumberReader(
      buffer.lane, columns.buffer(.constantsRest).lane, count: buffer.count)
    for index in 0..<shapeCount {
      let place = index * EventShape.bytes
      var shape = EventShape(
        head: column.lane.load64(place), tail: column.lane.load64(place + 8))
      func constant(_ field: EventShape.Field) -> UInt64 {
        field.way == EventShape.Way.constant
          ? Varint.unzigzag(constants.next(NumberCode.heads)) : 0
      }
      shape.constants.object = constant(shape.object)
      shape.constants.arg0 = constant(shape.arg0)
      shape.constants.arg1 = constant(shape.arg1)
      var step = try ShapeStep(shape)
      step.keep(wanted)
      shapes[index] = step
      steps[index] = DecodeStep(step)
    }
    guard constants.position == constants.count else {
      throw FormatProblem("column constants does not fit column shapes")
    }
  }

  private func readObjects() throws(FormatProblem) {
    if levels.count < objectLimit + 1 {
      levels.deallocate()
      levels = Lane(room: objectLimit + objectLimit / 2 + 1)
    }
    levels[0] = 0
    levels.copy(from: columns.buffer(.levels).lane, count: objectLimit, to: 1)
    var highest: UInt8 = 0
    for index in 0...objectLimit { highest = max(highest, levels[index]) }
    guard highest <= TableLevel.pgd.rawValue else {
      throw FormatProblem("level \(highest) is unknown")
    }
    if !wanted.contains(.levels) { levels.fill(0, upTo: objectLimit + 1) }
    let buffer = columns.buffer(.generations)
    guard wanted.contains(.generations) else {
      for index in 1..<(objectLimit + 1) { state.objects[index] = BlockState.Object() }
      return
    }
    guard buffer.count == objectLimit else {
      throw FormatProblem("column generations does not fit column levels")
    }
    var generations = NumberReader(
      buffer.lane, columns.buffer(.generationsRest).lane, count: buffer.count)
    let heads = NumberCode.heads
    var all: UInt64 = 0
    for index in 1..<(objectLimit + 1) {
      var object = BlockState.Object()
      let generation = generations.take(heads)
      object.generation = UInt32(truncatingIfNeeded: generation)
      state.objects[index] = object
      all |= generation
    }
    guard all <= UInt64(UInt32.max) else { throw FormatProblem("a generation is too large") }
  }

  private func readTasks() throws(FormatProblem) {
    guard wanted.contains(.task) else { return }
    let buffer = columns.buffer(.taskIDs)
    taskLimit = buffer.count
    guard taskLimit > 0 else { throw FormatProblem("no task is listed") }
    if tasks.count < taskLimit {
      tasks.deallocate()
      tasks = Lane(room: taskLimit)
    }
    var ids = NumberReader(buffer.lane, columns.buffer(.taskIDsRest).lane, count: taskLimit)
    for index in 0..<taskLimit {
      guard let task = UInt32(exactly: ids.take(NumberCode.heads)) else {
        throw FormatProblem("a task is too large")
      }
      tasks[index] = task
    }
  }

  /// Begins to read plain values.
  private func beginValues() {
    contents.zero(upTo: contents.count)
    plains[Int(DecodeStep.Column.none)] = NumberReader(zeros, zeros, count: .max)
    for (column, id) in [
      (DecodeStep.Column.values, ColumnID.values), (DecodeStep.Column.addresses, .addresses),
      (DecodeStep.Column.near, .near),
    ] {
      plains[Int(column)] = NumberReader(
        columns.buffer(id).lane, columns.buffer(id.rest!).lane, count: columns.buffer(id).count)
    }
  }

  /// At the end of the block every column must have been used up.
  private func checkEnds() throws(FormatProblem) {
    let readers: [(ColumnID, NumberReader)] = [
      (.keys, cursor.keys), (.numbers, cursor.numbers), (.runs, cursor.runs),
      (.jumps, cursor.jumps), (.tasks, cursor.tasks),
      (.values, plains[Int(DecodeStep.Column.values)]),
      (.addresses, plains[Int(DecodeStep.Column.addresses)]),
      (.near, plains[Int(DecodeStep.Column.near)]),
    ]
    for (id, reader) in readers where wanted.needs(id) && reader.position != reader.count {
      throw FormatProblem("column \(id.name) does not fit its events")
    }
    guard cursor.tokensRest == columns.buffer(.tokensRest).count,
      cursor.cpu == columns.buffer(.cpus).count, cursor.left == 0,
      cursor.cpusRest == columns.buffer(.cpusRest).count, cursor.objects == objectLimit + 1
    else { throw FormatProblem("a column is longer than its events") }
  }
}

extension ShapeStep {
  /// Leaves out what a reader does not want.
  fileprivate mutating func keep(_ wanted: ColumnSet) {
    if !wanted.contains(.task) { bits &= ~(EventShape.Bit.otherTask | EventShape.Bit.previousTask) }
    if !wanted.contains(.generations) {
      generationMask = 0
      bits &= ~(EventShape.Bit.startsGeneration | EventShape.Bit.generation)
    }
    let traits = KindTraits.table[Int(kind.rawValue)]
    object.keep(wanted.contains(.values))
    arg0.keep(wanted.contains(traits.isAddress0 ? .addresses : .values))
    arg1.keep(wanted.contains(traits.isAddress1 ? .addresses : .values))
  }
}

extension ShapeStep.StepField {
  /// Makes a plain field nobody wants 0.
  fileprivate mutating func keep(_ isWanted: Bool) {
    guard isPlain, !isWanted else { return }
    self = ShapeStep.StepField()
    way = EventShape.Way.constant
  }
}
