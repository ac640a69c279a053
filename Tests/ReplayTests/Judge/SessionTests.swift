import Foundation
import Testing
import TraceFormat

@testable import Replay

/// Judged on another thread, everything is said as it is said on one.
@Suite struct SessionTests {
  /// Many lives that break rules, with events missing and holes that are told of late.
  private static func trace(seed: UInt64) -> Trace {
    var trace = LegalMachine.run(
      LegalMachine.Policy(early: true, fallback: .ipi), seed: seed, jobs: 700
    ).dropping { index, event in index % 97 == 13 && event.kind != .loss }
    for _ in 0..<3 {
      let cut = trace.events.count / 2
      let since = trace.events[cut - 400].time
      trace.on(cpu: 1) {
        $0.emit(.loss, UInt64(LossCause.lostEvents.rawValue), 3, since)
        $0.emit(.lossEnd, UInt64(LossCause.lostEvents.rawValue))
      }
    }
    return trace
  }

  private static func report(
    _ trace: Trace, workers: Int, batchSize: Int, only selection: EventSelection?
  ) throws -> Data {
    var options = CheckOptions()
    options.keepsAll = true
    options.models = [try ShippedModels.load("pt_s3.dot")]
    options.workers = workers
    let checker = try Checker(options: options)
    let result = try checker.check(trace.source(batchSize: batchSize), only: selection)
    let evidence = try Evidence(for: result, from: trace.source())
    return Data(try CheckJSON(result, evidence: evidence, file: "f").bytes())
  }

  @Test(arguments: [1, 2] as [UInt64]) func threadsChangeNothing(_ seed: UInt64) throws {
    let trace = Self.trace(seed: seed)
    // Enough for every tray to be used again.
    try #require(trace.events.count > 6 * 4 * Resolver.partEvents)
    var part = EventSelection()
    part.ordinals = 1500...UInt64(trace.events.count / 3)
    for selection in [nil, part] {
      let alone = try Self.report(trace, workers: 1, batchSize: 4096, only: selection)
      #expect(String(decoding: alone, as: UTF8.self).contains("I13"))
      for (workers, batchSize) in [(2, 4096), (2, 100), (5, 7000)] {
        let both = try Self.report(
          trace, workers: workers, batchSize: batchSize, only: selection)
        #expect(both == alone, "\(workers) threads, batches of \(batchSize)")
      }
    }
  }

  /// A source that breaks off while events are being judged.
  private final class Broken: EventSource {
    let header: TraceHeader
    private let whole: EventArray
    private var left = 3

    init(_ trace: Trace) {
      header = trace.header
      whole = trace.source(batchSize: 2000)
    }

    func taskName(_ task: UInt32) -> String? { nil }
    func string(_ index: UInt64) -> String? { nil }
    func next(into batch: inout EventBatch) throws -> Bool {
      left -= 1
      if left < 0 { throw TraceError(file: "f", what: "broken off", hint: "mend it") }
      return whole.next(into: &batch)
    }
  }

  @Test func aSourceThatBreaksOffIsAnError() throws {
    let trace = Self.trace(seed: 3)
    for _ in 0..<20 {
      var options = CheckOptions()
      options.workers = 2
      let checker = try Checker(options: options)
      #expect(throws: TraceError.self) { try checker.check(Broken(trace)) }
    }
  }
}
