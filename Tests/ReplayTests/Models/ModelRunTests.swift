import Foundation
import Testing
import TraceFormat

@testable import Replay

/// The models that come with the tool.
enum ShippedModels {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Models")

  static let names: [String] =
    (try? FileManager.default.contentsOfDirectory(atPath: folder.path))?.sorted() ?? []

  static func bytes(_ name: String) -> [UInt8] {
    (try? Data(contentsOf: folder.appendingPathComponent(name))).map { [UInt8]($0) } ?? []
  }

  static func load(_ name: String) throws -> Model {
    var definitions = ModelDefinitions()
    let isDefined = definitions.define("limit=100us")
    #expect(isDefined)
    return try Model(bytes(name), file: name, definitions: definitions)
  }
}

extension Trace {
  /// What one model says.
  func judge(_ model: Model, strict: Bool = false) -> Judgement {
    var options = CheckOptions()
    options.models = [model]
    options.only = [model.name]
    return check(options).judgements[0]
  }

  func judge(model name: String) throws -> Judgement { judge(try ShippedModels.load(name)) }
}

@Suite struct ModelRunTests {
  // MARK: - Files

  @Test func shippedModelsAreWhatTheyShouldBe() throws {
    #expect(ShippedModels.names.count >= 12)
    for name in ShippedModels.names {
      let model = try ShippedModels.load(name)
      #expect(model.notes.isEmpty, "\(name): \(model.notes)")
      guard case .automaton(let automaton) = model.core, automaton.clocks.isEmpty else { continue }
      let naive = NaiveAutomaton(String(decoding: ShippedModels.bytes(name), as: UTF8.self))
      #expect(automaton.states == naive.states && automaton.events == naive.events)
      for (state, from) in automaton.states.enumerated() {
        for (event, symbol) in automaton.events.enumerated() {
          let next = automaton.next(state, event)
          #expect(
            (next < 0 ? nil : automaton.states[Int(next)]) == naive.edges[from + " " + symbol])
        }
      }
    }
  }

  @Test func bindingsAreDeclaredOrInferred() throws {
    for (name, binding) in [
      ("pt_s3.dot", ObjectBinding.table), ("ptlock.dot", .lock), ("callback.dot", .callback),
      ("reader.dot", .reader), ("mm.dot", .mm), ("gp_before_dtor.ltl", .table),
    ] {
      #expect(try ShippedModels.load(name).binding == binding)
    }
    func inferred(_ rule: String) throws -> ObjectBinding {
      try Model(Array("RULE = \(rule)\n".utf8), file: "m.ltl").binding
    }
    #expect(try inferred("always (PTL_ALLOC imply eventually PTL_FREE)") == .lock)
    #expect(try inferred("always (UNLINK imply ((not PTL_FREE) until GP_END))") == .table)
    #expect(try inferred("always (CALL_RCU imply eventually CB_START)") == .callback)
    #expect(try inferred("always (RD_LOAD imply eventually RD_EXIT)") == .reader)
    #expect(try inferred("always not (MM_EXIT and PT_INSTALL)") == .mm)
  }

  // MARK: - Lives

  /// Lives that are legal from S3 on, each with the models of its stage.
  @Test func legalLivesAreLegal() throws {
    let s3 = Trace {
      $0.born(1, 2, locks: true)
      $0.s3([1, 2], locks: true)
      $0.lostRace(3)
      $0.constructorFailed(4)
      $0.born(5)
      $0.deferred(5)
      $0.depositedAtFault(6)
      $0.depositedByCollapse(7)
      $0.pgd(8, constructed: true)
      $0.born(9)
      $0.fallbackByIPI(9)
      $0.quiesce()
    }.flushing()
    let s6 = Trace {
      $0.born(1, 2, locks: true)
      $0.s3([1, 2], locks: true)
      $0.born(3, 4)
      $0.fallbackByCallback(3)
      $0.fallbackBySynchronize(4)
      $0.fallbackBySynchronize(5)
    }.flushing()
    let s1 = Trace {
      $0.born(1, 2, locks: true)
      $0.s1([1, 2], locks: true)
      $0.born(5)
      $0.deferred(5)
      $0.pgd(8, constructed: false)
    }.flushing()
    let page = Trace {
      $0.born(1, locks: true)
      $0.pagePath(1, locks: true)
    }
    expect(try s3.judge(model: "pt_s3.dot"), .holds)
    expect(try s6.judge(model: "pt_s6.dot"), .holds)
    expect(try s1.judge(model: "pt_s1.dot"), .holds)
    expect(try page.judge(model: "pt_s0b.dot"), .holds)
    for trace in [s3, s6, s1] {
      expect(try trace.judge(model: "callback.dot"), .holds)
    }
    for trace in [s3, s6, s1, page] {
      expect(try trace.judge(model: "ptlock.dot"), .holds)
      expect(try trace.judge(model: "dtor_then_free.ltl"), .holds)
    }
    expect(try s6.judge(model: "gp_before_dtor.ltl"), .holds)
  }

  /// The diff signal kernel-facts §9.4 wants: an S1 life is no S3 life, and says where.
  @Test func anEarlyDestructorIsNoS3Life() throws {
    let trace = Trace {
      $0.born(1, 2, locks: true)
      $0.s1([1, 2], locks: true)
    }.flushing()
    let judgement = try trace.judge(model: "pt_s3.dot")
    expect(judgement, .violated)
    #expect(judgement.violations == 2 && judgement.exercised == 2)
    #expect(judgement.causes == ["event pt_dtor not expected in the state unlinked"])
    #expect(judgement.findings[0].missing.hasPrefix("one of pt_defer, pt_deposit, pt_install"))
    let exemplar = judgement.findings[0].exemplars[0]
    #expect(exemplar.event.kind == .tableDestruct)
    #expect(trace.events[Int(exemplar.since)].kind == .tableUnlink)
    #expect(exemplar.table?.pfn == 1)
    expect(try trace.judge(model: "gp_before_dtor.ltl"), .violated)
    let formula = try trace.judge(model: "gp_before_dtor.ltl")
    #expect(formula.violations == 2)
    #expect(formula.causes[0].hasPrefix("PTL_FREE breaks: "))
  }

  /// kernel-facts §9.4, as it stands there.
  @Test func theExampleOfTheKernelFactsRuns() throws {
    let model = try Model(Array(Self.example.utf8), file: "pt_life.dot")
    #expect(model.binding == .table && model.notes.isEmpty)
    let s3 = Trace {
      $0.born(1, 2)
      $0.s3([1, 2])
    }
    let judgement = s3.judge(model)
    expect(judgement, .holds)
    #expect(judgement.exercised == 2)
    let s1 = Trace {
      $0.born(1, 2)
      $0.s1([1, 2])
    }
    expect(s1.judge(model), .violated)
  }

  @Test func locksReadersCallbacksAndAddressSpacesHaveModels() throws {
    let held = Trace {
      $0.born(1, locks: true)
      $0.lock(Trace.lockAddress(1))
      $0.lockFree(Trace.lockAddress(1), of: 1)
    }
    #expect(
      try held.judge(model: "ptlock.dot").causes == [
        "event ptl_free not expected in the state locked"
      ])
    let early = Trace {
      $0.callRCU(7, load: 0)
      $0.callback(7) { _ in }
    }
    #expect(
      try early.judge(model: "callback.dot").causes == [
        "event cb_start not expected in the state waiting"
      ])
    let reader = Trace {
      $0.born(1)
      $0.enter(5)
      $0.load(1, in: 5)
      $0.free(1)
      $0.exit(5)
    }
    let judgement = try reader.judge(model: "reader.dot")
    #expect(judgement.causes == ["event pt_free not expected in the state open"])
    #expect(FindingText.object(of: judgement.findings[0].exemplars[0]) == "reader section 5#1")
    let mm = Trace {
      $0.emit(.mmNew, Trace.mm)
      $0.emit(.mmExit, Trace.mm)
      $0.born(1)
    }
    #expect(
      try mm.judge(model: "mm.dot").causes == [
        "event pt_alloc not expected in the state exiting"
      ])
  }

  // MARK: - Joining late, holes, what cannot be seen

  @Test func aLifeThatBeganBeforeTheTraceIsJoinedAtItsNextStart() throws {
    let trace = Trace {
      $0.install(1)
      $0.unlink(1)
      $0.dtor(1)
      $0.free(1)
      $0.dtor(1)
    }
    let judgement = try trace.judge(model: "pt_s3.dot")
    // Its free leads to the initial state, where no destructor is expected.
    #expect(judgement.causes == ["event pt_dtor not expected in the state none"])
    let early = try trace.prefix(3).judge(model: "pt_s3.dot")
    expect(early, .vacuous, reason: "1 were alive before")
    #expect(early.pending == 1)
  }

  @Test func aHoleStopsInstancesAndIsNamed() throws {
    let broken = Trace {
      $0.born(1)
      $0.unlink(1)
      $0.hole(cpu: 2)
      $0.dtor(1)
      $0.free(1)
    }
    let judgement = try broken.judge(model: "pt_s3.dot")
    expect(judgement, .inconclusive, reason: "across the lost events on CPU 2 at #5")
    #expect(judgement.undecided == 1 && judgement.violations == 0)
    let kept = Trace {
      $0.born(1)
      $0.hole(cpu: 2)
      $0.unlink(1)
      $0.dtor(1)
    }
    expect(try kept.judge(model: "pt_s3.dot"), .holds, reason: "1 instances cut by")
    // A formula that always holds goes on behind the hole; a finding needs no event before it.
    let after = Trace {
      $0.born(1, locks: true)
      $0.hole()
      $0.unlink(1)
      $0.lockFree(Trace.lockAddress(1), of: 1)
    }
    expect(try after.judge(model: "gp_before_dtor.ltl"), .violated)
    let before = Trace {
      $0.born(1, locks: true)
      $0.unlink(1)
      $0.hole()
      $0.lockFree(Trace.lockAddress(1), of: 1)
    }
    expect(try before.judge(model: "gp_before_dtor.ltl"), .inconclusive)
  }

  /// A kind the source cannot show may have happened; a finding has to stand all the same.
  @Test func whatCannotBeSeenMayHaveHappened() throws {
    let s1 = Trace {
      $0.born(1)
      $0.s1([1])
    }
    let blind = s1.without(.tableInstall, .tableUnlink, .flushEnd)
    let judgement = try blind.judge(model: "pt_s3.dot")
    // Unlink, flush and install may be missing; that the destructor came before the queue is not.
    expect(judgement, .violated, reason: "not recorded here: pt_install, pt_unlink, tlb_invalidate")
    #expect(judgement.causes == ["event pt_queue_table not expected in the state destructed"])
    let s3 = Trace {
      $0.born(1)
      $0.s3([1])
    }.flushing()
    expect(try s3.without(.tableInstall, .flushEnd).judge(model: "pt_s3.dot"), .holds)
    expect(try s3.missing(.callRCU, .callbackStart).judge(model: "pt_s3.dot"), .holds)
    expect(
      try s1.without(.gracePeriodEnd, .gracePeriodStart, .synchronizeEnd)
        .judge(model: "gp_before_dtor.ltl"),
      .inconclusive, reason: "nothing it forbids can be told")
    expect(
      try s1.missing(.tableAlloc).judge(model: "pt_s3.dot"), .inconclusive,
      reason: "two lives of one table may look like one")
  }

  @Test func anInferredEventDecidesNothing() throws {
    let trace = Trace {
      $0.born(1)
      $0.unlink(1, flags: .inferred)
      $0.unlink(1, flags: .inferred)
      $0.install(1, flags: .inferred)
    }
    #expect(try trace.judge(model: "dtor_then_free.ltl").violations == 0)
    let model = try Model(
      Array(
        DotReaderTests.dot(
          ["a", "b"],
          [
            "\"a\" -> \"b\" [ label = \"pt_alloc\" ];", "\"b\" -> \"a\" [ label = \"pt_unlink\" ];",
          ]
        ).utf8), file: "m.dot")
    expect(trace.judge(model), .holds)
  }

  @Test func neverStartedIsVacuous() throws {
    let trace = Trace { $0.emit(.mmNew, Trace.mm) }
    expect(try trace.judge(model: "pt_s3.dot"), .vacuous, reason: "no table started it")
    expect(try trace.judge(model: "gp_before_dtor.ltl"), .vacuous)
  }

  // MARK: - Time

  /// retention.dot wants a dead table's page back within the limit, 100 us here.
  @Test func clocksAreKept() throws {
    func trace(_ nanoseconds: UInt64, freed: Bool) -> Trace {
      Trace {
        $0.born(1)
        $0.unlink(1)
        let unlinked = $0.events.last!.time
        var last = Event(freed ? .tableFree : .mmNew, time: unlinked + nanoseconds, object: 1)
        last.arg0 = freed ? 1 : 0
        $0.append(last)
      }
    }
    expect(try trace(100_000, freed: true).judge(model: "retention.dot"), .holds)
    let late = try trace(100_001, freed: true).judge(model: "retention.dot")
    #expect(late.causes == ["still in the state dead, which wants clk<limit"])
    // The kernel's timer fires without an event of the object; so does the end of the trace.
    expect(try trace(100_001, freed: false).judge(model: "retention.dot"), .violated)
    expect(try trace(99_999, freed: false).judge(model: "retention.dot"), .holds)
    var counted = trace(100_001, freed: true)
    counted.header.clock = Clock(name: "counter", unitsPerSecond: nil)
    expect(try counted.judge(model: "retention.dot"), .holds)
  }

  @Test func guardsAreKept() throws {
    let model = try Model(
      Array(
        DotReaderTests.dot(
          ["a", "b"],
          [
            "\"a\" -> \"b\" [ label = \"pt_alloc;reset(clk)\" ];",
            "\"b\" -> \"a\" [ label = \"pt_free;clk >= 15ns && in_callback == 0\" ];",
          ]
        ).utf8), file: "m.dot")
    let trace = Trace {
      $0.alloc(1)
      $0.free(1)
      $0.alloc(2)
      $0.mmNewForTime()
      $0.free(2)
      $0.alloc(3)
      $0.callback(9) { $0.free(3) }
    }
    let judgement = trace.judge(model)
    #expect(judgement.violations == 2)
    #expect(
      judgement.causes == ["event pt_free in the state b only if clk>=15ns && in_callback==0"])
  }

  private static let example = """
    digraph state_automaton {
    	{node [shape = circle] "allocated"};
    	{node [shape = circle] "constructed"};
    	{node [shape = circle] "destructed"};
    	{node [shape = circle] "gp_done"};
    	{node [shape = circle] "installed"};
    	{node [shape = plaintext, style=invis, label=""] "__init_none"};
    	{node [shape = doublecircle] "none"};
    	{node [shape = circle] "queued"};
    	{node [shape = circle] "rcu_wait"};
    	{node [shape = circle] "unlinked"};
    	"__init_none" -> "none";
    	"allocated" [label = "allocated"];
    	"allocated" -> "constructed" [ label = "pt_ctor" ];
    	"allocated" -> "none" [ label = "pt_free" ];
    	"constructed" [label = "constructed"];
    	"constructed" -> "destructed" [ label = "pt_dtor" ];
    	"constructed" -> "installed" [ label = "pt_install" ];
    	"destructed" [label = "destructed"];
    	"destructed" -> "none" [ label = "pt_free" ];
    	"gp_done" [label = "gp_done"];
    	"gp_done" -> "destructed" [ label = "pt_dtor" ];
    	"installed" [label = "installed"];
    	"installed" -> "installed" [ label = "pt_move\\nread_access" ];
    	"installed" -> "unlinked" [ label = "pt_unlink" ];
    	"none" [label = "none", color = green3];
    	"none" -> "allocated" [ label = "pt_alloc" ];
    	"queued" [label = "queued"];
    	"queued" -> "queued" [ label = "read_access\\ntlb_invalidate" ];
    	"queued" -> "rcu_wait" [ label = "rcu_queue" ];
    	"rcu_wait" [label = "rcu_wait"];
    	"rcu_wait" -> "gp_done" [ label = "cb_start" ];
    	"rcu_wait" -> "rcu_wait" [ label = "read_access" ];
    	"unlinked" [label = "unlinked"];
    	"unlinked" -> "installed" [ label = "pt_install" ];
    	"unlinked" -> "queued" [ label = "tlb_queue" ];
    	"unlinked" -> "unlinked" [ label = "read_access\\ntlb_invalidate" ];
    	{ rank = min ;
    		"__init_none";
    		"none";
    	}
    }
    """
}

extension Trace {
  /// Lets ten nanoseconds pass.
  fileprivate mutating func mmNewForTime() { emit(.mmNew, Trace.mm) }

  /// The same trace with an invalidation of the mm before each `call_rcu` and each fallback.
  fileprivate func flushing() -> Trace {
    var events: [Event] = []
    for event in self.events {
      if event.kind == .callRCU || event.kind == .tableFallback {
        for kind in [EventKind.flushStart, .flushEnd] {
          events.append(
            Event(
              kind, time: event.time, cpu: event.cpu, task: event.task, object: Trace.mm,
              arg1: .max))
        }
      }
      events.append(event)
    }
    return Trace(events: events, capabilities: header.capabilities)
  }
}
