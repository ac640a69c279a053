/// Events that do not take the steps most take, and ways to an object that must be looked at.
extension DecodeKernel {
  /// Decodes an event of any shape, field by field.
  @inline(never)
  func rareEvent(
    _ step: ShapeStep, _ cpu: UInt16, _ time: UInt64, _ cursor: inout Cursor,
    _ heads: Lane<NumberCode.Head>
  ) -> Event {
    let run = Run(cpu, state, contents)
    let (registers, objects, bits) = (run.registers, state.objects, step.bits)
    if bits & (EventShape.Bit.otherTask | EventShape.Bit.previousTask) != 0 {
      switchTask(bits, &state.slots[run.slot], &cursor, heads)
      if cursor.problem != .none { return Event(.quiesce, time: 0) }
    }
    var (object, arg0, arg1): (UInt64, UInt64, UInt64) = (0, 0, 0)
    if !step.arg0.isPlain {
      arg0 = objects[Int(reference(step.arg0, run, &cursor, heads))].key
    }
    if !step.arg1.isPlain {
      arg1 = objects[Int(reference(step.arg1, run, &cursor, heads))].key
    }
    var third: UInt32 = 0
    if !step.object.isPlain {
      let before = registers[Int(step.object.target)]
      third = reference(step.object, run, &cursor, heads)
      object = objects[Int(third)].key
      if bits & EventShape.Bit.links != 0 {
        objects[Int(before)].next = third
        objects[Int(third)].previous = before
      }
    }
    let generation = generation(step, third, &cursor, heads)
    if bits & EventShape.Bit.frees != 0 {
      state.push(third, run.slot * 2 + (bits & EventShape.Bit.secondRing != 0 ? 1 : 0))
    }
    if step.bind != 0 { objects[Int(registers[Int(step.bind)])].peer = third }
    if step.object.isPlain { object = plain(step.object, 0, run, heads) }
    if step.arg0.isPlain { arg0 = plain(step.arg0, third, run, heads) }
    if step.arg1.isPlain { arg1 = plain(step.arg1, third, run, heads) }
    let level = levels[Int(third)] & step.levelMask | step.level
    return Event(
      step.kind, time: time, cpu: UInt16(truncatingIfNeeded: run.cpu),
      task: UInt32(truncatingIfNeeded: run.task(self) >> 32), context: step.context,
      object: object, arg0: arg0, arg1: arg1, level: TableLevel(rawValue: level) ?? .unknown,
      flags: EventFlags(rawValue: step.flags), generation: generation & step.generationMask)
  }

  /// Finds an object before the others of its event.
  @inline(__always)
  func tell(
    _ field: DecodeStep.Early, _ run: Run, _ cursor: inout Cursor,
    _ heads: Lane<NumberCode.Head>
  ) {
    let object = object(field.way, field.source, field.target, run, &cursor, heads)
    run.registers[Int(DecodeStep.Place.before)] = run.registers[field.target]
    run.registers[field.target] = object
    run.contents[field.target] = state.objects[Int(object)].key
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

  /// The generation of an event's object.
  private func generation(
    _ step: ShapeStep, _ object: UInt32, _ cursor: inout Cursor, _ heads: Lane<NumberCode.Head>
  ) -> UInt32 {
    let starts = step.bits & EventShape.Bit.startsGeneration != 0
    var generation = state.objects[Int(object)].generation
    if step.bits & EventShape.Bit.generation != 0 {
      let told = cursor.jumps.next(heads)
      if told > UInt64(UInt32.max) { cursor.problem = .generation }
      generation = UInt32(truncatingIfNeeded: told)
      if step.isSection && starts { cursor.sections = generation }
    } else if step.isSection && starts {
      cursor.sections &+= 1
      generation = cursor.sections
    } else if starts {
      generation &+= 1
    }
    // A section that ends has no generation from here on.
    state.objects[Int(object)].generation = step.isSection && !starts ? 0 : generation
    return generation
  }

  /// The object a field names; its register holds it from then on.
  private func reference(
    _ field: ShapeStep.StepField, _ run: Run, _ cursor: inout Cursor,
    _ heads: Lane<NumberCode.Head>
  ) -> UInt32 {
    let object = object(
      field.way, Int(field.source), Int(field.target), run, &cursor, heads)
    run.registers[Int(field.target)] = object
    run.contents[Int(field.target)] = state.objects[Int(object)].key
    return object
  }

  /// The object that a way leads to.
  @inline(__always)
  private func object(
    _ way: UInt8, _ sourceRegister: Int, _ target: Int, _ run: Run, _ cursor: inout Cursor,
    _ heads: Lane<NumberCode.Head>
  ) -> UInt32 {
    let slot = run.slot
    let source = run.registers[sourceRegister]
    let object: UInt32
    switch way {
    case EventShape.Way.register: object = source
    case EventShape.Way.next: object = state.objects[Int(source)].next
    case EventShape.Way.previous: object = state.objects[Int(source)].previous
    case EventShape.Way.peer: object = state.objects[Int(source)].peer
    case EventShape.Way.freed: object = state.pop(slot &* 2 &+ sourceRegister & 1)
    case EventShape.Way.new:
      let key = tableKey(after: state.objects[Int(source)].key, &cursor, heads)
      object = add(key, target, &cursor)
      state.keep(object, slot)
    case EventShape.Way.newAfterListed:
      let key =
        state.listed[target] &+ Varint.unzigzag(cursor.keys.next(heads))
      object = add(key, target, &cursor)
    case EventShape.Way.derived:
      object = add(state.objects[Int(source)].key &* 64 &+ bias, target, &cursor)
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
      if back < UInt64(truncatingIfNeeded: cursor.objects &- 1) {
        object = UInt32(truncatingIfNeeded: cursor.objects &- 1 &- Int(truncatingIfNeeded: back))
        state.keep(object, slot)
      } else {
        cursor.problem = .number
        object = 0
      }
    }
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
  private func add(_ key: UInt64, _ target: Int, _ cursor: inout Cursor) -> UInt32 {
    let number = cursor.objects
    guard number <= objectLimit else {
      cursor.problem = .object
      return 0
    }
    state.objects[number].key = key
    state.listed[target] = key
    cursor.objects = number &+ 1
    return UInt32(truncatingIfNeeded: number)
  }

  /// The value of a field that names no object.
  private func plain(
    _ field: ShapeStep.StepField, _ object: UInt32, _ run: Run, _ heads: Lane<NumberCode.Head>
  ) -> UInt64 {
    let source = run.contents[Int(DecodeStep.Place.values + field.valueSource)]
    let value: UInt64
    switch field.way {
    case EventShape.Way.constant: return field.constant
    case EventShape.Way.same: return source
    case EventShape.Way.value:
      value = source &+ Varint.unzigzag(plains[Int(DecodeStep.Column.values)].next(heads))
    case EventShape.Way.address:
      value = source &+ Varint.unzigzag(plains[Int(DecodeStep.Column.addresses)].next(heads))
    case EventShape.Way.slot:
      value = source &+ Varint.unzigzag(plains[Int(DecodeStep.Column.addresses)].next(heads))
      state.objects[Int(object)].bound = value
    case EventShape.Way.bound: value = state.objects[Int(object)].bound
    default:
      value =
        state.objects[Int(object)].bound
        &+ Varint.unzigzag(plains[Int(DecodeStep.Column.near)].next(heads))
    }
    run.contents[Int(DecodeStep.Place.values + field.valueTarget)] = value
    return value
  }
}
