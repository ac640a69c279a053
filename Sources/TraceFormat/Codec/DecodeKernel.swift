/// The loop of ``BlockDecoder``: from columns to events.
///
/// Every lane is long enough for every index the loop can form: ``BlockDecoder`` has seen to the
/// tables and heads, and what a column can still claim is compared with its limit here.
struct DecodeKernel {
  let state: BlockState
  let shapes: Lane<ShapeStep>
  let steps: Lane<DecodeStep>
  /// Columns of plain values by ``DecodeStep/Column``.
  let plains: Lane<NumberReader>
  /// Keys of the objects that registers hold and plain values, by slot and ``DecodeStep/Place``.
  let contents: Lane<UInt64>
  let sketch: Sketch
  let levels: Lane<UInt8>
  let tasks: Lane<UInt32>
  let tokens: Lane<UInt8>
  let times: Lane<UInt8>
  let timeRest: Lane<UInt8>
  let cpus: ColumnBuffer
  let cpusRest: ColumnBuffer
  let tokensRest: ColumnBuffer
  let count: Int
  let shapeCount: Int
  let objectLimit: Int
  let taskLimit: UInt64
  let unit: UInt64
  let bias: UInt64
  let hasTime: Bool
  let hasTask: Bool

  /// How far each column has been read.
  struct Cursor {
    var keys, numbers, jumps, tasks, runs: NumberReader
    /// Events decoded so far, and bytes of time-rest read.
    var done = 0
    var timeRest = 0
    var tokensRest = 0
    var cpu = 0
    var cpusRest = 0
    var cpuNumber: UInt16 = 0
    /// Events left of the run.
    var left = 0
    /// Objects listed so far, object 0 among them.
    var objects = 1
    /// Chunks listed so far.
    var chunks = 0
    /// Number of the last reader section.
    var sections: UInt32 = 0
    /// Tasks numbered so far.
    var taskCount = 0
    var problem = Problem.none

    init(_ columns: BlockColumns) {
      func reader(_ id: ColumnID) -> NumberReader {
        NumberReader(
          columns.buffer(id).lane, columns.buffer(id.rest!).lane, count: columns.buffer(id).count)
      }
      keys = reader(.keys)
      numbers = reader(.numbers)
      jumps = reader(.jumps)
      tasks = reader(.tasks)
      runs = reader(.runs)
    }
  }

  /// Events decoded at once: what is known of them stays in a core's own cache.
  private static let pieceEvents = 1024

  /// What is found out about some events before they are decoded.
  struct Sketch {
    /// Events of one CPU, up to number `end`.
    struct Run: BitwiseCopyable {
      let cpu: UInt16
      let end: Int32
    }

    let runs = Lane<Run>(room: pieceEvents)
    /// Numbers of the shapes.
    let numbers = Lane<UInt32>(room: pieceEvents)

    func deallocate() {
      runs.deallocate()
      numbers.deallocate()
    }
  }

  /// A run of events of one CPU.
  struct Run {
    let cpu: UInt64
    /// Number of the slot, and what its places hold: objects, and their keys or plain values.
    let slot: Int
    let registers: Lane<UInt32>
    let contents: Lane<UInt64>

    @inline(__always)
    init(_ cpu: UInt16, _ state: BlockState, _ contents: Lane<UInt64>) {
      self.cpu = UInt64(cpu)
      slot = Int(cpu) & (EventShape.slots - 1)
      registers = state.registers.from(slot &* EventShape.bank)
      self.contents = contents.from(slot &* EventShape.bank)
    }

    /// The task of the slot, where the fifth word of an event has it.
    @inline(__always)
    func task(_ kernel: DecodeKernel) -> UInt64 {
      guard kernel.hasTask else { return 0 }
      return UInt64(kernel.tasks[Int(kernel.state.slots[slot].task)]) &<< 32
    }
  }

  /// What can be wrong in the middle of a block.
  enum Problem: UInt8 {
    case none
    case shape
    case object
    case number
    case task
    case run
    case generation
    case chunk

    var explanation: FormatProblem {
      switch self {
      case .none, .number: FormatProblem("a reference names an object that is not listed")
      case .shape: FormatProblem("an event has a shape that is not listed")
      case .object: FormatProblem("more objects are listed than there are levels")
      case .chunk: FormatProblem("the key of a table names a chunk that is not listed")
      case .task: FormatProblem("an event has a task that is not listed")
      case .generation: FormatProblem("a generation is too large")
      case .run: FormatProblem("the runs of the CPUs do not cover the events")
      }
    }
  }

  /// Decodes `count` events to number `start` and on; `cursor.problem` says how it went.
  func fill(_ events: Lane<Event>, from start: Int, count: Int, _ cursor: inout Cursor) {
    var done = 0
    while done < count {
      let piece = min(count - done, Self.pieceEvents)
      let events = events.from(start + done)
      let runs = sketch(events, piece, &cursor)
      if cursor.problem == .none { complete(events, runs, &cursor) }
      if cursor.problem != .none { return }
      cursor.done += piece
      done += piece
    }
  }

  /// Finds the shapes and times of events, and the runs they come in, whose number this returns.
  ///
  /// A loop of its own: one that does everything has too few registers, and knows a shape too late.
  @inline(never)
  private func sketch(_ events: Lane<Event>, _ count: Int, _ cursor: inout Cursor) -> Int {
    let (slots, followers, numbers) = (state.slots, state.followers, sketch.numbers)
    let (heads, fronts) = (NumberCode.heads, BlockState.fronts)
    let (tokens, times) = (tokens.from(cursor.done), times.from(cursor.done))
    let (hasTime, unit, shapeCount, timeRest) = (hasTime, unit, shapeCount, timeRest)
    var (index, run) = (0, 0)
    var rest = cursor.timeRest
    while index < count {
      if cursor.left == 0 { beginRun(done: index, &cursor, heads) }
      if cursor.problem != .none { return 0 }
      let slot = Int(cursor.cpuNumber) & (EventShape.slots - 1)
      var (place, time) = (slots[slot].place, slots[slot].time)
      let stop = min(count, index &+ cursor.left)
      cursor.left &-= stop &- index
      sketch.runs[run] = Sketch.Run(cpu: cursor.cpuNumber, end: Int32(truncatingIfNeeded: stop))
      run &+= 1
      while index < stop {
        let token = UInt64(tokens[index])
        let list = followers[place]
        var shape = Int(truncatingIfNeeded: list &>> (token &* 16) & 0xffff)
        var moved = fronts[Int(token & 3)]
        if token > 3 {
          shape = explicitShape(token, &cursor)
          moved = .max
        }
        guard shape < shapeCount else {
          cursor.problem = .shape
          return 0
        }
        followers[place] = BlockState.list(list, shape, moved)
        place = shape &+ 1
        numbers[index] = UInt32(truncatingIfNeeded: shape)
        if hasTime {
          let head = Int(times[index])
          time &+= (heads[head].base &+ timeRest.load64(rest) & heads[head].mask) &* unit
          rest &+= heads[head].length
        }
        events[index].time = time
        index &+= 1
      }
      slots[slot].place = place
      slots[slot].time = time
    }
    cursor.timeRest = rest
    return run
  }

  /// Decodes what the shapes of events say.
  @inline(never)
  private func complete(_ events: Lane<Event>, _ runs: Int, _ cursor: inout Cursor) {
    let (heads, numbers) = (NumberCode.heads, sketch.numbers)
    var event = 0
    for index in 0..<runs {
      let run = Run(sketch.runs[index].cpu, state, contents)
      let end = Int(sketch.runs[index].end)
      var task = run.task(self)
      while event < end {
        let shape = Int(numbers[event])
        let plan = steps[shape].plan
        var early = plan &>> 4
        while early != 0 {
          tell(DecodeStep.Early(early), run, &cursor, heads)
          if cursor.problem != .none { return }
          early &>>= DecodeStep.Early.width
        }
        switch plan & 15 {
        case 0: put(events, event, shape, run, task, &cursor, heads)
        case 1: put(events, event, shape, run, task, &cursor, heads, follows: true)
        case 2: put(events, event, shape, run, task, &cursor, heads, value: true)
        case 3:
          put(events, event, shape, run, task, &cursor, heads, follows: true, value: true)
        case 4: put(events, event, shape, run, task, &cursor, heads, effects: true)
        case 5:
          put(events, event, shape, run, task, &cursor, heads, follows: true, effects: true)
        case 6:
          put(events, event, shape, run, task, &cursor, heads, value: true, effects: true)
        case 7:
          put(
            events, event, shape, run, task, &cursor, heads, follows: true, value: true,
            effects: true)
        default:
          events[event] = rareEvent(
            shapes[shape], sketch.runs[index].cpu, events[event].time, &cursor, heads)
          if cursor.problem != .none { return }
          task = run.task(self)
        }
        event &+= 1
      }
    }
  }

  /// Decodes an event; what it needs is known where this is called.
  @inline(__always)
  private func put(
    _ events: Lane<Event>, _ index: Int, _ shape: Int, _ run: Run, _ task: UInt64,
    _ cursor: inout Cursor, _ heads: Lane<NumberCode.Head>, follows: Bool = false,
    value: Bool = false, effects: Bool = false
  ) {
    let (registers, contents, objects) = (run.registers, run.contents, state.objects)
    var (source, target) = (Int(steps[shape].source0), Int(steps[shape].target0))
    var arg0 = contents[source]
    registers[target] = registers[source]
    contents[target] = arg0
    (source, target) = (Int(steps[shape].source1), Int(steps[shape].target1))
    var arg1 = contents[source]
    registers[target] = registers[source]
    contents[target] = arg1
    let before = effects ? registers[Int(steps[shape].linkPlace)] : 0
    (source, target) = (Int(steps[shape].objectSource), Int(steps[shape].objectTarget))
    var subject = Int(registers[source])
    var object = contents[source]
    if follows {
      subject = Int(objects.link(subject, steps[shape].link))
      object = objects[subject].key
    }
    registers[target] = UInt32(truncatingIfNeeded: subject)
    contents[target] = object
    let generation =
      effects ? apply(shape, subject, before, run, &cursor) : objects[subject].generation
    if value {
      let bound = objects[subject].bound
      let value =
        contents[Int(steps[shape].valueSource)] &+ takeValue(shape, heads)
        &+ bound & Self.mask(steps[shape].boundMask)
      contents[Int(steps[shape].valueTarget)] = value
      let binds = Self.mask(steps[shape].bindsMask)
      objects[subject].bound = value & binds | bound & ~binds
      object &+= value & Self.mask(steps[shape].objectMask)
      arg0 &+= value & Self.mask(steps[shape].mask0)
      arg1 &+= value & Self.mask(steps[shape].mask1)
    }
    let level = UInt64(levels[subject] & steps[shape].levelMask)
    events.store(
      index, object: object &+ steps[shape].objectConstant,
      arg0: arg0 &+ steps[shape].constant0, arg1: arg1 &+ steps[shape].constant1,
      UInt64(generation & steps[shape].generationMask) | task,
      steps[shape].lastWord | level &<< Event.levelShift | run.cpu)
  }

  /// Does to an object what the event does; the generation the event has.
  @inline(__always)
  private func apply(
    _ shape: Int, _ object: Int, _ before: UInt32, _ run: Run, _ cursor: inout Cursor
  ) -> UInt32 {
    let (objects, effects) = (state.objects, steps[shape].effects)
    let number = UInt32(truncatingIfNeeded: object)
    if effects & EventShape.Bit.links != 0 {
      objects[Int(before)].next = number
      objects[object].previous = before
    }
    let starts = UInt32(effects & EventShape.Bit.startsGeneration)
    var generation = objects[object].generation &+ starts
    if effects & DecodeStep.Effect.section == 0 {
      objects[object].generation = generation
    } else {
      cursor.sections &+= starts
      if starts != 0 { generation = cursor.sections }
      // A section that ends has no generation from here on.
      objects[object].generation = generation & (0 &- starts)
    }
    if effects & EventShape.Bit.frees != 0 {
      state.push(number, run.slot &* 2 &+ (effects & EventShape.Bit.secondRing != 0 ? 1 : 0))
    }
    if effects & DecodeStep.Effect.binds != 0 {
      objects[Int(run.registers[Int(steps[shape].bind)])].peer = number
    }
    return generation
  }

  /// The next number of the column an event takes its value from, 0 where it takes none.
  @inline(__always)
  private func takeValue(_ shape: Int, _ heads: Lane<NumberCode.Head>) -> UInt64 {
    let column = Int(steps[shape].column)
    let position = plains[column].position
    guard position < plains[column].count else {
      plains[column].position = plains[column].count &+ 1
      return 0
    }
    let head = Int(plains[column].heads[position])
    let place = plains[column].restPosition
    let value = heads[head].base &+ plains[column].rest.load64(place) & heads[head].mask
    plains[column].position = position &+ Int(steps[shape].takes)
    plains[column].restPosition = place &+ heads[head].length
    return Varint.unzigzag(value)
  }

  @inline(__always)
  private static func mask(_ mask: Int8) -> UInt64 { UInt64(truncatingIfNeeded: mask) }

  /// Begins the next run of one CPU.
  private func beginRun(
    done: Int, _ cursor: inout Cursor, _ heads: Lane<NumberCode.Head>
  ) {
    guard cursor.cpu < cpus.count, cursor.runs.position < cursor.runs.count else {
      cursor.problem = .run
      return
    }
    let byte = cpus.lane[cursor.cpu]
    cursor.cpu += 1
    cursor.cpuNumber = UInt16(byte)
    if byte == .max {
      let rest = cpusRest
      guard cursor.cpusRest + 2 <= rest.count else {
        cursor.problem = .run
        return
      }
      cursor.cpuNumber =
        UInt16(rest.lane[cursor.cpusRest]) | UInt16(rest.lane[cursor.cpusRest + 1]) << 8
      cursor.cpusRest += 2
    }
    let length = cursor.runs.take(heads)
    guard length < UInt64(count - cursor.done - done) else {
      cursor.problem = .run
      return
    }
    cursor.left = Int(length) + 1
  }

  /// The number of a shape that is not among the followers; one there is not where it is missing.
  @inline(__always)
  private func explicitShape(_ token: UInt64, _ cursor: inout Cursor) -> Int {
    if token < 255 { return Int(token) - 4 }
    let rest = tokensRest
    let place = cursor.tokensRest
    guard place + 3 <= rest.count else { return .max }
    let number =
      Int(rest.lane[place]) | Int(rest.lane[place + 1]) << 8 | Int(rest.lane[place + 2]) << 16
    cursor.tokensRest += 3
    return number
  }
}
