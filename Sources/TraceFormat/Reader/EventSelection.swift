/// Which events of a trace are wanted: all that pass every test that is set.
///
/// One and the same description chooses blocks by the index (``mayContain(_:)``) and events one
/// by one (``contains(_:ordinal:)``), for every verb that looks at a part of a trace.
public struct EventSelection: Sendable {
  /// A page table, or one life of it.
  public struct Table: Sendable, Equatable {
    /// Page frame number.
    public var frame: UInt64
    /// Which life; nil for all.
    public var generation: UInt32?

    /// Names a table.
    public init(frame: UInt64, generation: UInt32? = nil) {
      self.frame = frame
      self.generation = generation
    }
  }

  /// Ordinals, both ends included.
  public var ordinals: ClosedRange<UInt64>?
  /// Times in the units of the clock, both ends included.
  public var times: ClosedRange<UInt64>?
  /// CPUs.
  public var cpus: Set<UInt16>?
  /// Kinds.
  public var kinds: Set<EventKind>?
  /// The table events have to name.
  public var table: Table?
  /// Life of the wanted table that the last event about it belonged to.
  private var generation: UInt32 = 0

  /// Everything.
  public init() {}

  /// Whether nothing is ruled out.
  public var isEverything: Bool {
    ordinals == nil && times == nil && cpus == nil && kinds == nil && table == nil
  }

  /// Whether a wanted event may be in this block, by what the index says.
  public func mayContain(_ block: IndexEntry) -> Bool {
    guard block.eventCount > 0 else { return false }
    if let ordinals,
      block.firstOrdinal > ordinals.upperBound || block.endOrdinal <= ordinals.lowerBound
    {
      return false
    }
    if let times, block.timeMax < times.lowerBound || block.timeMin > times.upperBound {
      return false
    }
    if let cpus, !cpus.contains(where: block.mayContain(cpu:)) { return false }
    if let kinds, !kinds.contains(where: block.contains) { return false }
    if let table, !block.tables.mayContain(table.frame) { return false }
    return true
  }

  /// Whether this block has to be read to tell which events are wanted: because one may be in it,
  /// or because it may say which life of the wanted table later events belong to.
  public func needs(_ block: IndexEntry) -> Bool {
    if let table, table.generation != nil, block.tables.mayContain(table.frame) {
      return !isPast(block.firstOrdinal)
    }
    return mayContain(block)
  }

  /// Whether no event from `ordinal` on can be wanted.
  public func isPast(_ ordinal: UInt64) -> Bool {
    ordinals.map { ordinal > $0.upperBound } ?? false
  }

  /// Whether an event is wanted. Events have to be given in the order of the trace; those of
  /// blocks that are not needed may be left out.
  public mutating func contains(_ event: Event, ordinal: UInt64) -> Bool {
    if let table, !concerns(table, event) { return false }
    if let ordinals, !ordinals.contains(ordinal) { return false }
    if let times, !times.contains(event.time) { return false }
    if let cpus, !cpus.contains(event.cpu) { return false }
    if let kinds, !kinds.contains(event.kind) { return false }
    return true
  }

  /// An event about another object may name the table too (its lock, its own callback); it then
  /// belongs to the life the pfn is in at that place.
  private mutating func concerns(_ table: Table, _ event: Event) -> Bool {
    if event.object == table.frame,
      KindTraits.table[Int(event.kind.rawValue)].space == .table
    {
      generation = event.generation
    }
    guard event.names(table: table.frame) else { return false }
    return table.generation == nil || table.generation == generation
  }
}
