import TraceFormat

/// Turns the 32-byte records of the peers' generator (`ptgen`) into events a judge can judge.
///
/// Two records become more than one event, so that what the peers check is there to be checked: a
/// constructor allocates the table's ptlock and a destructor frees it. A `walk` and a `gup_access`
/// are accesses, the latter inside its section; `ipi_sync` of a table is a fallback.
struct GeneratorEvents {
  /// Section each CPU reads in, and how many there were.
  private var sections = [UInt64](repeating: 0, count: 65_536)
  private var sectionCount: UInt64 = 0

  /// Bytes of a record.
  static let size = 32
  private static let lockBase: UInt64 = 0xffff_ea00_0000_0028

  /// Appends the events of a record; false for a type that does not exist.
  mutating func append(_ record: Record, to events: inout [Event]) -> Bool {
    let (pfn, mm, cpu) = (record.pfn, UInt64(record.mm), record.cpu)
    let (batch, aux) = (UInt64(record.batch), UInt64(record.aux))
    let lock = Self.lockBase &+ pfn << 6
    func emit(
      _ kind: EventKind, _ object: UInt64, _ arg0: UInt64 = 0, _ arg1: UInt64 = 0,
      _ context: ExecutionContext = .task
    ) {
      events.append(
        Event(
          kind, time: record.time, cpu: cpu, task: record.mm, context: context, object: object,
          arg0: arg0, arg1: arg1, level: record.level))
    }
    switch record.type {
    case 0: emit(.tableAlloc, pfn, mm, UInt64(record.flags))
    case 1:
      emit(.lockAlloc, lock, pfn)
      emit(.tableConstruct, pfn, mm, 1)
    case 2: emit(.tableInstall, pfn, mm, aux << 5)
    case 3: emit(.tableUnlink, pfn, mm, aux << 5)
    case 4: emit(.tableQueueBatch, pfn, batch, mm)
    case 5: emit(.callRCU, batch, 1, aux)
    case 6: emit(.gracePeriodStart, aux << 2 | 1)
    case 7: emit(.gracePeriodEnd, aux << 2 | 1)
    case 8: emit(.callbackStart, batch, 1, aux, .softirq)
    case 9: emit(.callbackEnd, batch, 1)
    case 10:
      emit(.lockFree, lock, pfn)
      emit(.tableDestruct, pfn, 0, .max)
    case 11: emit(.tableFree, pfn, 1)
    case 12:
      sectionCount += 1
      sections[Int(cpu)] = sectionCount
      emit(.readerEnter, sectionCount, 1, mm)
    case 13: emit(.readerExit, sections[Int(cpu)], 1)
    case 14: emit(.readerAccess, pfn, sections[Int(cpu)], aux)
    case 15: emit(.readerAccess, pfn, 0, aux)
    case 16: emit(.lockAcquire, lock, 0, pfn)
    case 17: emit(.lockRelease, lock, 0, pfn)
    case 18: emit(.flushEnd, mm, aux, UInt64(record.flags))
    case 19: emit(.ipiSyncEnd, pfn)
    default: return false
    }
    return true
  }

  /// One record, taken apart.
  struct Record {
    let time: UInt64
    let type: UInt8
    let level: TableLevel
    let pfn: UInt64
    let mm: UInt32
    let batch: UInt32
    let aux: UInt32
    let cpu: UInt16
    let flags: UInt16

    /// The record at `offset`, little endian.
    init(_ bytes: [UInt8], at offset: Int) {
      func load(_ at: Int, _ count: Int) -> UInt64 {
        var value: UInt64 = 0
        for index in (0..<count).reversed() {
          value = value << 8 | UInt64(bytes[offset + at + index])
        }
        return value
      }
      let key = load(8, 8)
      time = load(0, 8)
      type = UInt8(key >> 56)
      level =
        [0, 1, 2, 3, 4, 10, 11, 14, 15].contains(type)
        ? TableLevel(rawValue: UInt8(key >> 52 & 15) + 1) ?? .unknown : .unknown
      pfn = key & ((1 << 52) - 1)
      mm = UInt32(load(16, 4))
      batch = UInt32(load(20, 4))
      aux = UInt32(load(24, 4))
      cpu = UInt16(load(28, 2))
      flags = UInt16(load(30, 2))
    }
  }
}
