import TraceFormat

/// Any sequence of events, read off any bytes: what a fuzzer changes is a script of small steps.
///
/// Each event is a step from the one before, so that few bytes make both what a kernel does
/// (the same objects again, time that grows a little) and what none does.
struct EventScript {
  private let bytes: [UInt8]
  private var place = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { place >= bytes.count }

  /// The next byte; 0 behind the end.
  mutating func byte() -> UInt8 {
    guard place < bytes.count else { return 0 }
    defer { place += 1 }
    return bytes[place]
  }

  /// A number of up to eight bytes: a byte that says how it is made, then what that needs.
  mutating func number(from last: UInt64) -> UInt64 {
    let how = byte()
    switch how {
    case 0..<64: return UInt64(how)
    case 64..<128: return last &+ UInt64(how - 64)
    case 128..<160: return last &- UInt64(how - 128)
    case 160..<168: return UInt64.max >> UInt64(8 * (how - 160))
    case 168..<176: return 1 << UInt64(8 * (how - 168))
    case 176..<192: return last &+ (UInt64(byte()) << UInt64(4 * (how - 176)))
    default: return (0..<Int(how & 7) + 1).reduce(0) { value, _ in value << 8 | UInt64(byte()) }
    }
  }

  private var last = Event(.quiesce, time: 0)

  /// The next event.
  mutating func event() -> Event {
    let kinds = EventKind.allCases
    let places = byte()
    var event = last
    event.kind = kinds[Int(byte()) % kinds.count]
    if places & 1 != 0 { event.cpu = UInt16(truncatingIfNeeded: number(from: UInt64(last.cpu))) }
    if places & 2 != 0 { event.task = UInt32(truncatingIfNeeded: number(from: UInt64(last.task))) }
    if places & 4 != 0 {
      let mixed = byte()
      event.context = ExecutionContext.allCases[Int(mixed) % ExecutionContext.allCases.count]
      event.level = TableLevel.allCases[Int(mixed >> 4) % TableLevel.allCases.count]
    }
    if places & 8 != 0 { event.flags = EventFlags(rawValue: byte()) }
    if places & 16 != 0 { event.object = number(from: last.object) }
    if places & 32 != 0 { event.arg0 = number(from: last.arg0) }
    if places & 64 != 0 { event.arg1 = number(from: last.arg1) }
    event.time = number(from: last.time)
    if places & 128 != 0 {
      event.generation = UInt32(truncatingIfNeeded: number(from: UInt64(last.generation)))
    }
    last = event
    return event
  }
}
