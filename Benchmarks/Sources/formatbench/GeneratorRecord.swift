import TraceFormat

/// Maps the 32-byte records of the peers' generator (`ptgen`) to our events; the table is in
/// ../../README.md.
struct GeneratorRecordMapper {
  /// Section each CPU reads in.
  private var sections = [UInt64](repeating: 0, count: 65_536)

  /// Bytes of a record.
  static let size = 32
  private static let mapLockBase: UInt64 = 0xffff_ea00_0000_0028

  /// The event of the record at `offset`; nil for a type that does not exist.
  @inline(__always)
  mutating func event(_ bytes: borrowing RawSpan, at offset: Int) -> Event? {
    func load<T: FixedWidthInteger & BitwiseCopyable>(_ at: Int, _: T.Type) -> T {
      unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset + at, as: T.self)
    }
    let (time, key) = (load(0, UInt64.self), load(8, UInt64.self))
    let mm = load(16, UInt32.self)
    let batch = UInt64(load(20, UInt32.self))
    let aux = UInt64(load(24, UInt32.self))
    let cpu = load(28, UInt16.self)
    let flags = UInt64(load(30, UInt16.self))
    let pfn = key & ((1 << 52) - 1)
    let space = UInt64(mm)
    var kind = EventKind.quiesce
    var (object, arg0, arg1) = (pfn, UInt64(0), UInt64(0))
    switch key >> 56 {
    case 0: (kind, arg0, arg1) = (.tableAlloc, space, flags)
    case 1: (kind, arg0, arg1) = (.tableConstruct, space, 1)
    case 2: (kind, arg0, arg1) = (.tableInstall, space, aux << 5)
    case 3: (kind, arg0, arg1) = (.tableUnlink, space, aux << 5)
    case 4: (kind, arg0, arg1) = (.tableQueueBatch, batch, space)
    case 5: (kind, object, arg0, arg1) = (.callRCU, batch, 1, aux)
    case 6: (kind, object) = (.gracePeriodStart, aux)
    case 7: (kind, object) = (.gracePeriodEnd, aux)
    case 8: (kind, object, arg0, arg1) = (.callbackStart, batch, 1, aux)
    case 9: (kind, object, arg0) = (.callbackEnd, batch, 1)
    case 10: (kind, arg1) = (.tableDestruct, .max)
    case 11: (kind, arg0) = (.tableFree, 1)
    case 12:
      sections[Int(cpu)] = aux
      (kind, object, arg0, arg1) = (.readerEnter, aux, 1, space)
    case 13: (kind, object, arg0) = (.readerExit, sections[Int(cpu)], 1)
    case 14: (kind, arg0, arg1) = (.readerLoad, sections[Int(cpu)], aux)
    case 15: (kind, arg1) = (.readerLoad, aux)
    case 16: (kind, object, arg1) = (.lockAcquire, Self.mapLockBase + (pfn << 6), pfn)
    case 17: (kind, object, arg1) = (.lockRelease, Self.mapLockBase + (pfn << 6), pfn)
    case 18: (kind, object, arg0, arg1) = (.flushEnd, space, aux, flags)
    case 19: kind = .ipiSyncEnd
    default: return nil
    }
    return Event(
      kind, time: time, cpu: cpu, task: mm, object: object, arg0: arg0, arg1: arg1,
      level: Self.carriesLevel >> (key >> 56) & 1 != 0
        ? TableLevel(rawValue: UInt8(key >> 52 & 15) + 1) ?? .unknown : .unknown)
  }

  /// Bit of each type that carries a level: 0 … 4, 10, 11, 14, 15.
  private static let carriesLevel: UInt64 = 0xcc1f
}
