/// The loop of ``BlockEncoder``: from events to columns.
///
/// Which of the ways that lead to a value is taken is free; this one first asks the shapes that
/// followed the last one on the CPU, so that what repeats costs nothing.
struct EncodeKernel {
  let state: BlockState
  let shapes: ShapeTable
  let objects: ObjectMap
  let chunks: ObjectMap
  let taskNumbers: ObjectMap
  let traces: Traces
  let columns: BlockColumns
  let unit: UInt64
  let keepsGenerations: Bool
  let kinds = KindTraits.table

  /// What only the encoder knows about objects, registers and slots.
  struct Traces {
    /// Raw space of each object.
    let spaces: Lane<UInt8>
    /// Bit 0: something is bound to the object; bit 1: its generation is known; bit 2: it is a
    /// reader section that began or ended in the block.
    let known: Lane<UInt8>
    /// Generation of each object before the block, where events keep theirs.
    let starts: Lane<UInt32>
    /// The slot that kept each object last, and its count then.
    let keptBy: Lane<UInt8>
    let keptAt: Lane<UInt32>
    /// Register of each field of each kind; 0 = none yet.
    let roles = Lane<UInt8>(room: 768)
    let valueRoles = Lane<UInt8>(room: 768)
    /// Space whose objects a register holds.
    let registerSpaces = Lane<UInt8>(room: EventShape.registers)
    /// Number of the last shape of each kind, + 1.
    let lastShapes = Lane<Int>(room: 256)

    init(capacity: Int) {
      spaces = Lane(room: 3 * capacity + 1)
      known = Lane(room: 3 * capacity + 1)
      starts = Lane(room: 3 * capacity + 1)
      keptBy = Lane(room: 3 * capacity + 1)
      keptAt = Lane(room: 3 * capacity + 1)
    }

    func begin() {
      spaces[0] = 0
      known[0] = 0
      roles.zero(upTo: roles.count)
      valueRoles.zero(upTo: valueRoles.count)
      registerSpaces.zero(upTo: registerSpaces.count)
      lastShapes.zero(upTo: lastShapes.count)
    }

    func deallocate() {
      spaces.deallocate()
      known.deallocate()
      starts.deallocate()
      keptBy.deallocate()
      keptAt.deallocate()
      roles.deallocate()
      valueRoles.deallocate()
      registerSpaces.deallocate()
      lastShapes.deallocate()
    }
  }

  /// How far each column has been written.
  struct Cursor {
    var keys, numbers, jumps, taskTokens, taskIDs, values, addresses, near, runs, time: NumberWriter
    var token = 0
    var tokensRest = 0
    var cpu = 0
    var cpusRest = 0
    /// Objects listed so far, object 0 among them.
    var objects = 1
    var tasks: [UInt32] = []
    /// Registers given out: objects, values, addresses.
    var registers = 2
    var valueRegisters = 2
    var addressRegisters = EventShape.firstAddressRegister
    /// Key of a lock less 64 times that of its table.
    var bias: UInt64?
    /// Number of the last reader section, counted from the block's first one or, where events
    /// keep their generations, from `firstSection`.
    var sections: UInt32 = 0
    /// Number of the last reader section before the block, where events keep their generations.
    var firstSection: UInt32?
    /// Chunks listed so far.
    var chunks = 0
    /// What the index says of the events.
    var timeMin = UInt64.max
    var timeMax: UInt64 = 0
    var cpuMask: UInt64 = 0

    init(_ columns: BlockColumns) {
      func writer(_ id: ColumnID) -> NumberWriter {
        NumberWriter(columns.buffer(id).lane, columns.buffer(id.rest!).lane)
      }
      keys = writer(.keys)
      numbers = writer(.numbers)
      jumps = writer(.jumps)
      taskTokens = writer(.tasks)
      taskIDs = writer(.taskIDs)
      values = writer(.values)
      addresses = writer(.addresses)
      near = writer(.near)
      runs = writer(.runs)
      time = writer(.time)
    }
  }

  /// Registers from here on belong to a space each.
  private static let firstShared = 56
  /// The registers of values and of addresses that came too late for one of their own.
  private static let lastValueRegister = EventShape.firstAddressRegister - 1
  private static let lastAddressRegister = EventShape.valueRegisters - 1

  /// Encodes all events of a block.
  func encode(_ events: Lane<Event>, _ cursor: inout Cursor) {
    let (registers, values, slots) = (state.registers, state.values, state.slots)
    let (objects, followers) = (state.objects, state.followers)
    let (steps, levels) = (shapes.steps, columns.buffer(.levels).lane)
    let tokens = columns.buffer(.tokens).lane
    let (unit, keeps) = (self.unit, keepsGenerations)
    var index = 0
    while index < events.count {
      let cpu = events[index].cpu
      var stop = index + 1
      while stop < events.count && events[stop].cpu == cpu { stop += 1 }
      beginRun(cpu, stop - index, &cursor)
      let slotNumber = Int(cpu) & (EventShape.slots - 1)
      let bank = slotNumber * EventShape.bank
      let valueBank = slotNumber * EventShape.valueRegisters
      var slot = slots[slotNumber]
      while index < stop {
        let event = events[index]
        index += 1
        var difference = event.time &- slot.time
        slot.time = event.time
        cursor.timeMin = min(cursor.timeMin, event.time)
        cursor.timeMax = max(cursor.timeMax, event.time)
        if unit != 1 {
          difference = UInt64(bitPattern: Int64(bitPattern: difference) / Int64(bitPattern: unit))
        }
        NumberCode.append(difference, &cursor.time)
        let list = followers[slot.place]
        let front = Int(list & 0xffff)
        if front < shapes.count {
          let step = steps[front]
          if step.isSimple && step.kind == event.kind && step.context == event.context
            && step.flags == event.flags.rawValue && !cursor.tasks.isEmpty
            && cursor.tasks[Int(slot.task)] == event.task
          {
            let first = registers[bank + Int(step.arg0.source)]
            let second = registers[bank + Int(step.arg1.source)]
            let third = registers[bank + Int(step.object.source)]
            let arg0 =
              objects[Int(first)].key &+ step.arg0.constant
              &+ values[valueBank + Int(step.arg0.valueSource)]
            let arg1 =
              objects[Int(second)].key &+ step.arg1.constant
              &+ values[valueBank + Int(step.arg1.valueSource)]
            let object =
              objects[Int(third)].key &+ step.object.constant
              &+ values[valueBank + Int(step.object.valueSource)]
            let level = third == 0 ? 0 : levels[Int(third) - 1] & step.levelMask
            if arg0 == event.arg0 && arg1 == event.arg1 && object == event.object
              && level | step.level == event.level.rawValue
              && (step.levelMask == 0 || level != 0) && (step.object.isPlain || third != 0)
              && (!keeps || step.generationMask == 0
                || traces.known[Int(third)] & 2 != 0
                  && objects[Int(third)].generation == event.generation)
            {
              registers[bank + Int(step.arg0.target)] = first
              registers[bank + Int(step.arg1.target)] = second
              registers[bank + Int(step.object.target)] = third
              tokens[cursor.token] = 0
              cursor.token += 1
              slot.place = front + 1
              continue
            }
          }
        }
        encodeShape(event, slotNumber, &slot, list, &cursor)
      }
      slots[slotNumber] = slot
    }
  }

  private func beginRun(_ cpu: UInt16, _ length: Int, _ cursor: inout Cursor) {
    cursor.cpuMask |= 1 &<< UInt64(min(cpu, 63))
    let byte = UInt8(truncatingIfNeeded: min(cpu, 255))
    columns.buffer(.cpus).lane[cursor.cpu] = byte
    cursor.cpu += 1
    if byte == .max {
      let rest = columns.buffer(.cpusRest).lane
      rest[cursor.cpusRest] = UInt8(truncatingIfNeeded: cpu)
      rest[cursor.cpusRest + 1] = UInt8(truncatingIfNeeded: cpu >> 8)
      cursor.cpusRest += 2
    }
    NumberCode.append(UInt64(length - 1), &cursor.runs)
  }

  /// Encodes an event the likeliest shape does not fit, or that needs more than its shape.
  private func encodeShape(
    _ event: Event, _ slotNumber: Int, _ slot: inout BlockState.Slot, _ list: UInt64,
    _ cursor: inout Cursor
  ) {
    let raw = event.kind.rawValue
    let traits = kinds[Int(raw)]
    let place = Place(
      slot: slotNumber, bank: slotNumber * EventShape.bank,
      valueBank: slotNumber * EventShape.valueRegisters, kind: Int(raw))
    let likely = likelyStep(raw, list)
    let steps = shapes.steps
    var shape = EventShape()
    shape.kind = raw
    shape.context = event.context.rawValue
    shape.flags = event.flags.rawValue
    shape.bits = traits.isNumbered ? EventShape.Bit.numbered : 0
    encodeTask(event.task, &slot, &shape, &cursor)
    // References.
    var first: UInt32 = 0
    var second: UInt32 = 0
    var third: UInt32 = 0
    if traits.arg0 != .none {
      (shape.arg0, first) = reference(
        event.arg0, 1, traits.arg0, likely < 0 ? nil : steps[likely].arg0, 0, place, traits, &cursor
      )
    }
    if traits.arg1 != .none {
      (shape.arg1, second) = reference(
        event.arg1, 2, traits.arg1, likely < 0 ? nil : steps[likely].arg1, 0, place, traits, &cursor
      )
    }
    if traits.space != .none {
      var partner: UInt8 = 0
      if traits.space == .lock {
        if second != 0 && traits.arg1 == .table {
          partner = shape.arg1.target
        } else if first != 0 && traits.arg0 == .table {
          partner = shape.arg0.target
        }
      }
      let target = role(0, traits.space, place, &cursor)
      let before = state.registers[place.bank + Int(target)]
      (shape.object, third) = reference(
        event.object, 0, traits.space, likely < 0 ? nil : steps[likely].object, partner, place,
        traits, &cursor)
      note(event, traits, third, before, partner, place, &shape, &cursor)
    }
    // Plain values.
    if traits.space == .none {
      shape.object = plain(
        event.object, 0, .number, likely < 0 ? nil : steps[likely].object, 0, place,
        &shape.constants.object, &cursor)
    }
    if traits.arg0 == .none {
      shape.arg0 = plain(
        event.arg0, 1, traits.plain0, likely < 0 ? nil : steps[likely].arg0, third, place,
        &shape.constants.arg0, &cursor)
    }
    if traits.arg1 == .none {
      shape.arg1 = plain(
        event.arg1, 2, traits.plain1, likely < 0 ? nil : steps[likely].arg1, third, place,
        &shape.constants.arg1, &cursor)
    }
    shape.level = level(event.level.rawValue, traits, third)
    put(shape, list, &slot, &cursor)
  }

  /// Where a field stands.
  private struct Place {
    let slot: Int
    let bank: Int
    let valueBank: Int
    let kind: Int
  }

  /// The shape to take an example from: the first follower of this kind, else its last one; −1
  /// where the kind has none yet.
  private func likelyStep(_ raw: UInt8, _ list: UInt64) -> Int {
    var rest = list
    for _ in 0..<4 {
      let number = Int(rest & 0xffff)
      if number >= shapes.count { break }
      if shapes.steps[number].kind.rawValue == raw { return number }
      rest &>>= 16
    }
    return traces.lastShapes[Int(raw)] - 1
  }

  private func put(
    _ shape: EventShape, _ list: UInt64, _ slot: inout BlockState.Slot,
    _ cursor: inout Cursor
  ) {
    let tokens = columns.buffer(.tokens).lane
    defer {
      cursor.token += 1
      traces.lastShapes[Int(shape.kind)] = slot.place
    }
    for place in 0..<UInt64(4) {
      let number = Int((list &>> (place * 16)) & 0xffff)
      guard number < shapes.count, shapes.shapes[number] == shape else { continue }
      tokens[cursor.token] = UInt8(truncatingIfNeeded: place)
      state.followers[slot.place] = BlockState.touch(list, place: place)
      slot.place = number + 1
      return
    }
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
    state.followers[slot.place] = BlockState.push(list, UInt64(number))
    slot.place = number + 1
  }

  private func encodeTask(
    _ task: UInt32, _ slot: inout BlockState.Slot, _ shape: inout EventShape,
    _ cursor: inout Cursor
  ) {
    if !cursor.tasks.isEmpty && cursor.tasks[Int(slot.task)] == task { return }
    let before = slot.task
    if !cursor.tasks.isEmpty && cursor.tasks[Int(slot.previousTask)] == task {
      shape.bits |= EventShape.Bit.previousTask
      slot.task = slot.previousTask
    } else {
      var number = taskNumbers.number(1, UInt64(task))
      if number == 0 {
        cursor.tasks.append(task)
        number = taskNumbers.add(1, UInt64(task))
        NumberCode.append(UInt64(task), &cursor.taskIDs)
      }
      if number == 1 && cursor.tasks.count == 1 { return }
      shape.bits |= EventShape.Bit.otherTask
      NumberCode.append(UInt64(number - 1), &cursor.taskTokens)
      slot.task = number - 1
    }
    slot.previousTask = before
  }

  /// Notes what an event does to its object.
  private func note(
    _ event: Event, _ traits: KindTraits, _ object: UInt32, _ before: UInt32, _ partner: UInt8,
    _ place: Place, _ shape: inout EventShape, _ cursor: inout Cursor
  ) {
    let number = Int(object)
    if traits.links && object != 0 {
      shape.bits |= EventShape.Bit.links
      state.objects[Int(before)].next = object
      state.objects[number].previous = before
    }
    if traits.space == .reader {
      noteSection(event, traits, number, &shape, &cursor)
    } else if traits.isNumbered {
      let step: UInt32 = traits.startsGeneration ? 1 : 0
      if step != 0 { shape.bits |= EventShape.Bit.startsGeneration }
      if keepsGenerations && traces.known[number] & 2 == 0 {
        traces.known[number] |= 2
        traces.starts[number] = event.generation &- step
        state.objects[number].generation = traces.starts[number]
      }
      if keepsGenerations && state.objects[number].generation &+ step != event.generation {
        shape.bits |= EventShape.Bit.generation
        NumberCode.append(UInt64(event.generation), &cursor.jumps)
        state.objects[number].generation = event.generation
      } else {
        state.objects[number].generation &+= step
      }
    }
    if traits.frees {
      shape.bits |= EventShape.Bit.frees
      if traits.space == .lock { shape.bits |= EventShape.Bit.secondRing }
      state.push(object, place.slot * 2 + (traits.space == .lock ? 1 : 0))
    }
    if partner != 0 {
      let table = Int(state.registers[place.bank + Int(partner)])
      if state.objects[table].peer != object {
        shape.bind = partner
        state.objects[table].peer = object
      }
    }
  }

  /// Notes what becomes of a reader section, which has a generation only while it is open.
  private func noteSection(
    _ event: Event, _ traits: KindTraits, _ number: Int, _ shape: inout EventShape,
    _ cursor: inout Cursor
  ) {
    if traits.startsGeneration {
      shape.bits |= EventShape.Bit.startsGeneration
      if keepsGenerations && cursor.firstSection == nil {
        cursor.firstSection = event.generation &- 1
        cursor.sections = event.generation &- 1
      }
      cursor.sections &+= 1
      state.objects[number].generation = cursor.sections
    }
    if keepsGenerations {
      if traces.known[number] & 2 == 0 {
        traces.known[number] |= 2
        traces.starts[number] = traits.startsGeneration ? 0 : event.generation
        if !traits.startsGeneration { state.objects[number].generation = event.generation }
      }
      if state.objects[number].generation != event.generation {
        shape.bits |= EventShape.Bit.generation
        NumberCode.append(UInt64(event.generation), &cursor.jumps)
        state.objects[number].generation = event.generation
        if traits.startsGeneration { cursor.sections = event.generation }
      }
    }
    traces.known[number] |= 4
    if traits.endsSection { state.objects[number].generation = 0 }
  }

  private func level(_ level: UInt8, _ traits: KindTraits, _ object: UInt32) -> UInt8 {
    guard traits.space == .table, object != 0, level != 0 else { return level }
    let levels = columns.buffer(.levels).lane
    let place = Int(object) - 1
    if levels[place] == 0 { levels[place] = level }
    return levels[place] == level ? EventShape.objectLevel : level
  }
}

/// Fields.
extension EncodeKernel {
  /// The register that belongs to a field of a kind.
  private func role(
    _ field: Int, _ space: ObjectSpace, _ place: Place, _ cursor: inout Cursor
  ) -> UInt8 {
    if space == .mm { return UInt8(Self.firstShared) + space.rawValue }
    let index = field * 256 + place.kind
    let known = traces.roles[index]
    if known != 0 { return known }
    var register = Self.firstShared + Int(space.rawValue)
    if cursor.registers < Self.firstShared {
      register = cursor.registers
      cursor.registers += 1
    }
    traces.registerSpaces[register] = space.rawValue
    traces.roles[index] = UInt8(register)
    return UInt8(register)
  }

  @inline(__always)
  private func isObject(_ number: UInt32, _ key: UInt64, _ space: ObjectSpace) -> Bool {
    number != 0 && state.objects[Int(number)].key == key
      && traces.spaces[Int(number)] == space.rawValue
  }

  /// Encodes a reference; returns how, and the object. `partner` is the register of the table a
  /// lock belongs to, 0 if none is known.
  private func reference(
    _ key: UInt64, _ field: Int, _ space: ObjectSpace, _ likely: ShapeStep.StepField?,
    _ partner: UInt8, _ place: Place, _ traits: KindTraits, _ cursor: inout Cursor
  ) -> (EventShape.Field, UInt32) {
    if key == 0 && field != 0 { return (EventShape.Field(), 0) }
    let target = role(field, space, place, &cursor)
    var shape = EventShape.Field(way: EventShape.Way.register, source: 0, target: target)
    var object: UInt32 = 0
    if let likely, !likely.isPlain { object = find(likely.way, likely.source, place) }
    if let likely, isObject(object, key, space) {
      shape.way = likely.way
      shape.source = likely.source
    } else {
      object = objects.number(space.rawValue, key)
      if object == 0 {
        object = add(key, space, target, partner, place, &shape, &cursor)
      } else if !findFree(object, space, partner, place, traits, &shape, cursor.registers) {
        tell(object, place, &shape, &cursor)
      }
    }
    if shape.way == EventShape.Way.freed { _ = state.pop(ring(place, space)) }
    state.registers[place.bank + Int(target)] = object
    return (shape, object)
  }

  /// Looks for a way to an object that costs nothing.
  private func findFree(
    _ object: UInt32, _ space: ObjectSpace, _ partner: UInt8, _ place: Place,
    _ traits: KindTraits, _ shape: inout EventShape.Field, _ registers: Int
  ) -> Bool {
    let own = shape.target
    let held = state.registers[place.bank + Int(own)]
    shape.source = own
    if held == object { return true }
    if space != .mm {
      for register in 2..<registers where state.registers[place.bank + register] == object {
        shape.source = UInt8(register)
        return true
      }
    }
    if state.objects[Int(held)].next == object {
      shape.way = EventShape.Way.next
      return true
    }
    if state.objects[Int(held)].previous == object {
      shape.way = EventShape.Way.previous
      return true
    }
    if partner != 0 && find(EventShape.Way.peer, partner, place) == object {
      shape.way = EventShape.Way.peer
      shape.source = partner
      return true
    }
    if traits.startsGeneration && (space == .table || space == .lock) {
      shape.source = space == .lock ? 1 : 0
      shape.way = EventShape.Way.freed
      if find(EventShape.Way.freed, shape.source, place) == object { return true }
    }
    return false
  }

  /// Tells which of the known objects is meant.
  private func tell(
    _ object: UInt32, _ place: Place, _ shape: inout EventShape.Field, _ cursor: inout Cursor
  ) {
    shape.source = 0
    let back = Int(state.recentCounts[place.slot]) - 1 - Int(traces.keptAt[Int(object)])
    if traces.keptBy[Int(object)] == place.slot && back < EventShape.recents {
      NumberCode.append(UInt64(back), &cursor.numbers)
      shape.way = EventShape.Way.recent
    } else {
      NumberCode.append(UInt64(cursor.objects - 1 - Int(object)), &cursor.numbers)
      keep(object, place.slot)
      shape.way = EventShape.Way.number
    }
  }

  private func ring(_ place: Place, _ space: ObjectSpace) -> Int {
    place.slot * 2 + (space == .lock ? 1 : 0)
  }

  /// The object a way that costs nothing leads to.
  @inline(__always)
  private func find(_ way: UInt8, _ source: UInt8, _ place: Place) -> UInt32 {
    let object = state.registers[place.bank + Int(source)]
    switch way {
    case EventShape.Way.register: return object
    case EventShape.Way.next: return state.objects[Int(object)].next
    case EventShape.Way.previous: return state.objects[Int(object)].previous
    case EventShape.Way.peer: return state.objects[Int(object)].peer
    case EventShape.Way.freed:
      let ring = place.slot * 2 + Int(source & 1)
      return state.rings[ring * EventShape.ringSize + Int(state.tops[ring])]
    default: return 0
    }
  }

  /// Keeps an object among the recent ones of a slot.
  private func keep(_ object: UInt32, _ slot: Int) {
    traces.keptBy[Int(object)] = UInt8(truncatingIfNeeded: slot)
    traces.keptAt[Int(object)] = state.recentCounts[slot]
    state.keep(object, slot)
  }

  /// Lists an object that is new in the block.
  private func add(
    _ key: UInt64, _ space: ObjectSpace, _ target: UInt8, _ partner: UInt8, _ place: Place,
    _ shape: inout EventShape.Field, _ cursor: inout Cursor
  ) -> UInt32 {
    let number = objects.add(space.rawValue, key)
    cursor.objects += 1
    state.objects[Int(number)] = BlockState.Object(key: key)
    traces.spaces[Int(number)] = space.rawValue
    traces.known[Int(number)] = 0
    traces.starts[Int(number)] = 0
    traces.keptBy[Int(number)] = .max
    columns.buffer(.levels).lane[Int(number) - 1] = 0
    let listed = state.listed[Int(target)]
    state.listed[Int(target)] = key
    if partner != 0 {
      let table = state.objects[Int(state.registers[place.bank + Int(partner)])].key
      if cursor.bias == nil { cursor.bias = key &- table &* 64 }
      if key == table &* 64 &+ cursor.bias! {
        shape.way = EventShape.Way.derived
        shape.source = partner
        return number
      }
    }
    let own = state.registers[place.bank + Int(target)]
    if space == .table && own != 0 {
      appendKey(key, after: state.objects[Int(own)].key, &cursor)
      keep(number, place.slot)
      shape.way = EventShape.Way.new
      shape.source = target
    } else {
      NumberCode.append(Varint.zigzag(key &- listed), &cursor.keys)
      shape.way = EventShape.Way.newAfterListed
    }
    return number
  }

  /// Tells the key of a new table: near the one before, in a chunk met before, or far away.
  private func appendKey(_ key: UInt64, after last: UInt64, _ cursor: inout Cursor) {
    let distance = Varint.zigzag(key &- last)
    if distance < EventShape.farKey {
      NumberCode.append(distance, &cursor.keys)
      return
    }
    let chunk = key &>> EventShape.chunkBits
    let known = chunks.number(1, chunk)
    if known != 0 {
      let back = UInt64(cursor.chunks) - UInt64(known)
      let low = key & (1 &<< EventShape.chunkBits - 1)
      NumberCode.append(
        EventShape.firstChunked + (back &<< EventShape.chunkBits | low), &cursor.keys)
    } else {
      cursor.chunks = Int(chunks.add(1, chunk))
      NumberCode.append(EventShape.farKey, &cursor.keys)
      NumberCode.append(distance, &cursor.keys)
    }
  }

  private func valueRole(
    _ field: Int, _ isAddress: Bool, _ place: Place, _ cursor: inout Cursor
  ) -> UInt8 {
    let index = field * 256 + place.kind
    let known = traces.valueRoles[index]
    if known != 0 { return known }
    let register: Int
    if isAddress {
      register = min(cursor.addressRegisters, Self.lastAddressRegister)
      cursor.addressRegisters = min(register + 1, EventShape.valueRegisters)
    } else {
      register = min(cursor.valueRegisters, Self.lastValueRegister)
      cursor.valueRegisters = min(register + 1, EventShape.firstAddressRegister)
    }
    traces.valueRoles[index] = UInt8(register)
    return UInt8(register)
  }

  /// Encodes a plain value.
  private func plain(
    _ value: UInt64, _ field: Int, _ sort: KindTraits.PlainValue,
    _ likely: ShapeStep.StepField?, _ object: UInt32, _ place: Place, _ constant: inout UInt64,
    _ cursor: inout Cursor
  ) -> EventShape.Field {
    var shape = EventShape.Field(way: EventShape.Way.same, source: 0)
    if value == 0 { return shape }
    if sort == .choice && value &+ 256 < 512 {
      shape.way = EventShape.Way.constant
      constant = value
      return shape
    }
    if let likely, likely.way == EventShape.Way.same,
      state.values[place.valueBank + Int(likely.valueSource)] == value
    {
      shape.source = likely.valueSource
      return shape
    }
    let isAddress = sort == .slot || sort == .address
    let own = valueRole(field, isAddress, place, &cursor)
    let last = state.values[place.valueBank + Int(own)]
    if last == value {
      shape.source = own
      return shape
    }
    if isAddress && object != 0 && traces.known[Int(object)] & 1 != 0 {
      let bound = state.objects[Int(object)].bound
      let difference = Varint.zigzag(value &- bound)
      if difference < NumberCode.firstMedium {
        state.values[place.valueBank + Int(own)] = value
        if difference != 0 { NumberCode.append(difference, &cursor.near) }
        let way = difference == 0 ? EventShape.Way.bound : EventShape.Way.nearBound
        return EventShape.Field(way: way, source: own, target: own)
      }
    }
    let known =
      isAddress
      ? EventShape.firstAddressRegister..<cursor.addressRegisters : 2..<cursor.valueRegisters
    for register in known
    where state.values[place.valueBank + register] == value {
      return EventShape.Field(way: EventShape.Way.same, source: UInt8(register))
    }
    shape.source = own
    shape.target = own
    state.values[place.valueBank + Int(own)] = value
    let difference = Varint.zigzag(value &- last)
    guard isAddress else {
      shape.way = EventShape.Way.value
      NumberCode.append(difference, &cursor.values)
      return shape
    }
    NumberCode.append(difference, &cursor.addresses)
    shape.way = EventShape.Way.address
    if object != 0 {
      shape.way = EventShape.Way.slot
      state.objects[Int(object)].bound = value
      traces.known[Int(object)] |= 1
    }
    return shape
  }
}
