import Foundation
import Testing
import TraceFormat

@testable import Replay

/// `check --format json` has the keys docs/CHECK-JSON.md lists, and the same bytes every time.
@Suite struct CheckJSONTests {
  private func bytes(_ trace: Trace, _ options: CheckOptions = CheckOptions()) throws -> [UInt8] {
    let result = trace.check(options)
    let evidence = try Evidence(for: result, from: trace.source())
    return try CheckJSON(result, evidence: evidence, file: "a/b.ptt").bytes()
  }

  private func object(_ trace: Trace, _ options: CheckOptions = CheckOptions()) throws
    -> [String: Any]
  {
    let json = try JSONSerialization.jsonObject(with: Data(try bytes(trace, options)))
    return try #require(json as? [String: Any])
  }

  private let bad = Trace {
    $0.born(1, locks: true); $0.s1([1], locks: true); $0.loss()
  }

  @Test func topLevel() throws {
    let json = try object(bad)
    #expect(
      Set(json.keys) == [
        "file", "source", "stage", "kernel", "scope", "events", "lost", "losses", "exit", "regime",
        "verdicts", "causes", "findings", "stopped_at",
      ])
    #expect(json["file"] as? String == "a/b.ptt")
    #expect(json["stage"] is NSNull)
    #expect(json["kernel"] is NSNull)
    #expect(json["events"] as? Int == bad.events.count)
    #expect(json["lost"] as? Int == 5)
    #expect(json["losses"] as? Int == 1)
    #expect(json["exit"] as? Int == 1)
    var declared = bad
    declared.header.stage = "S1.sbi"
    #expect(try object(declared)["stage"] as? String == "S1.sbi")
  }

  @Test func regime() throws {
    let all = try #require(try object(bad)["regime"] as? [String: Any])
    #expect(all["ptlock"] as? String == "separate")
    let regime = all.compactMapValues { $0 as? Int }
    #expect(regime["queuedTablePath"] == 1)
    #expect(regime["destructorsBeforeQueue"] == 1)
    #expect(regime["destructorsInCallback"] == 0)
    #expect(regime["locksFreedBeforeGracePeriod"] == 1)
    #expect(
      Set(regime.keys) == [
        "queuedTablePath", "queuedPagePath", "fallbacks", "deferred", "freedInCallback",
        "freedOutsideCallback", "destructorsBeforeQueue", "destructorsInCallback",
        "locksFreedBeforeGracePeriod", "locksFreedAfterGracePeriod",
        "locksFreedBeforeGracePeriodOnFallback", "locksReusedWhilePending",
      ])
  }

  @Test func verdicts() throws {
    let verdicts = try #require(try object(bad)["verdicts"] as? [[String: Any]])
    #expect(verdicts.count == InvariantRegistry.all.count)
    let known = Set(Verdict.allCases.map(\.rawValue))
    for verdict in verdicts {
      #expect(
        Set(verdict.keys).subtracting(["reason"]) == [
          "id", "title", "severity", "verdict", "started", "triggered", "discharged", "exercised",
          "violations", "undecided", "pending", "exempt",
        ])
      #expect(known.contains(verdict["verdict"] as? String ?? ""))
    }
    let holds = try #require(verdicts.first { $0["verdict"] as? String == "holds" })
    #expect(holds["reason"] == nil)
    let vacuous = try #require(verdicts.first { $0["verdict"] as? String == "vacuous" })
    #expect(vacuous["reason"] is String)
  }

  @Test func findings() throws {
    var options = CheckOptions()
    options.only = ["I13"]
    let findings = try #require(try object(bad, options)["findings"] as? [[String: Any]])
    let finding = try #require(findings.first)
    #expect(findings.count == 1)
    #expect(
      Set(finding.keys) == [
        "finding", "causeId", "id", "severity", "cause", "missing", "count", "object", "pfn",
        "generation", "first", "second", "history", "locator", "locators",
      ])
    #expect(finding["object"] as? String == "table pfn 0x1#1 (pte)")
    #expect(finding["locator"] as? String == "tracetool replay a/b.ptt --at 9")
    let second = try #require(finding["second"] as? [String: Any])
    #expect(
      Set(second.keys).subtracting(["comm"]) == [
        "ordinal", "event", "time", "cpu", "task", "context", "inferred",
      ])
    #expect(second["event"] as? String == "pt_queue_table")
    let first = try #require(finding["first"] as? [String: Any])
    #expect(first["event"] as? String == "ptl_free")
    let history = try #require(finding["history"] as? [[String: Any]])
    #expect(history.last?["role"] as? String == "here")
    #expect(history.allSatisfy { Set($0.keys) == ["role", "ordinal", "event"] })
  }

  @Test func aFindingWithoutTable() throws {
    var options = CheckOptions()
    options.only = ["I24"]
    let trace = Trace {
      $0.callRCU(0x9000, load: 0); $0.quiesce()
    }
    let findings = try #require(try object(trace, options)["findings"] as? [[String: Any]])
    let finding = try #require(findings.first)
    #expect(finding["object"] as? String == "callback 0x9000#1")
    #expect(finding["pfn"] == nil && finding["generation"] == nil)
  }

  @Test func sameTraceSameBytes() throws {
    #expect(try bytes(bad) == bytes(bad))
    #expect(try bytes(bad).last == UInt8(ascii: "\n"))
  }

  @Test func maxFindingsLimitsExemplars() throws {
    let many = Trace { for pfn in UInt64(1)...5 { $0.born(pfn); $0.s1([pfn]) } }
    var options = CheckOptions()
    options.only = ["I13"]
    for (limit, count) in [(2, 2), (0, 0), (-1, 0)] {
      options.maxFindings = limit
      let findings = try object(many, options)["findings"] as? [[String: Any]]
      #expect(findings?.count == count)
    }
  }
}
