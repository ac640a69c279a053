import TraceFormat

/// Streams of events for tests, made from a seed.
enum EventStreams {
  /// How far a stream is from anything a kernel does.
  enum Shape: CaseIterable {
    /// Any value in any field.
    case wild
    /// Few keys, few CPUs, so that references and generations are used.
    case narrow
    /// Lives of tables in order, on a few CPUs.
    case lives
  }

  /// `count` events.
  static func make(_ shape: Shape, count: Int, seed: UInt64) -> [Event] {
    var random = SplitMix64(seed: seed)
    switch shape {
    case .wild: return (0..<count).map { _ in wild(&random) }
    case .narrow: return (0..<count).map { narrow(&random, ordinal: $0) }
    case .lives: return lives(count: count, &random)
    }
  }

  private static func wild(_ random: inout SplitMix64) -> Event {
    let edges: [UInt64] = [0, 1, .max, .max - 1, 1 << 63, (1 << 63) - 1, 0xffff_ffff, 1 << 32]
    func value(_ random: inout SplitMix64) -> UInt64 {
      Bool.random(using: &random)
        ? random.next() >> UInt64.random(in: 0...63, using: &random)
        : edges.randomElement(using: &random)!
    }
    return Event(
      EventKind.allCases.randomElement(using: &random)!, time: value(&random),
      cpu: UInt16.random(in: 0...(.max), using: &random),
      task: UInt32.random(in: 0...(.max), using: &random),
      context: ExecutionContext.allCases.randomElement(using: &random)!, object: value(&random),
      arg0: value(&random), arg1: value(&random),
      level: TableLevel.allCases.randomElement(using: &random)!,
      flags: EventFlags(rawValue: UInt8.random(in: 0...(.max), using: &random)),
      generation: UInt32.random(in: 0...(.max), using: &random))
  }

  private static func narrow(_ random: inout SplitMix64, ordinal: Int) -> Event {
    Event(
      EventKind.allCases.randomElement(using: &random)!,
      time: UInt64(ordinal) * 10 + UInt64.random(in: 0...30, using: &random),
      cpu: UInt16.random(in: 0...5, using: &random), task: UInt32.random(in: 0...9, using: &random),
      object: UInt64.random(in: 0...20, using: &random),
      arg0: UInt64.random(in: 0...20, using: &random),
      arg1: UInt64.random(in: 0...20, using: &random))
  }

  private static func lives(count: Int, _ random: inout SplitMix64) -> [Event] {
    var events: [Event] = []
    var time: UInt64 = 1_000_000
    let mm: UInt64 = 0xffff_8800_0123_4000
    func add(_ kind: EventKind, _ object: UInt64, _ arg0: UInt64 = 0, _ arg1: UInt64 = 0) {
      time += UInt64.random(in: 30...900, using: &random)
      events.append(
        Event(
          kind, time: time, cpu: UInt16(events.count / 40 % 4), task: 100, object: object,
          arg0: arg0, arg1: arg1, level: .pte))
    }
    while events.count < count {
      let tables = (0..<4).map { _ in 0x80000 + UInt64.random(in: 0...500, using: &random) }
      for table in tables {
        add(.tableAlloc, table, mm, 0)
        add(.lockAlloc, 0xffff_8800_0000_0000 + table << 6, table)
        add(.tableConstruct, table, mm, 1)
        add(.tableInstall, table, mm, table << 3)
      }
      for table in tables { add(.tableUnlink, table, mm, table << 3) }
      for table in tables { add(.tableQueueBatch, table, 0xffff_8000_0bad_c000, mm) }
      add(.callRCU, 0xffff_8800_7654_3000, 1, 4)
      add(.callbackStart, 0xffff_8800_7654_3000, 1, 4)
      for table in tables {
        add(.lockFree, 0xffff_8800_0000_0000 + table << 6, table)
        add(.tableDestruct, table, 0, .max)
        add(.tableFree, table, 1, 0)
      }
      add(.callbackEnd, 0xffff_8800_7654_3000, 1)
    }
    return Array(events[..<count])
  }
}
