/// The loop of ``BlockDecoder``: from columns to events.
///
/// Every lane is long enough for every index the loop can form: ``BlockDecoder`` has seen to the
/// tables and heads, and what a column can still claim is compared with its limit here.
struct DecodeKernel {
  let state: BlockState
  let steps: Lane<ShapeStep>
  let levels: Lane<UInt8>
  let tasks: Lane<UInt32>
  let tokens: Lane<UInt8>
  let cpus: ColumnBuffer
  let cpusRest: ColumnBuffer
  let tokensRest: ColumnBuffer
  let count: Int
  let shapeCount: UInt64
  let objectLimit: Int
  let taskLimit: UInt64
  let unit: UInt64
  let bias: UInt64
  let hasTime: Bool
  let hasTask: Bool

  /// How far each column has been read.
  struct Cursor {
    var keys, numbers, jumps, tasks, values, addresses, near, runs, time: NumberReader
    var token = 0
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
      values = reader(.values)
      addresses = reader(.addresses)
      near = reader(.near)
      runs = reader(.runs)
      time = reader(.time)
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
    let (registers, values, slots) = (state.registers, state.values, state.slots)
    let (objects, followers) = (state.objects, state.followers)
    let heads = NumberCode.heads
    var index = start
    let last = start + count
    while index < last {
      if cursor.left == 0 { beginRun(&cursor, heads) }
      if cursor.problem != .none { return }
      let slotNumber = Int(cursor.cpuNumber) & (EventShape.slots - 1)
      let bank = slotNumber * EventShape.bank
      let valueBank = slotNumber * EventShape.valueRegisters
      var slot = slots[slotNumber]
      var task = hasTask ? tasks[Int(slot.task)] : 0
      let stop = min(last, index + cursor.left)
      cursor.left -= stop - index
      while index < stop {
        // The shape.
        let token = UInt64(tokens[cursor.token])
        cursor.token += 1
        let list = followers[slot.place]
        let number: UInt64
        if token < 4 {
          number = (list &>> (token * 16)) & 0xffff
          followers[slot.place] = BlockState.touch(list, place: token)
        } else {
          number = explicitShape(token, &cursor)
          followers[slot.place] = BlockState.push(list, number)
        }
        guard number < shapeCount else {
          cursor.problem = .shape
          return
        }
        slot.place = Int(number) + 1
        let step = steps[Int(number)]
        // The time.
        if hasTime {
          slot.time &+= cursor.time.take(heads) &* unit
        }
        var object: UInt64
        var arg0: UInt64
        var arg1: UInt64
        let subject: Int
        let generation: UInt32
        if step.isSimple {
          let first = registers[bank + Int(step.arg0.source)]
          let second = registers[bank + Int(step.arg1.source)]
          let third = registers[bank + Int(step.object.source)]
          registers[bank + Int(step.arg0.target)] = first
          registers[bank + Int(step.arg1.target)] = second
          registers[bank + Int(step.object.target)] = third
          arg0 =
            objects[Int(first)].key &+ step.arg0.constant
            &+ values[valueBank + Int(step.arg0.valueSource)]
          arg1 =
            objects[Int(second)].key &+ step.arg1.constant
            &+ values[valueBank + Int(step.arg1.valueSource)]
          object =
            objects[Int(third)].key &+ step.object.constant
            &+ values[valueBank + Int(step.object.valueSource)]
          subject = Int(third)
          generation = objects[subject].generation
        } else {
          let bits = step.bits
          if bits & (EventShape.Bit.otherTask | EventShape.Bit.previousTask) != 0 {
            switchTask(bits, &slot, &cursor, heads)
            if cursor.problem != .none { return }
            task = tasks[Int(slot.task)]
          }
          (object, arg0, arg1) = (0, 0, 0)
          if !step.arg0.isPlain {
            arg0 = objects[Int(reference(step.arg0, bank, slotNumber, &cursor, heads))].key
          }
          if !step.arg1.isPlain {
            arg1 = objects[Int(reference(step.arg1, bank, slotNumber, &cursor, heads))].key
          }
          var third: UInt32 = 0
          if !step.object.isPlain {
            let before = registers[bank + Int(step.object.target)]
            third = reference(step.object, bank, slotNumber, &cursor, heads)
            object = objects[Int(third)].key
            if bits & EventShape.Bit.links != 0 {
              objects[Int(before)].next = third
              objects[Int(third)].previous = before
            }
          }
          if step.isSection || bits & EventShape.Bit.generation != 0 {
            generation = rareGeneration(step, third, &cursor, heads)
          } else {
            if bits & EventShape.Bit.startsGeneration != 0 { objects[Int(third)].generation &+= 1 }
            generation = objects[Int(third)].generation
          }
          if bits & EventShape.Bit.frees != 0 {
            state.push(third, slotNumber * 2 + (bits & EventShape.Bit.secondRing != 0 ? 1 : 0))
          }
          if step.bind != 0 {
            objects[Int(registers[bank + Int(step.bind)])].peer = third
          }
          if step.object.isPlain { object = plain(step.object, 0, valueBank, &cursor, heads) }
          if step.arg0.isPlain { arg0 = plain(step.arg0, third, valueBank, &cursor, heads) }
          if step.arg1.isPlain { arg1 = plain(step.arg1, third, valueBank, &cursor, heads) }
          subject = Int(third)
          if cursor.problem != .none { return }
        }
        let level = levels[subject] & step.levelMask | step.level
        events[index] = Event(
          step.kind, time: slot.time, cpu: cursor.cpuNumber, task: task, context: step.context,
          object: object, arg0: arg0, arg1: arg1,
          level: TableLevel(rawValue: level) ?? .unknown,
          flags: EventFlags(rawValue: step.flags),
          generation: generation & step.generationMask)
        index += 1
      }
      slots[slotNumber] = slot
    }
  }

  /// Begins the next run of one CPU.
  private func beginRun(_ cursor: inout Cursor, _ heads: Lane<NumberCode.Head>) {
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
    guard length < UInt64(count - cursor.token) else {
      cursor.problem = .run
      return
    }
    cursor.left = Int(length) + 1
  }

  /// The number of a shape that is not among the followers; one there is not where it is missing.
  @inline(__always)
  private func explicitShape(_ token: UInt64, _ cursor: inout Cursor) -> UInt64 {
    if token < 255 { return token - 4 }
    let rest = tokensRest
    let place = cursor.tokensRest
    guard place + 3 <= rest.count else { return .max }
    let number =
      UInt64(rest.lane[place]) | UInt64(rest.lane[place + 1]) << 8
      | UInt64(rest.lane[place + 2]) << 16
    cursor.tokensRest += 3
    return number
  }

  private func switchTask(
    _ bits: UInt8, _ slot: inout BlockState.Slot, _ cursor: inout Cursor,
    _ heads: Lane<NumberCode.Head>
  ) {
    let before = slot.task
    if bits & EventShape.Bit.otherTask != 0 {
      let number = cursor.tasks.next(heads)
      guard number < taskLimit else {
        cursor.problem = .task
        return
      }
      slot.task = UInt32(number)
    } else {
      slot.task = slot.previousTask
    }
    slot.previousTask = before
  }

  /// The generation of the object of an event that tells it, or that is about a reader section.
  @inline(never)
  private func rareGeneration(
    _ step: ShapeStep, _ object: UInt32, _ cursor: inout Cursor, _ heads: Lane<NumberCode.Head>
  ) -> UInt32 {
    let starts = step.bits & EventShape.Bit.startsGeneration != 0
    var generation = state.objects[Int(object)].generation
    if step.bits & EventShape.Bit.generation != 0 {
      let told = cursor.jumps.next(heads)
      if told > UInt64(UInt32.max) { cursor.problem = .generation }
      generation = UInt32(truncatingIfNeeded: told)
      if step.isSection && starts { cursor.sections = generation }
    } else if starts {
      cursor.sections &+= 1
      generation = cursor.sections
    }
    // A section that ends has no generation from here on.
    state.objects[Int(object)].generation = step.isSection && !starts ? 0 : generation
    return generation
  }

  /// The object a field names.
  @inline(__always)
  private func reference(
    _ field: ShapeStep.StepField, _ bank: Int, _ slot: Int, _ cursor: inout Cursor,
    _ heads: Lane<NumberCode.Head>
  ) -> UInt32 {
    let source = state.registers[bank + Int(field.source)]
    let object: UInt32
    switch field.way {
    case EventShape.Way.register: object = source
    case EventShape.Way.next: object = state.objects[Int(source)].next
    case EventShape.Way.previous: object = state.objects[Int(source)].previous
    case EventShape.Way.peer: object = state.objects[Int(source)].peer
    case EventShape.Way.freed: object = state.pop(slot * 2 + Int(field.source & 1))
    case EventShape.Way.new:
      let key = tableKey(after: state.objects[Int(source)].key, &cursor, heads)
      object = add(key, field, &cursor)
      state.keep(object, slot)
    case EventShape.Way.newAfterListed:
      let key =
        state.listed[Int(field.target)] &+ Varint.unzigzag(cursor.keys.next(heads))
      object = add(key, field, &cursor)
    case EventShape.Way.derived:
      object = add(state.objects[Int(source)].key &* 64 &+ bias, field, &cursor)
    case EventShape.Way.recent:
      let back = cursor.numbers.next(heads)
      if back < UInt64(min(state.recentCounts[slot], UInt32(EventShape.recents))) {
        object = state.recent(back, slot)
      } else {
        cursor.problem = .number
        object = 0
      }
    default:
      let back = cursor.numbers.next(heads)
      if back < UInt64(cursor.objects - 1) {
        object = UInt32(truncatingIfNeeded: cursor.objects - 1 - Int(back))
        state.keep(object, slot)
      } else {
        cursor.problem = .number
        object = 0
      }
    }
    state.registers[bank + Int(field.target)] = object
    return object
  }

  /// The key of a new table; `cursor.problem` says if it names a chunk that is not listed.
  @inline(never)
  private func tableKey(
    after last: UInt64, _ cursor: inout Cursor, _ heads: Lane<NumberCode.Head>
  ) -> UInt64 {
    let number = cursor.keys.next(heads)
    if number < EventShape.farKey { return last &+ Varint.unzigzag(number) }
    if number >= EventShape.firstChunked {
      let place = number - EventShape.firstChunked
      let back = place &>> EventShape.chunkBits
      guard back < UInt64(cursor.chunks) else {
        cursor.problem = .chunk
        return 0
      }
      let chunk = state.chunks[cursor.chunks - 1 - Int(back)]
      return chunk &<< EventShape.chunkBits | place & (1 &<< EventShape.chunkBits - 1)
    }
    let key = last &+ Varint.unzigzag(cursor.keys.next(heads))
    // Each comes with an object, so there are not more of them.
    if cursor.chunks < objectLimit {
      state.chunks[cursor.chunks] = key &>> EventShape.chunkBits
      cursor.chunks += 1
    }
    return key
  }

  @inline(__always)
  private func add(_ key: UInt64, _ field: ShapeStep.StepField, _ cursor: inout Cursor) -> UInt32 {
    let number = cursor.objects
    guard number <= objectLimit else {
      cursor.problem = .object
      return 0
    }
    state.objects[number].key = key
    state.listed[Int(field.target)] = key
    cursor.objects += 1
    return UInt32(truncatingIfNeeded: number)
  }

  /// The value of a field that names no object.
  @inline(__always)
  private func plain(
    _ field: ShapeStep.StepField, _ object: UInt32, _ bank: Int, _ cursor: inout Cursor,
    _ heads: Lane<NumberCode.Head>
  ) -> UInt64 {
    let source = state.values[bank + Int(field.valueSource)]
    let value: UInt64
    switch field.way {
    case EventShape.Way.constant: return field.constant
    case EventShape.Way.same: return source
    case EventShape.Way.value:
      value = source &+ Varint.unzigzag(cursor.values.next(heads))
    case EventShape.Way.address:
      value = source &+ Varint.unzigzag(cursor.addresses.next(heads))
    case EventShape.Way.slot:
      value = source &+ Varint.unzigzag(cursor.addresses.next(heads))
      state.objects[Int(object)].bound = value
    case EventShape.Way.bound: value = state.objects[Int(object)].bound
    default:
      value =
        state.objects[Int(object)].bound &+ Varint.unzigzag(cursor.near.next(heads))
    }
    state.values[bank + Int(field.valueTarget)] = value
    return value
  }
}
