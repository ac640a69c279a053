import ArgumentParser
import Replay
import TraceFormat

/// `--ordinal`, `--time`, `--cpu`, `--kind`, `--table`: which events are printed.
struct EventFilterOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Only events with these ordinals: A..B (both included), A.., ..B or A.", valueName: "A..B"))
  var ordinal: OrdinalRange?

  @Option(
    help: ArgumentHelp(
      "Only events from time A to B (both included), in seconds or, of a clock without seconds, "
        + "its ticks; either may be left out.", valueName: "A,B"))
  var time: TimeRange?

  @Option(help: ArgumentHelp("Only events of these CPUs (0,2).", valueName: "N,…"))
  var cpu: CPUList?

  @Option(
    help: ArgumentHelp("Only these kinds (pt_dtor,pt_free).", valueName: "NAME,…"),
    transform: KindList.init(parsing:))
  var kind: KindList?

  @Option(
    help: ArgumentHelp(
      "Only events about this page table, or one life of it (0x8a1f3#2).", valueName: "PFN[#GEN]"))
  var table: TableReference?
}

/// Decides for one event after another, in file order, whether it is wanted.
struct EventFilter {
  private let options: EventFilterOptions
  private let time: ClosedRange<UInt64>?
  /// Life of the wanted pfn that the last event about it belonged to.
  private var generation: UInt32 = 0

  /// Makes a filter for the trace `file` that has seen no event.
  init(_ options: EventFilterOptions, clock: Clock, file: String) throws {
    self.options = options
    time = try options.time?.units(clock, file)
  }

  /// Whether an event of this block may be wanted, by what the index says.
  func mayAccept(_ block: IndexEntry) -> Bool {
    if let range = options.ordinal, block.firstOrdinal > range.last { return false }
    // A table's life has to be followed from the start.
    if options.table != nil { return true }
    guard block.eventCount > 0 else { return false }
    if let range = options.ordinal,
      block.firstOrdinal &+ UInt64(block.eventCount) <= range.first
    {
      return false
    }
    if let time, block.timeMax < time.lowerBound || block.timeMin > time.upperBound {
      return false
    }
    if let cpu = options.cpu, !cpu.values.contains(where: block.mayContain(cpu:)) { return false }
    if let kind = options.kind, !kind.values.contains(where: block.contains) { return false }
    return true
  }

  /// Whether no event from `ordinal` on can be wanted.
  func isPast(_ ordinal: UInt64) -> Bool {
    guard let range = options.ordinal else { return false }
    return ordinal > range.last
  }

  /// Whether the event is wanted.
  mutating func accepts(_ event: Event, ordinal: UInt64) -> Bool {
    let isAboutTable = options.table.map { concerns($0, event) } ?? true
    guard isAboutTable else { return false }
    if let range = options.ordinal, ordinal < range.first || ordinal > range.last { return false }
    if let time, !time.contains(event.time) { return false }
    if let cpu = options.cpu, !cpu.values.contains(event.cpu) { return false }
    if let kind = options.kind, !kind.values.contains(event.kind) { return false }
    return true
  }

  /// An event about another object may name the table too (its lock, its own callback); it then
  /// belongs to the life the pfn is in at that place.
  private mutating func concerns(_ table: TableReference, _ event: Event) -> Bool {
    let fields = event.kind.fields
    var named = false
    if fields.space == .table, event.object == table.frame {
      generation = event.generation
      named = true
    }
    for (argument, value) in [(fields.arg0, event.arg0), (fields.arg1, event.arg1)]
    where argument.type == .pfn || Self.isFrame(argument, of: event) {
      if value == table.frame { named = true }
    }
    return named && (table.generation == nil || table.generation == generation)
  }

  /// Whether `argument` is the load of a callback of one table, which is that table's pfn.
  private static func isFrame(_ argument: EventArgument, of event: Event) -> Bool {
    guard argument.name == "load" else { return false }
    return event.arg0 == UInt64(CallbackFunction.freeDeferred.rawValue)
      || event.arg0 == UInt64(CallbackFunction.removeTableOne.rawValue)
  }
}

/// A range of ordinals, both ends included.
struct OrdinalRange: ExpressibleByArgument {
  let first: UInt64
  let last: UInt64

  init?(argument: String) {
    if let dots = argument.firstRange(of: "..") {
      let before = argument[..<dots.lowerBound]
      let after = argument[dots.upperBound...]
      guard let first = before.isEmpty ? 0 : number(before),
        let last = after.isEmpty ? .max : number(after), first <= last
      else { return nil }
      self.first = first
      self.last = last
    } else {
      guard let only = number(argument[...]) else { return nil }
      first = only
      last = only
    }
  }
}

/// A stretch of time, both ends included; without an end it has no bound there.
struct TimeRange: ExpressibleByArgument {
  private let first: PlaceArgument?
  private let last: PlaceArgument?

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
    guard parts.count == 2 else { return nil }
    let ends = parts.map {
      $0.isEmpty ? nil : PlaceArgument(argument: $0.hasPrefix("@") ? String($0) : "@" + $0)
    }
    guard zip(parts, ends).allSatisfy({ $0.isEmpty || $1 != nil }) else { return nil }
    (first, last) = (ends[0], ends[1])
  }

  /// The range in the units of `clock`.
  func units(_ clock: Clock, _ file: String) throws -> ClosedRange<UInt64> {
    func units(_ end: PlaceArgument?) throws -> UInt64? {
      guard case .time(let units)? = try end?.place(clock, file) else { return nil }
      return units
    }
    let low = try units(first) ?? 0
    let high = try units(last) ?? .max
    guard low <= high else {
      throw TraceError(
        file: file, what: "no time is in --time A,B if A is later than B", hint: "swap them")
    }
    return low...high
  }
}

/// CPUs by number, separated by commas.
struct CPUList: ExpressibleByArgument {
  let values: Set<UInt16>

  init?(argument: String) {
    let parts = argument.split(separator: ",").map { UInt16($0) }
    guard !parts.isEmpty, !parts.contains(nil) else { return nil }
    values = Set(parts.compactMap { $0 })
  }
}

/// Event kinds by name, separated by commas.
struct KindList {
  let values: Set<EventKind>

  init(parsing argument: String) throws {
    var values: Set<EventKind> = []
    for name in argument.split(separator: ",") {
      guard let kind = EventKind(name: String(name)) else {
        throw ValidationError("no event kind is called '\(name)'; docs/EVENTS.md lists them")
      }
      values.insert(kind)
    }
    guard !values.isEmpty else { throw ValidationError("--kind names no event kind") }
    self.values = values
  }
}

/// A page table: its pfn, and which life of it.
struct TableReference: ExpressibleByArgument {
  let frame: UInt64
  let generation: UInt32?

  init?(argument: String) {
    let parts = argument.split(separator: "#", omittingEmptySubsequences: false)
    guard parts.count <= 2, let frame = number(parts[0]) else { return nil }
    self.frame = frame
    if parts.count == 2 {
      guard let generation = UInt32(parts[1]) else { return nil }
      self.generation = generation
    } else {
      generation = nil
    }
  }
}

/// A number as `dump` prints one: decimal, or hexadecimal after `0x`.
private func number(_ text: Substring) -> UInt64? {
  // Swift's parser takes a sign, which no ordinal and no pfn has.
  guard text.allSatisfy({ $0.isHexDigit || $0 == "x" }) else { return nil }
  if text.hasPrefix("0x") { return UInt64(text.dropFirst(2), radix: 16) }
  return UInt64(text)
}
