/// Fields that name no object.
extension EncodeKernel {
  /// The registers of values and of addresses that came too late for one of their own.
  private static let lastValueRegister = EventShape.firstAddressRegister - 1
  private static let lastAddressRegister = EventShape.valueRegisters - 1

  /// The register that belongs to a field of a kind.
  private func valueRole(
    _ field: Int, _ isAddress: Bool, _ place: Place, _ cursor: inout Cursor
  ) -> UInt8 {
    let index = field * 256 + Int(place.event.kind.rawValue)
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
  @inline(__always)
  func plain(
    _ value: UInt64, _ field: Int, _ sort: KindTraits.PlainValue, _ likely: ShapeStep.StepField,
    _ object: UInt32, _ place: Place, _ constant: inout UInt64, _ cursor: inout Cursor
  ) -> EventShape.Field {
    if value == 0 { return EventShape.Field(way: EventShape.Way.same) }
    if sort == .choice && value &+ 256 < 512 {
      constant = value
      return EventShape.Field(way: EventShape.Way.constant)
    }
    if likely.way == EventShape.Way.same,
      state.values[place.valueBank &+ Int(likely.valueSource)] == value
    {
      return EventShape.Field(way: EventShape.Way.same, source: likely.valueSource)
    }
    return otherValue(value, field, sort == .slot || sort == .address, object, place, &cursor)
  }

  /// Encodes a plain value that is not as it was.
  @inline(never)
  private func otherValue(
    _ value: UInt64, _ field: Int, _ isAddress: Bool, _ object: UInt32, _ place: Place,
    _ cursor: inout Cursor
  ) -> EventShape.Field {
    let own = valueRole(field, isAddress, place, &cursor)
    let last = state.values[place.valueBank &+ Int(own)]
    if last == value { return EventShape.Field(way: EventShape.Way.same, source: own) }
    if isAddress && object != 0
      && traces.objects[Int(object)].marks & EncodeTraces.Mark.bound != 0
    {
      let bound = state.objects[Int(object)].bound
      let difference = Varint.zigzag(value &- bound)
      if difference < NumberCode.firstMedium {
        state.values[place.valueBank &+ Int(own)] = value
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
    state.values[place.valueBank &+ Int(own)] = value
    let difference = Varint.zigzag(value &- last)
    guard isAddress else {
      NumberCode.append(difference, &cursor.values)
      return EventShape.Field(way: EventShape.Way.value, source: own, target: own)
    }
    NumberCode.append(difference, &cursor.addresses)
    guard object != 0 else {
      return EventShape.Field(way: EventShape.Way.address, source: own, target: own)
    }
    state.objects[Int(object)].bound = value
    traces.objects[Int(object)].marks |= EncodeTraces.Mark.bound
    return EventShape.Field(way: EventShape.Way.slot, source: own, target: own)
  }
}
