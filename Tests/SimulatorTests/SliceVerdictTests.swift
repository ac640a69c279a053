import Foundation
import Glibc
import Replay
import Simulator
import Testing
import TraceFormat

/// A slice is judged like that part of the whole.
@Suite struct SliceVerdictTests {
  /// Slices of each run; SLICE_CUTS asks for more.
  private static let cuts =
    ProcessInfo.processInfo.environment["SLICE_CUTS"].flatMap(UInt64.init) ?? 5

  private func check(_ path: String) throws -> [FoundEvents.Finding] {
    let reader = try TraceReader(path: path)
    let checker = try Checker(options: FoundEvents.options)
    let history = reader.history(before: reader.firstOrdinal)
    return FoundEvents(try checker.check(reader, after: history)).all
  }

  @Test(arguments: StageVerdictTests.runs)
  func slicesFindWhatTheWholeFindsThere(_ run: (stage: String, workload: String)) throws {
    let trace = try simulate(Stage(named: run.stage), run.workload, seed: 5, events: 4000)
    let base = "/tmp/tracetool-slice-\(getpid())-\(run.stage)-\(run.workload)"
    defer { for end in ["whole", "part"] { _ = unsafe unlink("\(base).\(end)") } }
    let writer = try TraceWriter(
      path: base + ".whole", header: trace.header,
      options: .init(blockEvents: 512, snapshots: .every(1500)))
    for event in trace.events { try writer.append(event) }
    try writer.finish()
    let whole = try check(base + ".whole")
    let count = UInt64(trace.events.count)
    for cut in 0..<Self.cuts {
      let first = cut * count / Self.cuts + cut * 7 % 60
      let last = cut % 2 == 0 ? count - 1 : first + (count - 1 - first) * (cut % 7) / 8
      _ = try TraceSlice.cut(.ordinals(first...last), of: base + ".whole", to: base + ".part")
      let part = try check(base + ".part")
      let expected = whole.filter { first <= UInt64($0.ordinal) && UInt64($0.ordinal) <= last }
      // What differs, not thousands of findings.
      #expect(
        part.filter { !expected.contains($0) }.isEmpty, "only in \(first)...\(last) of \(run)")
      #expect(
        expected.filter { !part.contains($0) }.isEmpty, "missed in \(first)...\(last) of \(run)")
    }
  }

  /// The state at a place is the same, reached from the start or from a snapshot.
  @Test(arguments: ["S1.sbi", "S4", "S3.ipi"])
  func statesAreTheSame(_ stage: String) throws {
    let trace = try simulate(Stage(named: stage), "reclaim-race", seed: 2, events: 4000)
    let path = "/tmp/tracetool-state-\(getpid())-\(stage)"
    defer { _ = unsafe unlink(path) }
    let writer = try TraceWriter(
      path: path, header: trace.header, options: .init(snapshots: .every(300)))
    for event in trace.events { try writer.append(event) }
    try writer.finish()
    let reader = try TraceReader(path: path)
    for place in stride(from: 350, to: trace.events.count, by: 331) {
      var whole = Player(trace.fresh)
      #expect(try whole.play(to: .ordinal(Ordinal(place))))
      let history = try #require(reader.history(before: UInt64(place)))
      try reader.seek(toOrdinal: history.ordinal)
      var part = Player(reader, after: history)
      #expect(try part.play(to: .ordinal(Ordinal(place))))
      #expect(part.event == whole.event && part.ordinal == whole.ordinal)
      let lines = { (state: Resolver) in
        StateText(state, header: trace.header, limit: 1000) { _ in nil }.lines
      }
      #expect(lines(part.state) == lines(whole.state), "after \(place) on \(stage)")
    }
  }
}
