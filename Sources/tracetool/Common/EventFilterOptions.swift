import ArgumentParser
import Replay
import TraceFormat

/// `--ordinal`, `--time`, `--cpu`, `--kind`, `--table`: which events a verb is about.
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

  /// The options in words; nil if none is given.
  var phrase: String? {
    var parts: [String] = []
    if let ordinal { parts.append("events \(ordinal.text)") }
    if let time { parts.append("times \(time.text)") }
    if let cpu {
      parts.append("CPU " + cpu.values.sorted().map(String.init).joined(separator: ","))
    }
    if let kind {
      let kinds = kind.values.sorted { $0.rawValue < $1.rawValue }
      parts.append(kinds.map(\.name).joined(separator: ","))
    }
    if let table { parts.append("table \(table.text)") }
    return parts.isEmpty ? nil : parts.joined(separator: ", ")
  }
}

extension EventSelection {
  /// What the options ask for in the trace `file`.
  init(_ options: EventFilterOptions, clock: Clock, file: String) throws {
    self.init()
    if let ordinal = options.ordinal { ordinals = ordinal.first...ordinal.last }
    times = try options.time?.units(clock, file)
    cpus = options.cpu?.values
    kinds = options.kind?.values
    if let table = options.table {
      self.table = Table(frame: table.frame, generation: table.generation)
    }
  }
}

/// A range of ordinals, both ends included.
struct OrdinalRange: ExpressibleByArgument {
  let first: UInt64
  let last: UInt64
  /// As it was given.
  let text: String

  init?(argument: String) {
    text = argument
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
  /// As it was given.
  let text: String
  private let first: PlaceArgument?
  private let last: PlaceArgument?

  init?(argument: String) {
    text = argument
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
  /// As it was given.
  let text: String

  init?(argument: String) {
    text = argument
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
