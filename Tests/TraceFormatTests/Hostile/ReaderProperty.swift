import Glibc

@testable import TraceFormat

/// What the reader owes any bytes whatever: an error or events, and the same ones on every way.
///
/// Verifies that a file, a pipe, a seek and a selection of blocks agree with reading from front to
/// back. What it does not verify: that the events are those somebody wrote; ``RoundTripProperty``
/// does that.
enum ReaderProperty {
  /// Everything one pass over a trace gave.
  private struct Outcome {
    /// Ordinal of the first event.
    var first: UInt64 = 0
    var events: [Event] = []
    var names: [String?] = []
    var error: TraceError?
    var isComplete = false
  }

  /// Checks the bytes as they are, and with their checksums made right.
  static func check(_ bytes: [UInt8]) throws {
    try checkOnce(bytes)
    let repaired = ChecksumRepair.repaired(bytes)
    if repaired != bytes { try checkOnce(repaired) }
  }

  private static func checkOnce(_ bytes: [UInt8]) throws {
    guard let reader = try open({ try TraceReader(bytes: bytes) }) else { return }
    let indexed = reader.eventCount
    let whole = try readAll(reader)
    if whole.error == nil {
      try demand(UInt64(whole.events.count) == indexed, "the index counts other events")
      try demand(whole.isComplete || reader.warning != nil, "a missing end is not told")
    }
    _ = try? reader.columnSizes()
    for entry in reader.snapshots { _ = reader.history(before: entry.ordinal) }
    try checkPipe(bytes, whole)
    try checkSeeks(bytes, whole, whole.first + (indexed ?? 0))
    try checkSelection(bytes, whole)
  }

  /// Runs an initialiser; nil for the error it may throw.
  private static func open(_ make: () throws -> TraceReader) throws -> TraceReader? {
    do {
      return try make()
    } catch is TraceError {
      return nil
    }
  }

  private static func readAll(_ reader: TraceReader) throws -> Outcome {
    var outcome = Outcome()
    outcome.first = reader.firstOrdinal
    var batch = EventBatch()
    do {
      while try reader.next(into: &batch) {
        let place = outcome.first + UInt64(outcome.events.count)
        try demand(batch.firstOrdinal == place, "ordinals jump")
        outcome.events += batch.events
        outcome.names += batch.events.map { reader.taskName($0.task) }
        for event in batch.events where event.kind == .mark { _ = reader.string(event.object) }
      }
    } catch let error as TraceError {
      outcome.error = error
    }
    outcome.isComplete = reader.isComplete
    return outcome
  }

  private static func checkPipe(_ bytes: [UInt8], _ whole: Outcome) throws {
    // More does not fit into a pipe nobody reads from.
    guard bytes.count <= 60_000, let pipe = Pipe(bytes) else { return }
    guard let reader = try open({ try TraceReader(path: pipe.path) }) else {
      throw PropertyViolation("a pipe cannot be opened where a file can")
    }
    let piped = try readAll(reader)
    let common = min(piped.events.count, whole.events.count)
    try demand(piped.events[..<common] == whole.events[..<common], "a pipe gives other events")
    try demand(piped.names[..<common] == whole.names[..<common], "a pipe gives other names")
    if whole.error == nil {
      try demand(piped.error == nil, "a pipe gives an error: \(piped.error!.what)")
      try demand(piped.events.count == whole.events.count, "a pipe gives fewer events")
      try demand(piped.isComplete == whole.isComplete, "a pipe ends otherwise")
    }
  }

  private static func checkSeeks(_ bytes: [UInt8], _ whole: Outcome, _ indexed: UInt64) throws {
    let count = whole.events.count
    let targets = [0, 1, count / 2, count - 1, count, count + 1].map {
      whole.first + UInt64(max($0, 0))
    }
    let reader = try TraceReader(bytes: bytes)
    var batch = EventBatch()
    let end = whole.first + UInt64(count)
    for target in targets + [0, indexed / 2, indexed &- 1, indexed, indexed &+ 1, .max] {
      do {
        try reader.seek(toOrdinal: target)
        guard try reader.next(into: &batch) else {
          let isThere = target < end
          try demand(!isThere, "a seek to \(target) of \(count) events finds none")
          continue
        }
        let first = Int(clamping: batch.firstOrdinal - whole.first)
        if first < count {
          try demand(
            batch.firstOrdinal == max(target, whole.first),
            "a seek to \(target) finds \(batch.firstOrdinal)")
          let common = min(batch.events.count, count - first)
          try demand(
            batch.events[..<common] == whole.events[first..<(first + common)][...],
            "a seek to \(target) gives other events")
          try demand(
            reader.taskName(batch.events[0].task) == whole.names[first],
            "a seek to \(target) gives another name")
        }
      } catch is TraceError {
        try demand(
          target >= end || whole.error != nil, "a seek to \(target) fails")
      }
    }
  }

  private static func checkSelection(_ bytes: [UInt8], _ whole: Outcome) throws {
    let reader = try TraceReader(bytes: bytes)
    var wanted: [ClosedRange<UInt64>] = []
    for (number, entry) in reader.index.enumerated() where number % 2 == 1 && entry.eventCount > 0 {
      let (end, overflow) = entry.firstOrdinal.addingReportingOverflow(UInt64(entry.eventCount - 1))
      if !overflow { wanted.append(entry.firstOrdinal...end) }
    }
    reader.wantsBlock = { entry in wanted.contains { $0.contains(entry.firstOrdinal) } }
    var batch = EventBatch()
    do {
      while try reader.next(into: &batch) {
        let first = Int(clamping: batch.firstOrdinal - whole.first)
        guard first + batch.events.count <= whole.events.count else { return }
        try demand(
          batch.events[...] == whole.events[first..<(first + batch.events.count)],
          "a selection gives other events")
      }
    } catch is TraceError {
      try demand(whole.error != nil, "a selection fails where the whole does not")
    }
  }
}

/// A pipe that holds some bytes and then ends.
private final class Pipe {
  private let descriptor: Int32

  /// A name it can be opened by.
  var path: String { "/proc/self/fd/\(descriptor)" }

  init?(_ bytes: [UInt8]) {
    var ends: [Int32] = [-1, -1]
    guard unsafe pipe(&ends) == 0 else { return nil }
    descriptor = ends[0]
    let written = unsafe bytes.withUnsafeBytes { unsafe write(ends[1], $0.baseAddress, $0.count) }
    close(ends[1])
    if written != bytes.count { return nil }
  }

  deinit { close(descriptor) }
}
