import Foundation
import Testing
import TraceFormat

@testable import Replay

/// A hole that a trace tells of when it is over puts in doubt what was concluded inside it.
@Suite struct LateHoleTests {
  /// An early destructor in the first life, a lawful life, and last a hole of `cpu` that began at
  /// the event with ordinal `since`.
  private static func trace(holeOf cpu: UInt16 = 0, since: Int?) -> Trace {
    Trace {
      $0.born(1)
      $0.s1([1])
      $0.born(2)
      $0.s3([2])
      guard let since else { return }
      let began = $0.events[since].time
      $0.on(cpu: cpu) {
        $0.emit(.loss, UInt64(LossCause.lostEvents.rawValue), 3, began)
        $0.emit(.lossEnd, UInt64(LossCause.lostEvents.rawValue))
      }
    }
  }

  /// Ordinal of the event at which the destructor is known to have come too early.
  private static let early = Int(
    trace(since: nil).judge("I13").findings[0].exemplars[0].ordinal)

  private static func verdict(_ result: CheckResult) -> Verdict? {
    result.judgements.first { $0.invariant.id == "I13" }?.verdict
  }

  @Test func withoutAHoleItIsFound() {
    #expect(Self.verdict(Self.trace(since: nil).check()) == .violated)
  }

  @Test(arguments: [4096, 5, 1]) func aHoleAroundItPutsItInDoubt(_ batch: Int) {
    let result = Self.trace(since: Self.early - 2).check(batchSize: batch)
    #expect(Self.verdict(result) == .inconclusive)
    let reason = result.judgements.first { $0.invariant.id == "I13" }?.reason ?? ""
    #expect(reason.contains("lost events"), "\(reason)")
  }

  @Test func aHoleBehindItDoesNot() {
    #expect(Self.verdict(Self.trace(since: Self.early + 1).check()) == .violated)
  }

  @Test func aHoleBehindTheSelectionCounts() throws {
    var selection = EventSelection()
    selection.ordinals = 0...UInt64(Self.early + 3)
    for (since, expected) in [(Self.early - 2, Verdict.inconclusive), (Self.early + 1, .violated)] {
      let trace = Self.trace(since: since)
      let checker = try Checker()
      let result = try checker.check(trace.source(batchSize: 5), only: selection)
      #expect(Self.verdict(result) == expected)
    }
  }

  /// A slice ends before the event that tells of the hole.
  @Test func aSliceKnowsOfIt() throws {
    let base = FileManager.default.temporaryDirectory.appendingPathComponent(
      "late-hole-\(ProcessInfo.processInfo.processIdentifier)"
    ).path
    defer {
      for end in ["whole", "part"] { try? FileManager.default.removeItem(atPath: "\(base).\(end)") }
    }
    let last = UInt64(Self.early + 3)
    for (since, expected) in [(Self.early - 2, Verdict.inconclusive), (Self.early + 1, .violated)] {
      let trace = Self.trace(since: since)
      let writer = try TraceWriter(
        path: base + ".whole", header: trace.header, options: .init(blockEvents: 5))
      for event in trace.events { try writer.append(event) }
      try writer.finish()
      _ = try TraceSlice.cut(.ordinals(2...last), of: base + ".whole", to: base + ".part")
      let part = try TraceReader(path: base + ".part")
      let checker = try Checker()
      let result = try checker.check(part, after: part.history(before: part.firstOrdinal))
      #expect(Self.verdict(result) == expected, "a hole since \(since)")
    }
    // The hole that began later, inside the slice, is told of as well, and only that.
    #expect(try TraceReader(path: base + ".part").eventCount == last - 2 + 2)
    _ = try TraceSlice.cut(
      .ordinals(2...UInt64(Self.early)), of: base + ".whole", to: base + ".part")
    #expect(try TraceReader(path: base + ".part").eventCount == UInt64(Self.early) - 1)
  }
}
