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
  let traces: EncodeTraces
  let columns: BlockColumns
  let keepsGenerations: Bool
  /// Two of the columns, which are looked for too often to be asked for.
  let tokens: Lane<UInt8>
  let levels: Lane<UInt8>
  let kinds = KindTraits.table

  /// How far each column has been written.
  struct Cursor {
    var keys, numbers, jumps, taskTokens, taskIDs, values, addresses, near, runs: NumberWriter
    /// Events encoded so far.
    var events = 0
    var token = 0
    var tokensRest = 0
    var cpu = 0
    var cpusRest = 0
    /// The run of events of one CPU that may go on: its CPU, and its events so far.
    var runCPU: UInt16 = 0
    var runLength = 0
    /// Objects listed so far, object 0 among them.
    var objects = 1
    /// Tasks listed so far.
    var tasks = 0
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
    }
  }

  /// Where an event stands, and the objects it names.
  ///
  /// What an event or its kind says is read where it is needed: neither is copied.
  struct Place {
    let events: Lane<Event>
    let index: Int
    let kinds: Lane<KindTraits>
    let kind: Int
    let slot: Int
    let bank: Int
    let valueBank: Int
    /// Numbers of the objects, 0 where a field names none.
    let arg0: UInt32
    let arg1: UInt32
    let object: UInt32

    @inline(__always)
    var event: Event { events[index] }
    @inline(__always)
    var traits: KindTraits { kinds[kind] }
  }

  /// Encodes the next events of a block.
  func encode(_ events: Lane<Event>, _ cursor: inout Cursor) {
    let (registers, values, slots) = (state.registers, state.values, state.slots)
    let (objects, followers) = (state.objects, state.followers)
    let (steps, levels, tokens) = (shapes.steps, levels, tokens)
    let (tasks, numbers) = (traces.tasks, traces.numbers)
    let (times, keeps) = (traces.times.from(cursor.events), keepsGenerations)
    cursor.events += events.count
    var index = 0
    var (windowStart, windowEnd) = (0, 0)
    while index < events.count {
      let cpu = events[index].cpu
      var stop = index + 1
      while stop < events.count && events[stop].cpu == cpu { stop += 1 }
      addRun(cpu, stop - index, &cursor)
      let slotNumber = Int(cpu) & (EventShape.slots - 1)
      let bank = slotNumber * EventShape.bank
      let valueBank = slotNumber * EventShape.valueRegisters
      var slot = slots[slotNumber]
      while index < stop {
        if index == windowEnd {
          windowStart = index
          windowEnd = min(index + EncodeTraces.window, events.count)
          resolve(events, windowStart, windowEnd)
        }
        let event = events[index]
        let window = (index &- windowStart) &* 3
        index &+= 1
        times[index &- 1] = event.time &- slot.time
        slot.time = event.time
        cursor.timeMin = min(cursor.timeMin, event.time)
        cursor.timeMax = max(cursor.timeMax, event.time)
        let list = followers[slot.place]
        let front = Int(list & 0xffff)
        if front < shapes.count {
          let step = steps[front]
          if step.isSimple && step.kind == event.kind && step.context == event.context
            && step.flags == event.flags.rawValue && cursor.tasks > 0
            && tasks[Int(slot.task)] == event.task
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
                || traces.objects[Int(third)].marks & EncodeTraces.Mark.generation != 0
                  && objects[Int(third)].generation == event.generation)
            {
              registers[bank + Int(step.arg0.target)] = first
              registers[bank + Int(step.arg1.target)] = second
              registers[bank + Int(step.object.target)] = third
              tokens[cursor.token] = 0
              cursor.token &+= 1
              slot.place = front + 1
              continue
            }
          }
        }
        let place = Place(
          events: events, index: index &- 1, kinds: kinds, kind: Int(event.kind.rawValue),
          slot: slotNumber, bank: bank, valueBank: valueBank, arg0: numbers[window],
          arg1: numbers[window &+ 1], object: numbers[window &+ 2])
        encodeShape(place, &slot, list, &cursor)
      }
      slots[slotNumber] = slot
    }
  }

  /// Adds events of one CPU.
  private func addRun(_ cpu: UInt16, _ length: Int, _ cursor: inout Cursor) {
    if cursor.runLength == 0 || cursor.runCPU != cpu {
      endRun(&cursor)
      cursor.runCPU = cpu
    }
    cursor.runLength += length
  }

  /// Writes down the run at hand, if there is one: no event of its CPU follows.
  func endRun(_ cursor: inout Cursor) {
    guard cursor.runLength > 0 else { return }
    let cpu = cursor.runCPU
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
    NumberCode.append(UInt64(cursor.runLength - 1), &cursor.runs)
    cursor.runLength = 0
  }

  /// Finds the numbers of the objects that the events of a window name; those that are new get
  /// theirs, in the order in which they will be listed.
  private func resolve(_ events: Lane<Event>, _ start: Int, _ end: Int) {
    let (numbers, misses, recent, map) = (traces.numbers, traces.misses, traces.recent, objects)
    let count = remember(events, start, end)
    approach(count)
    for index in 0..<count {
      let (tag, key) = (misses[index].tag, misses[index].key)
      let number = map.numberOrAdd(tag, key)
      numbers[Int(misses[index].place)] = number
      recent[EncodeTraces.recentPlace(tag)] = EncodeTraces.Recent(
        tag: tag, key: key, number: number)
    }
  }

  /// Finds the numbers of those objects that have been looked up a short time ago; puts the others
  /// down in `traces.misses` and returns how many those are.
  ///
  /// Without a branch: whether an object is known cannot be foreseen.
  private func remember(_ events: Lane<Event>, _ start: Int, _ end: Int) -> Int {
    let (numbers, misses, recent, map) = (traces.numbers, traces.misses, traces.recent, objects)
    var count = 0
    for index in start..<end {
      let event = events[index]
      let traits = kinds[Int(event.kind.rawValue)]
      let place = (index &- start) &* 3
      @inline(__always)
      func look(_ place: Int, _ space: ObjectSpace, _ key: UInt64) {
        let tag = map.tag(space.rawValue, key)
        let known = recent[EncodeTraces.recentPlace(tag)]
        numbers[place] = known.number
        misses[count] = EncodeTraces.Miss(
          tag: tag, key: key, place: UInt32(truncatingIfNeeded: place))
        count &+= (known.tag ^ tag) | (known.key ^ key) == 0 ? 0 : 1
      }
      (numbers[place], numbers[place &+ 1], numbers[place &+ 2]) = (0, 0, 0)
      // Key 0 of an argument names nothing.
      if traits.arg0 != .none && event.arg0 != 0 { look(place, traits.arg0, event.arg0) }
      if traits.arg1 != .none && event.arg1 != 0 { look(place &+ 1, traits.arg1, event.arg1) }
      if traits.space != .none { look(place &+ 2, traits.space, event.object) }
    }
    return count
  }

  /// Touches what will be asked of the first `count` objects in `traces.misses`.
  ///
  /// It does not fit into a core's own cache. In loops this short many reads are under way at once.
  private func approach(_ count: Int) {
    let (misses, likely, map) = (traces.misses, traces.likely, objects)
    let (objects, known) = (state.objects, traces.objects)
    for index in 0..<count { likely[index] = map.likelyNumber(misses[index].tag) }
    var touched: UInt32 = 0
    for index in 0..<count {
      let number = Int(likely[index])
      touched &+= map.touch(number) &+ objects[number].next &+ known[number].keptAt
    }
    // Keeps the reads from being left out.
    traces.touched[0] = touched
  }
}
