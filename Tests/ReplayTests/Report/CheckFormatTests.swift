import Foundation
import Testing
import TraceFormat

@testable import Replay

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// Every form of a report is valid by its own rules, whatever the traces hold.
@Suite struct CheckFormatTests {
  static let bad = Trace {
    $0.born(1, locks: true); $0.s1([1], locks: true); $0.born(2); $0.hole(); $0.free(2)
  }
  static let good = Trace {
    $0.born(1); $0.s3([1])
  }
  /// What a file name may hold.
  static let nasty = "a \"b\" <c> & 'd' | `e` # f\u{1}\n%20ü.ptt"

  private func traces(_ set: (inout CheckOptions) -> Void = { _ in }) throws -> [CheckedTrace] {
    var options = CheckOptions()
    set(&options)
    return try [("old.ptt", Self.bad), (Self.nasty, Self.bad), ("new.ptt", Self.good)].map {
      let result = $0.1.check(options)
      return CheckedTrace($0.0, result, try Evidence(for: result, from: $0.1.source()))
    } + [CheckedTrace("gone.ptt", error: "gone.ptt: does not exist <&>")]
  }

  private func text<Form: CheckFormat>(_ form: Form.Type, _ traces: [CheckedTrace]) throws -> String
  {
    var form = form.init(traces: traces.count, toolVersion: "1.2.3")
    var text = ""
    for trace in traces { text += try form.add(trace) }
    return text + (try form.finish())
  }

  // MARK: KTAP

  /// Lines of KTAP at one indent: number of results, and of the plan.
  private func results(_ lines: [Substring], indent: String) -> (plans: [Int], results: [[Int]]) {
    var plans: [Int] = []
    var results: [[Int]] = []
    for line in lines where line.hasPrefix(indent) && !line.dropFirst(indent.count).hasPrefix(" ") {
      let line = line.dropFirst(indent.count)
      if let plan = line.wholeMatch(of: /1\.\.([0-9]+)/) {
        plans.append(Int(plan.1)!)
        results.append([])
      } else if let result = line.wholeMatch(
        of: /(ok|not ok) ([0-9]+) [^#]*(# (SKIP|XFAIL|ERROR) [^#]*)?/)
      {
        results[results.count - 1].append(Int(result.2)!)
      } else {
        #expect(line == "KTAP version 1" || line.hasPrefix("# "), "\(line)")
      }
    }
    return (plans, results)
  }

  @Test func ktap() throws {
    let text = try text(CheckKTAP.self, try traces())
    let lines = text.split(separator: "\n")
    #expect(lines.first == "KTAP version 1" && text.hasSuffix("\n"))
    let top = results(lines, indent: "")
    #expect(top.plans == [4] && top.results == [[1, 2, 3, 4]])
    let inner = results(lines, indent: "  ")
    let all = InvariantRegistry.all.count
    #expect(inner.plans == [all, all, all])
    #expect(inner.results == Array(repeating: Array(1...all), count: 3))
    #expect(lines.contains { $0.hasPrefix("  not ok 7 I13 ") || $0.contains("  not ok") })
    #expect(lines.contains("not ok 1 old.ptt"))
    #expect(lines.contains { $0.hasPrefix("ok 3 new.ptt") })
    #expect(lines.contains { $0.hasPrefix("not ok 4 gone.ptt # ERROR ") })
    #expect(lines.contains { $0.contains("# SKIP inconclusive: ") })
  }

  @Test func ktapOfWhatIsExpected() throws {
    let text = try text(
      CheckKTAP.self,
      try traces {
        $0.only = ["I13", "I20"]; $0.expect = ["I13"]
      })
    #expect(text.contains("  ok 1 I13 no destructor before the grace period # XFAIL "))
    #expect(text.contains("\nok 1 old.ptt # XFAIL exactly as expected\n"))
    // The good one does not do what was expected of it.
    #expect(text.contains("  # expected to be violated, and is not\n  not ok 1 I13 "))
    #expect(text.contains("\nnot ok 3 new.ptt\n"))
  }

  // MARK: JUnit

  private final class Elements: NSObject, XMLParserDelegate {
    var counts: [String: Int] = [:]
    var names: [String] = []
    var totals: [String: Int] = [:]

    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
      qualifiedName: String?, attributes: [String: String]
    ) {
      counts[name, default: 0] += 1
      if name == "testsuite" { names.append(attributes["name"] ?? "") }
      for key in ["tests", "failures", "errors", "skipped"] where name == "testsuites" {
        totals[key] = attributes[key].flatMap { Int($0) }
      }
    }
  }

  @Test func junit() throws {
    let text = try text(CheckJUnit.self, try traces())
    let parser = XMLParser(data: Data(text.utf8))
    let elements = Elements()
    parser.delegate = elements
    #expect(parser.parse(), "\(String(describing: parser.parserError))")
    #expect(elements.names.count == 4)
    #expect(elements.names[0] == "old.ptt")
    #expect(elements.names[1] == Self.nasty.replacing("\u{1}", with: "\u{FFFD}"))
    #expect(elements.counts["testcase"] == 3 * InvariantRegistry.all.count + 1)
    #expect(elements.totals["tests"] == elements.counts["testcase"])
    #expect(elements.totals["failures"] == elements.counts["failure"])
    #expect(elements.totals["skipped"] == elements.counts["skipped"])
    #expect(elements.totals["errors"] == 1 && elements.counts["error"] == 1)
    #expect((elements.counts["failure"] ?? 0) >= 4)
  }

  // MARK: SARIF

  /// Properties that the specification (SARIF 2.1.0, §3) requires, and the rules about them.
  @Test func sarif() throws {
    let text = try text(CheckSARIF.self, try traces())
    let log = try #require(
      try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    #expect(log["version"] as? String == "2.1.0")
    let run = try #require((log["runs"] as? [[String: Any]])?.first)
    let driver = try #require((run["tool"] as? [String: Any])?["driver"] as? [String: Any])
    #expect(driver["name"] as? String == "tracetool")
    let rules = try #require(driver["rules"] as? [[String: Any]])
    let artifacts = try #require(run["artifacts"] as? [[String: Any]])
    #expect(artifacts.count == 4)
    let invocation = try #require((run["invocations"] as? [[String: Any]])?.first)
    #expect(invocation["executionSuccessful"] as? Bool == false)
    #expect(invocation["exitCode"] as? Int == 2)
    let notes = try #require(invocation["toolExecutionNotifications"] as? [[String: Any]])
    #expect(notes.contains { $0["level"] as? String == "error" })
    #expect(notes.contains { $0["level"] as? String == "warning" })
    let results = try #require(run["results"] as? [[String: Any]])
    #expect(results.count >= 4)
    for result in results {
      let rule = try #require(result["ruleIndex"] as? Int)
      #expect(rules[rule]["id"] as? String == result["ruleId"] as? String)
      #expect(["error", "warning", "note"].contains(result["level"] as? String ?? ""))
      #expect((result["message"] as? [String: Any])?["text"] is String)
      let prints = try #require(result["partialFingerprints"] as? [String: String])
      #expect(Set(prints.keys) == ["cause/v1", "finding/v1"])
      let locations = try #require(result["locations"] as? [[String: Any]])
      let place = locations.first?["physicalLocation"] as? [String: Any]
      let artifact = try #require(place?["artifactLocation"] as? [String: Any])
      let uri = try #require(artifact["uri"] as? String)
      #expect(URL(string: uri) != nil && uri.allSatisfy { $0.isASCII && $0 != " " }, "\(uri)")
      let index = try #require(artifact["index"] as? Int)
      let location = artifacts[index]["location"] as? [String: Any]
      #expect(location?["uri"] as? String == uri)
    }
  }

  @Test func uris() {
    #expect(CheckSARIF.uri("a b/c#1.ptt") == "a%20b/c%231.ptt")
    #expect(CheckSARIF.uri("/tmp/ü:x") == "file:///tmp/%C3%BC%3Ax")
  }

  // MARK: Markdown

  @Test func markdown() throws {
    let text = try text(CheckMarkdown.self, try traces())
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.count { $0.hasPrefix("```") } % 2 == 0)
    var columns = 0
    for line in lines {
      // Bars that are not escaped are the table's own.
      let bars = line.replacing("\\|", with: "").count { $0 == "|" }
      guard line.hasPrefix("|") else {
        columns = 0
        continue
      }
      if columns == 0 { columns = bars }
      #expect(bars == columns, "\(line)")
    }
    #expect(text.contains("| `old.ptt` | – | "))
    #expect(text.contains("| **violated** | I07 (") || text.contains("I13 (1)"))
    #expect(text.contains("unreadable: gone.ptt: does not exist \\<&\\>"))
  }

  // MARK: JSON

  @Test func jsonOfSeveral() throws {
    let text = try text(CheckJSONFormat.self, try traces())
    let array = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]]
    #expect(array?.map { $0["file"] as? String } == ["old.ptt", Self.nasty, "new.ptt"])
    let none = try self.text(CheckJSONFormat.self, [CheckedTrace("x", error: "y")] + [])
    #expect(none.isEmpty)
  }

  private static func schema() throws -> JSONSchema {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    return try JSONSchema(
      try Data(contentsOf: root.appendingPathComponent("docs/check.schema.json")))
  }

  @Test(arguments: [false, true]) func jsonFollowsItsSchema(_ all: Bool) throws {
    let schema = try Self.schema()
    for trace in try traces({ $0.keepsAll = all }) {
      guard let report = trace.report else { continue }
      let json = CheckJSON(report.result, evidence: report.evidence, file: trace.file)
      let value = try JSONSerialization.jsonObject(with: Data(try json.bytes()))
      #expect(schema.complaints(about: value) == [])
    }
  }

  /// The schema refuses what it should refuse: it is no rubber stamp.
  @Test func theSchemaSeesFaults() throws {
    let schema = try Self.schema()
    let report = try #require(try traces()[0].report)
    let json = CheckJSON(report.result, evidence: report.evidence, file: "f")
    let value = try JSONSerialization.jsonObject(with: Data(try json.bytes()))
    let object = try #require(value as? [String: Any])
    for key in object.keys {
      var less = object
      less[key] = nil
      #expect(!schema.complaints(about: less).isEmpty, "\(key)")
      var other = object
      other[key] = [[1]]
      #expect(!schema.complaints(about: other).isEmpty, "\(key)")
    }
    var more = object
    more["surprise"] = 1
    #expect(!schema.complaints(about: more).isEmpty)
  }

  // MARK: Names

  @Test func namesAreOfCauseAndObjectAlone() throws {
    func names(_ trace: Trace) throws -> [[String]] {
      var options = CheckOptions()
      options.keepsAll = true
      let json = CheckJSON(trace.check(options), evidence: Evidence(), file: "f")
      return json.causes.map { $0.instances.map(\.finding) }
    }
    let alone = Trace {
      $0.born(0x51); $0.s1([0x51])
    }
    let amid = Trace {
      $0.born(7); $0.s3([7]); $0.born(0x51); $0.born(8); $0.s1([0x51]); $0.s3([8])
    }
    #expect(try names(alone) == names(amid))
    #expect(try names(alone).count == 2)
    let name = try #require(try names(alone).first?.first)
    #expect(name.wholeMatch(of: /I13-[0-9a-f]{8}-table-0x51\.1/) != nil, "\(name)")
    let two = Trace {
      $0.born(1); $0.s1([1]); $0.free(1); $0.free(1)
    }
    let again = try names(two).first { $0[0].hasPrefix("I08") }
    #expect(again?.last?.hasSuffix("-table-0x1.1~2") == true, "\(again ?? [])")
  }

  @Test func numbersInACauseDoNotCount() {
    #expect(FindingID.cause("I33", "off by 7 at") == FindingID.cause("I33", "off by 123 at"))
    #expect(FindingID.cause("I33", "off by 7") != FindingID.cause("I33", "off by"))
    #expect(FindingID.cause("I33", "a") != FindingID.cause("I33", "b"))
  }

  @Test(arguments: [
    ("a.ptt", "a.ptt"), ("a b.ptt", "'a b.ptt'"), ("it's", #"'it'\''s'"#), ("", "''"),
    ("-x", "'./-x'"), ("$(rm)", "'$(rm)'"),
  ])
  func shellWords(_ name: String, _ word: String) { #expect(Locator.quoted(name) == word) }

  @Test func allListsEveryFindingOnce() throws {
    let many = Trace { for pfn in UInt64(1)...5 { $0.born(pfn); $0.s1([pfn]) } }
    var options = CheckOptions()
    options.only = ["I13"]
    options.keepsAll = true
    options.maxFindings = 2
    for size in [1, 3, 4096] {
      let result = many.check(options, batchSize: size)
      let group = result.judgements[0].findings[0]
      #expect(group.instances.map(\.subject.key) == [1, 2, 3, 4, 5])
      #expect(group.exemplars.count == 2)
      let lines = CheckText(result, evidence: Evidence(), file: "f").lines
      #expect(lines.count { $0.contains("table pfn 0x") && $0.contains("→") } == 3)
    }
  }

  @Test func instancesAddUp() throws {
    for trace in try traces() {
      for judgement in trace.report?.result.judgements ?? [] {
        let exempt = judgement.exempt.reduce(0) { $0 + $1.count }
        #expect(judgement.started >= judgement.exercised + judgement.pending)
        #expect(judgement.started <= judgement.exercised + judgement.pending + exempt)
        #expect(
          judgement.discharged
            == max(0, judgement.exercised - judgement.violations - judgement.undecided))
      }
    }
    let deferred = Trace {
      $0.born(1); $0.deferred(1)
    }.judge("I13")
    #expect(deferred.started == 1 && deferred.exercised == 1 && deferred.exempted(.e3) == 1)
    #expect(
      CheckText.instances(deferred)
        == "started 1: triggered 1 (kept 1), pending 0, exempt by E3 1")
  }
}
