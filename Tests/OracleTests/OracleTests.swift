import Foundation
import Replay
import Testing
import TraceFormat

/// The judge and a naive second opinion agree on short random traces, most of them malformed.
///
/// What it does not verify: sources that see little, or may miss events, and events that were
/// inferred (the oracle takes every event for seen); and whatever both have misread in
/// kernel-facts.
///
/// `ORACLE_TRACES=1000000 swift test -c release --filter OracleTests` takes more than
/// the few of a normal run, `ORACLE_SEED` others.
@Suite struct OracleTests {
  /// How many traces, and from which seed on.
  static let count = setting("ORACLE_TRACES") ?? 1_000
  static let seed = setting("ORACLE_SEED") ?? 1

  private static func setting(_ name: String) -> Int? {
    ProcessInfo.processInfo.environment[name].flatMap { Int($0) }
  }

  /// What the judge says of a trace, by invariant.
  static func judge(_ events: [Event], batchSize: Int = 4096) throws
    -> [String: (opinion: Oracle.Opinion, exercised: Int)]
  {
    var header = TraceHeader(
      source: "random", producer: "tests", cpus: 2, clock: .nanoseconds("simulated"))
    for kind in EventKind.allCases { header.capabilities[kind] = .sure }
    header.machine = RandomTraces.machine
    let trace = EventArray(header: header, batchSize: batchSize)
    for event in events { trace.append(event) }
    var options = CheckOptions()
    options.keepsAll = true
    let checker = try Checker(options: options)
    var result: [String: (opinion: Oracle.Opinion, exercised: Int)] = [:]
    for judgement in try checker.check(trace).judgements {
      let places = judgement.findings.flatMap { $0.instances.map { Int($0.ordinal) } }
      result[judgement.invariant.id] = (
        Oracle.Opinion(violations: places.sorted(), undecided: judgement.undecided),
        judgement.exercised
      )
    }
    return result
  }

  /// What both say, where they differ.
  static func difference(_ id: String, _ judge: Oracle.Opinion, _ oracle: Oracle.Opinion) -> String?
  {
    judge == oracle
      ? nil
      : "\(id): the judge says \(judge.violations) and \(judge.undecided) undecided, "
        + "the oracle \(oracle.violations) and \(oracle.undecided)"
  }

  /// What a broken promise leaves open is not asked: which batch a table belongs to that was queued
  /// twice (I05) or after its free (I01), what a callback tears down that runs twice (I24) or meets a
  /// table that was freed before (I08), and which of two entries an unlink clears (I32), whose a lock
  /// is that was freed twice (I35).
  static func isMoot(_ id: String, _ judge: [String: (opinion: Oracle.Opinion, exercised: Int)])
    -> Bool
  {
    let rests = [
      "I12": ["I01", "I05"], "I14": ["I35"], "I29": ["I01", "I05", "I08", "I24"],
      "I30": ["I01", "I05"],
      "I31": ["I32"],
    ]
    return rests[id, default: []].contains { judge[$0]?.opinion != Oracle.Opinion() }
  }

  /// The same difference in as few events as possible.
  static func shrink(_ events: [Event], _ id: String, _ ask: (Oracle) -> [Oracle.Breach]) -> [Event]
  {
    func differs(_ events: [Event]) -> Bool {
      let oracle = Oracle(events: events, machine: RandomTraces.machine).opinion(ask)
      guard let judge = try? judge(events), let verdict = judge[id]?.opinion else { return false }
      if isMoot(id, judge) { return false }
      return verdict != oracle
    }
    var events = events
    var index = 0
    while index < events.count {
      var fewer = events
      fewer.remove(at: index)
      if differs(fewer) {
        events = fewer
        index = 0
      } else {
        index += 1
      }
    }
    return events
  }

  static func text(_ events: [Event]) -> String {
    let source = EventArray(
      header: TraceHeader(
        source: "random", producer: "tests", cpus: 2,
        clock: Clock(name: "counter", unitsPerSecond: nil)))
    for (index, event) in events.enumerated() {
      var event = event
      event.time = UInt64(index)
      source.append(event)
    }
    let text = EventText(clock: source.header.clock)
    var bytes: [UInt8] = []
    for event in source.events { text.appendLine(event, from: source, to: &bytes) }
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test func judgeAndOracleAgree() throws {
    var traces = RandomTraces(seed: UInt64(Self.seed))
    var violated: [String: Int] = [:]
    var kept: [String: Int] = [:]
    var undecided: [String: Int] = [:]
    var told: [String: Int] = [:]
    for number in 0..<Self.count {
      let events = traces.next()
      let oracle = Oracle(events: events, machine: RandomTraces.machine)
      let judge = try Self.judge(events, batchSize: number % 3 == 0 ? 5 : 4096)
      for (id, ask) in Oracle.questions {
        let opinion = oracle.opinion(ask)
        let verdict = try #require(judge[id])
        if Self.isMoot(id, judge) { continue }
        if Self.difference(id, verdict.opinion, opinion) != nil {
          told[id, default: 0] += 1
          if told[id] == 1 { try tell(number, id, Self.shrink(events, id, ask), ask) }
        }
        if !opinion.violations.isEmpty { violated[id, default: 0] += 1 }
        if opinion.undecided > 0 { undecided[id, default: 0] += 1 }
        if verdict.exercised > 0, opinion == Oracle.Opinion() { kept[id, default: 0] += 1 }
      }
    }
    #expect(told.isEmpty, "traces with a difference: \(told.sorted { $0.key < $1.key })")
    // Each promise was kept often, and broken often; holes excused many.
    for (id, _) in Oracle.questions {
      #expect(violated[id, default: 0] * 600 >= Self.count, "\(id) was hardly ever broken")
      #expect(kept[id, default: 0] * 600 >= Self.count, "\(id) was hardly ever kept")
    }
    #expect(undecided.count * 2 >= Oracle.questions.count, "\(undecided)")
  }

  private func tell(
    _ number: Int, _ id: String, _ events: [Event], _ ask: (Oracle) -> [Oracle.Breach]
  ) throws {
    let oracle = Oracle(events: events, machine: RandomTraces.machine).opinion(ask)
    let judge = try #require(try Self.judge(events)[id]?.opinion)
    Issue.record(
      """
      trace \(number), in short: \(Self.difference(id, judge, oracle) ?? "")
      \(Self.text(events))
      """)
  }

  /// Every invariant is asked about.
  @Test func everyInvariantIsCovered() {
    let known = Set(InvariantRegistry.all.map { $0.description.id })
    #expect(Set(Oracle.questions.map(\.id)) == known)
    #expect(Oracle.questions.count == known.count)
  }

  /// Kinds without which the judge is blind in one eye.
  static let kinds: [EventKind] = [
    .tableAlloc, .tableConstruct, .tableInstall, .tableUnlink, .tableQueueBatch, .tableQueuePage,
    .tableFallback, .tableDestruct, .tableFree, .tableDefer, .lockAlloc, .lockFree, .lockAcquire,
    .flushStart, .flushEnd, .callRCU, .callbackStart, .callbackEnd, .gracePeriodStart,
    .gracePeriodEnd, .readerEnter, .readerExit, .readerLoad, .quiesce, .loss,
  ]

  /// A judge that does not see one kind of event is found out.
  @Test(arguments: kinds) func aBlindJudgeIsCaught(_ kind: EventKind) throws {
    var traces = RandomTraces(seed: 7)
    for _ in 0..<400 {
      let events = traces.next()
      guard events.contains(where: { $0.kind == kind }) else { continue }
      var fewer = events
      for index in fewer.indices where fewer[index].kind == kind { fewer[index].kind = .mark }
      let judge = try Self.judge(fewer)
      let oracle = Oracle(events: events, machine: RandomTraces.machine)
      let isCaught = Oracle.questions.contains { id, ask in
        judge[id].map { $0.opinion != oracle.opinion(ask) } ?? true
      }
      if isCaught { return }
    }
    Issue.record("nobody noticed that the judge does not see \(kind.name)")
  }

  /// A judge that keeps one finding to itself is found out, whichever invariant it is of.
  @Test func oneFindingMissingIsCaught() throws {
    var traces = RandomTraces(seed: 3)
    var left = Set(Oracle.questions.map(\.id))
    for _ in 0..<1_500 where !left.isEmpty {
      let events = traces.next()
      let oracle = Oracle(events: events, machine: RandomTraces.machine)
      for (id, ask) in Oracle.questions where left.contains(id) {
        let opinion = oracle.opinion(ask)
        guard !opinion.violations.isEmpty else { continue }
        var silent = opinion
        silent.violations.removeLast()
        #expect(Self.difference(id, silent, opinion) != nil)
        left.remove(id)
      }
    }
    #expect(left.isEmpty, "never violated: \(left.sorted())")
  }
}
