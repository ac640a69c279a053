import Replay
import TraceFormat

/// Any events whatever get verdicts, the same ones each time, and trap nowhere.
enum JudgeProperty {
  static func check(_ bytes: [UInt8]) throws {
    var script = EventScript(bytes)
    var header = TraceHeader(
      source: "test", producer: "fuzz", cpus: 4, clock: .nanoseconds("mono"))
    // A judge that is sure of everything is asked the most.
    for kind in EventKind.allCases { header.capabilities[kind] = .sure }
    let trace = EventArray(header: header, batchSize: 1 + Int(script.byte()))
    while !script.isAtEnd, trace.events.count < 5000 { trace.append(script.event()) }
    let first = try verdicts(trace)
    let whole = EventArray(header: header)
    for event in trace.events { whole.append(event) }
    try demand(first == verdicts(whole), "the size of batches changes the verdicts")
  }

  private static func verdicts(_ trace: EventArray) throws -> String {
    let checker = try Checker()
    let result = try checker.check(trace)
    let evidence = try Evidence(for: result, from: trace)
    let json = try CheckJSON(result, evidence: evidence, file: "f.ptt").bytes()
    return CheckText(result, evidence: evidence, file: "f.ptt").lines.joined(separator: "\n")
      + String(decoding: json, as: UTF8.self)
  }
}
