/// Events that the likeliest shape does not fit, or that need more than their shape.
extension EncodeKernel {
  /// What has been found of an event's shape while its fields are being encoded.
  struct Draft {
    var bits: UInt8
    var bind: UInt8 = 0
    var constants = EventShape.Constants()
  }

  /// A shape to take an example from.
  private struct Likely {
    /// Its number; that of ``ShapeStep/none`` where there is none.
    let number: Int
    /// Its place among the followers of the shape before; followers before that place are of
    /// another kind. 4 where it is not one of them.
    let follower: UInt64
  }

  /// Encodes an event in any way.
  func encodeShape(
    _ place: Place, _ slot: inout BlockState.Slot, _ list: UInt64, _ cursor: inout Cursor
  ) {
    let likely = likely(place.event.kind.rawValue, list)
    let step = likely.number
    var draft = Draft(bits: place.traits.isNumbered ? EventShape.Bit.numbered : 0)
    encodeTask(place.event.task, &slot, &draft, &cursor)
    var object = EventShape.Field()
    var (arg0, arg1) = (object, object)
    // References.
    if place.traits.arg0 != .none {
      arg0 = reference(
        place.arg0, place.event.arg0, 1, place.traits.arg0, shapes.steps[step].arg0, 0, place,
        &cursor)
    }
    if place.traits.arg1 != .none {
      arg1 = reference(
        place.arg1, place.event.arg1, 2, place.traits.arg1, shapes.steps[step].arg1, 0, place,
        &cursor)
    }
    if place.traits.space != .none {
      var partner: UInt8 = 0
      if place.traits.space == .lock {
        if place.arg1 != 0 && place.traits.arg1 == .table {
          partner = arg1.target
        } else if place.arg0 != 0 && place.traits.arg0 == .table {
          partner = arg0.target
        }
      }
      let target = role(0, place.traits.space, place, &cursor)
      let before = state.registers[place.bank &+ Int(target)]
      object = reference(
        place.object, place.event.object, 0, place.traits.space, shapes.steps[step].object, partner,
        place,
        &cursor)
      note(place, before, partner, &draft, &cursor)
    }
    // Plain values.
    if place.traits.space == .none {
      object = plain(
        place.event.object, 0, .number, shapes.steps[step].object, 0, place,
        &draft.constants.object,
        &cursor)
    }
    if place.traits.arg0 == .none {
      arg0 = plain(
        place.event.arg0, 1, place.traits.plain0, shapes.steps[step].arg0, place.object, place,
        &draft.constants.arg0, &cursor)
    }
    if place.traits.arg1 == .none {
      arg1 = plain(
        place.event.arg1, 2, place.traits.plain1, shapes.steps[step].arg1, place.object, place,
        &draft.constants.arg1, &cursor)
    }
    let shape = EventShape(
      kind: place.event.kind.rawValue, context: place.event.context.rawValue,
      flags: place.event.flags.rawValue,
      level: level(place.event.level.rawValue, place), bits: draft.bits, bind: draft.bind,
      object: object, arg0: arg0, arg1: arg1, constants: draft.constants)
    put(shape, likely, list, &slot, &cursor)
  }

  /// The first follower of this kind, else the kind's last shape.
  @inline(__always)
  private func likely(_ raw: UInt8, _ list: UInt64) -> Likely {
    var follower: UInt64 = 0
    while follower < 4 {
      let number = Int((list &>> (follower &* 16)) & 0xffff)
      if number >= shapes.count { break }
      if shapes.steps[number].kind.rawValue == raw {
        return Likely(number: number, follower: follower)
      }
      follower &+= 1
    }
    let last = traces.lastShapes[Int(raw)]
    return Likely(number: last > 0 ? last - 1 : shapes.capacity, follower: follower)
  }

  /// Tells the shape of the next event.
  @inline(__always)
  private func put(
    _ shape: EventShape, _ likely: Likely, _ list: UInt64, _ slot: inout BlockState.Slot,
    _ cursor: inout Cursor
  ) {
    var follower = likely.follower
    while follower < 4 {
      let number = Int((list &>> (follower &* 16)) & 0xffff)
      if number < shapes.count && shapes.shapes[number] == shape {
        tokens[cursor.token] = UInt8(truncatingIfNeeded: follower)
        state.followers[slot.place] = BlockState.touch(list, place: follower)
        return note(number, of: shape.kind, &slot, &cursor)
      }
      follower &+= 1
    }
    let number = putNumber(shape, &cursor)
    state.followers[slot.place] = BlockState.push(list, UInt64(number))
    note(number, of: shape.kind, &slot, &cursor)
  }

  @inline(__always)
  private func note(
    _ number: Int, of kind: UInt8, _ slot: inout BlockState.Slot, _ cursor: inout Cursor
  ) {
    slot.place = number + 1
    cursor.token &+= 1
    traces.lastShapes[Int(kind)] = number + 1
  }

  /// Tells a shape by its number.
  @inline(never)
  private func putNumber(_ shape: EventShape, _ cursor: inout Cursor) -> Int {
    let known = shapes.count
    let number = shapes.number(shape)
    if number == known { state.followers[number + 1] = BlockState.noFollowers }
    if number < 251 {
      tokens[cursor.token] = UInt8(truncatingIfNeeded: number + 4)
    } else {
      tokens[cursor.token] = .max
      let rest = columns.buffer(.tokensRest).lane
      rest[cursor.tokensRest] = UInt8(truncatingIfNeeded: number)
      rest[cursor.tokensRest + 1] = UInt8(truncatingIfNeeded: number >> 8)
      rest[cursor.tokensRest + 2] = UInt8(truncatingIfNeeded: number >> 16)
      cursor.tokensRest += 3
    }
    return number
  }

  @inline(__always)
  private func encodeTask(
    _ task: UInt32, _ slot: inout BlockState.Slot, _ draft: inout Draft, _ cursor: inout Cursor
  ) {
    if cursor.tasks == 0 || traces.tasks[Int(slot.task)] != task {
      switchTask(task, &slot, &draft, &cursor)
    }
  }

  @inline(never)
  private func switchTask(
    _ task: UInt32, _ slot: inout BlockState.Slot, _ draft: inout Draft, _ cursor: inout Cursor
  ) {
    let before = slot.task
    if cursor.tasks > 0 && traces.tasks[Int(slot.previousTask)] == task {
      draft.bits |= EventShape.Bit.previousTask
      slot.task = slot.previousTask
    } else {
      var number = taskNumbers.number(1, UInt64(task))
      if number == 0 {
        traces.tasks[cursor.tasks] = task
        cursor.tasks += 1
        number = taskNumbers.add(1, UInt64(task))
        NumberCode.append(UInt64(task), &cursor.taskIDs)
      }
      if number == 1 && cursor.tasks == 1 { return }
      draft.bits |= EventShape.Bit.otherTask
      NumberCode.append(UInt64(number - 1), &cursor.taskTokens)
      slot.task = number - 1
    }
    slot.previousTask = before
  }

  /// Notes what an event does to its object; `before` is the one its register held.
  @inline(__always)
  private func note(
    _ place: Place, _ before: UInt32, _ partner: UInt8, _ draft: inout Draft,
    _ cursor: inout Cursor
  ) {
    let object = place.object
    let number = Int(object)
    if place.traits.links && object != 0 {
      draft.bits |= EventShape.Bit.links
      state.objects[Int(before)].next = object
      state.objects[number].previous = before
    }
    if place.traits.space == .reader {
      noteSection(place, number, &draft, &cursor)
    } else if place.traits.isNumbered {
      noteGeneration(place, number, &draft, &cursor)
    }
    if place.traits.frees {
      draft.bits |= EventShape.Bit.frees
      if place.traits.space == .lock { draft.bits |= EventShape.Bit.secondRing }
      state.push(object, ring(place, place.traits.space))
    }
    if partner != 0 {
      let table = Int(state.registers[place.bank &+ Int(partner)])
      if state.objects[table].peer != object {
        draft.bind = partner
        state.objects[table].peer = object
      }
    }
  }

  @inline(__always)
  private func noteGeneration(
    _ place: Place, _ number: Int, _ draft: inout Draft, _ cursor: inout Cursor
  ) {
    let step: UInt32 = place.traits.startsGeneration ? 1 : 0
    if step != 0 { draft.bits |= EventShape.Bit.startsGeneration }
    guard keepsGenerations else {
      if step != 0 { state.objects[number].generation &+= step }
      return
    }
    if traces.objects[number].marks & EncodeTraces.Mark.generation == 0 {
      traces.objects[number].marks |= EncodeTraces.Mark.generation
      traces.starts[number] = place.event.generation &- step
      state.objects[number].generation = traces.starts[number]
    }
    if state.objects[number].generation &+ step != place.event.generation {
      draft.bits |= EventShape.Bit.generation
      NumberCode.append(UInt64(place.event.generation), &cursor.jumps)
    }
    state.objects[number].generation = place.event.generation
  }

  /// Notes what becomes of a reader section, which has a generation only while it is open.
  private func noteSection(
    _ place: Place, _ number: Int, _ draft: inout Draft, _ cursor: inout Cursor
  ) {
    if place.traits.startsGeneration {
      draft.bits |= EventShape.Bit.startsGeneration
      if keepsGenerations && cursor.firstSection == nil {
        cursor.firstSection = place.event.generation &- 1
        cursor.sections = place.event.generation &- 1
      }
      cursor.sections &+= 1
      state.objects[number].generation = cursor.sections
    }
    if keepsGenerations {
      if traces.objects[number].marks & EncodeTraces.Mark.generation == 0 {
        traces.objects[number].marks |= EncodeTraces.Mark.generation
        traces.starts[number] = place.traits.startsGeneration ? 0 : place.event.generation
        if !place.traits.startsGeneration {
          state.objects[number].generation = place.event.generation
        }
      }
      if state.objects[number].generation != place.event.generation {
        draft.bits |= EventShape.Bit.generation
        NumberCode.append(UInt64(place.event.generation), &cursor.jumps)
        state.objects[number].generation = place.event.generation
        if place.traits.startsGeneration { cursor.sections = place.event.generation }
      }
    }
    traces.objects[number].marks |= EncodeTraces.Mark.section
    if place.traits.endsSection { state.objects[number].generation = 0 }
  }

  @inline(__always)
  private func level(_ level: UInt8, _ event: Place) -> UInt8 {
    guard event.traits.space == .table, event.object != 0, level != 0 else { return level }
    let place = Int(event.object) &- 1
    if levels[place] == 0 { levels[place] = level }
    return levels[place] == level ? EventShape.objectLevel : level
  }
}
