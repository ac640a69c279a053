/// Fields that name an object.
extension EncodeKernel {
  /// Registers from here on belong to a space each.
  private static let firstShared = 56

  /// The register that belongs to a field of a kind.
  @inline(__always)
  func role(
    _ field: Int, _ space: ObjectSpace, _ place: Place, _ cursor: inout Cursor
  ) -> UInt8 {
    if space == .mm { return UInt8(Self.firstShared) + space.rawValue }
    let index = field * 256 + Int(place.event.kind.rawValue)
    let known = traces.roles[index]
    if known != 0 { return known }
    var register = Self.firstShared + Int(space.rawValue)
    if cursor.registers < Self.firstShared {
      register = cursor.registers
      cursor.registers += 1
    }
    traces.roles[index] = UInt8(register)
    return UInt8(register)
  }

  /// Encodes a reference to `object`, which is 0 for key 0 of an argument. `partner` is the
  /// register of the table a lock belongs to, 0 if none is known.
  @inline(__always)
  func reference(
    _ object: UInt32, _ key: UInt64, _ field: Int, _ space: ObjectSpace,
    _ likely: ShapeStep.StepField, _ partner: UInt8, _ place: Place, _ cursor: inout Cursor
  ) -> EventShape.Field {
    if object == 0 { return EventShape.Field() }
    let target = role(field, space, place, &cursor)
    var shape = EventShape.Field(way: likely.way, source: likely.source, target: target)
    if find(likely.way, likely.source, place) != object {
      if Int(object) == cursor.objects {
        shape = add(key, space, target, partner, place, &cursor)
      } else {
        shape =
          findFree(object, space, target, partner, place, cursor.registers)
          ?? tell(object, target, place, &cursor)
      }
    }
    if shape.way == EventShape.Way.freed { _ = state.pop(ring(place, space)) }
    state.registers[place.bank &+ Int(target)] = object
    return shape
  }

  /// Looks for a way to an object that costs nothing.
  @inline(never)
  private func findFree(
    _ object: UInt32, _ space: ObjectSpace, _ own: UInt8, _ partner: UInt8, _ place: Place,
    _ registers: Int
  ) -> EventShape.Field? {
    let held = state.registers[place.bank &+ Int(own)]
    if held == object { return EventShape.Field(source: own, target: own) }
    if space != .mm {
      for register in 2..<registers where state.registers[place.bank + register] == object {
        return EventShape.Field(source: UInt8(register), target: own)
      }
    }
    if state.objects[Int(held)].next == object {
      return EventShape.Field(way: EventShape.Way.next, source: own, target: own)
    }
    if state.objects[Int(held)].previous == object {
      return EventShape.Field(way: EventShape.Way.previous, source: own, target: own)
    }
    if partner != 0 && find(EventShape.Way.peer, partner, place) == object {
      return EventShape.Field(way: EventShape.Way.peer, source: partner, target: own)
    }
    if place.traits.startsGeneration && (space == .table || space == .lock) {
      let ring: UInt8 = space == .lock ? 1 : 0
      if find(EventShape.Way.freed, ring, place) == object {
        return EventShape.Field(way: EventShape.Way.freed, source: ring, target: own)
      }
    }
    return nil
  }

  /// Tells which of the known objects is meant.
  @inline(never)
  private func tell(
    _ object: UInt32, _ target: UInt8, _ place: Place, _ cursor: inout Cursor
  ) -> EventShape.Field {
    let kept = traces.objects[Int(object)]
    let back = Int(state.recentCounts[place.slot]) - 1 - Int(kept.keptAt)
    if kept.keptBy == place.slot && back < EventShape.recents {
      NumberCode.append(UInt64(back), &cursor.numbers)
      return EventShape.Field(way: EventShape.Way.recent, target: target)
    }
    NumberCode.append(UInt64(cursor.objects - 1 - Int(object)), &cursor.numbers)
    keep(object, place.slot)
    return EventShape.Field(way: EventShape.Way.number, target: target)
  }

  func ring(_ place: Place, _ space: ObjectSpace) -> Int {
    place.slot &* 2 &+ (space == .lock ? 1 : 0)
  }

  /// The object a way that costs nothing leads to.
  @inline(__always)
  private func find(_ way: UInt8, _ source: UInt8, _ place: Place) -> UInt32 {
    let object = state.registers[place.bank &+ Int(source)]
    switch way {
    case EventShape.Way.register: return object
    case EventShape.Way.next: return state.objects[Int(object)].next
    case EventShape.Way.previous: return state.objects[Int(object)].previous
    case EventShape.Way.peer: return state.objects[Int(object)].peer
    case EventShape.Way.freed:
      let ring = place.slot &* 2 &+ Int(source & 1)
      return state.rings[ring * EventShape.ringSize + Int(state.tops[ring])]
    default: return 0
    }
  }

  /// Keeps an object among the recent ones of a slot.
  private func keep(_ object: UInt32, _ slot: Int) {
    traces.objects[Int(object)].keptBy = UInt8(truncatingIfNeeded: slot)
    traces.objects[Int(object)].keptAt = state.recentCounts[slot]
    state.keep(object, slot)
  }

  /// Lists an object that is new in the block: the next one.
  @inline(never)
  private func add(
    _ key: UInt64, _ space: ObjectSpace, _ target: UInt8, _ partner: UInt8, _ place: Place,
    _ cursor: inout Cursor
  ) -> EventShape.Field {
    let number = cursor.objects
    cursor.objects += 1
    state.objects[number] = BlockState.Object(key: key)
    traces.objects[number] = EncodeTraces.Object(space: space.rawValue)
    if keepsGenerations { traces.starts[number] = 0 }
    levels[number - 1] = 0
    let listed = state.listed[Int(target)]
    state.listed[Int(target)] = key
    if partner != 0 {
      let table = state.objects[Int(state.registers[place.bank &+ Int(partner)])].key
      if cursor.bias == nil { cursor.bias = key &- table &* 64 }
      if key == table &* 64 &+ cursor.bias! {
        return EventShape.Field(way: EventShape.Way.derived, source: partner, target: target)
      }
    }
    let own = state.registers[place.bank &+ Int(target)]
    if space == .table && own != 0 {
      appendKey(key, after: state.objects[Int(own)].key, &cursor)
      keep(UInt32(truncatingIfNeeded: number), place.slot)
      return EventShape.Field(way: EventShape.Way.new, source: target, target: target)
    }
    NumberCode.append(Varint.zigzag(key &- listed), &cursor.keys)
    return EventShape.Field(way: EventShape.Way.newAfterListed, target: target)
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
}
