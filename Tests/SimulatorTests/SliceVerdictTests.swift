import Glibc
import Replay
import Simulator
import Testing
import TraceFormat

/// A slice accuses nobody whom the whole does not accuse.
@Suite struct SliceVerdictTests {
  private func check(_ source: any EventSource) throws -> CheckResult {
    var options = CheckOptions()
    options.maxFindings = 1_000_000
    var checker = try Checker(options: options)
    return try checker.check(source)
  }

  @Test(arguments: StageVerdictTests.runs)
  func verdictsOfSlices(_ run: (stage: String, workload: String)) throws {
    let trace = try simulate(Stage(named: run.stage), run.workload, seed: 5, events: 3000)
    let base = "/tmp/tracetool-slice-\(getpid())-\(run.stage)-\(run.workload)"
    defer { for end in ["whole", "part"] { _ = unsafe unlink("\(base).\(end)") } }
    let writer = try TraceWriter(path: base + ".whole", header: trace.header)
    for event in trace.events { try writer.append(event) }
    try writer.finish()
    let whole = Set(try check(TraceReader(path: base + ".whole")).violated)
    let count = UInt64(trace.events.count)
    for cut in UInt64(0)..<25 {
      let first = cut * count / 25 + cut * 7 % 60
      let last = cut % 2 == 0 ? count - 1 : first + (count - 1 - first) * (cut % 7) / 8
      _ = try TraceSlice.cut(.ordinals(first...last), of: base + ".whole", to: base + ".part")
      let part = try check(TraceReader(path: base + ".part"))
      #expect(Set(part.violated).isSubset(of: whole), "\(first)...\(last) of \(run)")
    }
  }
}
