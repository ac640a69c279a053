import Testing
import TraceFormat

@testable import Replay

@Suite struct DotReaderTests {
  /// A model with these edges; the first state is the initial one.
  static func dot(_ states: [String], _ lines: [String], tail: [String] = []) -> String {
    (["digraph state_automaton {"]
      + states.map { "\t{node [shape = circle] \"\($0)\"};" }
      + [
        "\t{node [shape = plaintext, style=invis, label=\"\"] \"__init_\(states[0])\"};",
        "\t\"__init_\(states[0])\" -> \"\(states[0])\";",
      ] + lines.map { "\t" + $0 } + tail + ["}"]).joined(separator: "\n") + "\n"
  }

  private func model(
    _ text: String, define: [String] = [], binding: ObjectBinding? = nil
  ) throws(TraceError) -> Model {
    var definitions = ModelDefinitions()
    for definition in define {
      let isDefined = definitions.define(definition)
      #expect(isDefined)
    }
    return try Model(Array(text.utf8), file: "m.dot", binding: binding, definitions: definitions)
  }

  private func automaton(_ text: String, define: [String] = []) throws -> Automaton {
    guard case .automaton(let automaton) = try model(text, define: define).core else {
      preconditionFailure()
    }
    return automaton
  }

  @Test func statesAreSortedAfterTheInitialOneAndCommasBecomeUnderscores() throws {
    let automaton = try automaton(
      Self.dot(
        ["m", "z,1", "a"],
        [
          "\"m\" -> \"z,1\" [ label = \"pt_alloc\" ];",
          "\"z,1\" -> \"a\" [ label = \"pt_ctor\\npt_install\" ];",
          "\"a\" [label = \"a\"];",
          "\"a\" -> \"m\" [ label = \"pt_free\" ];",
        ]))
    #expect(automaton.states == ["m", "a", "z_1"])
    #expect(automaton.events == ["pt_alloc", "pt_ctor", "pt_free", "pt_install"])
    #expect(automaton.next(2, 1) == 1 && automaton.next(2, 3) == 1 && automaton.next(0, 3) == -1)
    #expect(automaton.isFinal == [true, false, false])
    #expect(automaton.start(0) == .startRun && automaton.start(2) == .start)
    #expect(automaton.start(1) == .none)
  }

  /// dot2k of 6.1 takes the last word of a label, rvgen joins the words.
  @Test func wordsOfALabelAreJoined() throws {
    let text = Self.dot(["a"], ["\"a\" -> \"a\" [ label = \"pt_ install\" ];"])
    let model = try model(text)
    #expect(model.symbols.map(\.name) == ["pt_install"])
    #expect(model.notes.count == 1 && model.notes[0].hasPrefix("m.dot:5:23: dot2k of 6.1"))
  }

  @Test func whatTheKernelPassesOverIsNoted() throws {
    let text = Self.dot(
      ["a"], ["\"a\" -> \"a\" [ label = \"pt_install\" ];"],
      tail: ["", "\t\"a\" -> \"a\" [ label = \"pt_unlink\" ];"])
    let model = try model(text)
    #expect(model.symbols.map(\.name) == ["pt_install"])
    #expect(
      model.notes == [
        "m.dot:7:2: this edge is passed over: the first line that does not begin with a quote ends the edges"
      ])
  }

  @Test func aLaterEdgeReplacesAnEarlierOne() throws {
    let text = Self.dot(
      ["a", "b"],
      [
        "\"a\" -> \"b\" [ label = \"pt_install\" ];", "\"b\" -> \"a\" [ label = \"pt_free\" ];",
        "\"b\" -> \"b\" [ label = \"pt_free\" ];",
      ])
    #expect(try automaton(text).next(1, 0) == 1)
    #expect(try model(text).notes.count == 1)
  }

  private static let alloc = "\"a\" -> \"b\" [ label = \"pt_alloc\" ];"

  /// What is wrong, and what the error says.
  static let errors: [(String, String)] = [
    ("", "m.dot: is empty"),
    ("graph x {\n", "m.dot:1:1: no model of the kernel's dialect"),
    ("digraph state_automaton {\n}\n", "m.dot:2:1: no states"),
    (
      dot(["a", "b"], [alloc.replacing("pt_alloc", with: "pt_aloc")]),
      "m.dot:6:24: no event is called 'pt_aloc'; did you mean 'pt_alloc'?"
    ),
    (dot(["a", "b", "c"], [alloc]), "m.dot:4:25: state 'c' cannot be reached from 'a'"),
    (dot(["a"], [alloc]), "m.dot:5:9: 'b' is no state of this model"),
    (
      dot(["a", "b"], ["\"a\" -> \"b\" [label = \"pt_alloc\"];"]),
      "m.dot:6:13: an edge without an event"
    ),
    (dot(["a", "b"], ["\"a\" -> \"b\" ;"]), "m.dot:6:13: an edge without an event"),
    (dot(["a", "b"], [alloc, "\"b\" here"]), "m.dot:7:2: neither an edge nor a state's label"),
    (dot(["a", "b"], []), "m.dot:6:1: no edges"),
    (
      "digraph state_automaton {\n\t{node [shape = circle] \"a\"};\n\t\"a\" -> \"a\" [ label = \"pt_free\" ];\n",
      "m.dot:2:2: no initial state"
    ),
    (
      dot(
        ["a", "b"], [alloc.replacing("pt_alloc", with: "pt_alloc;clk<10ms;reset(clk);reset(clk)")]),
      "m.dot:6:24: an event has more than one guard and one reset"
    ),
    (
      dot(["a", "b"], [alloc.replacing("pt_alloc", with: "pt_alloc;is_defer == 1")]),
      "m.dot:6:24: 'is_defer' is not known here"
    ),
    (
      dot(["a", "b"], [alloc.replacing("pt_alloc", with: "pt_alloc;clk < LIMIT_NS()")]),
      "m.dot:6:24: the value of 'LIMIT_NS()' is decided in the kernel; give one with --define LIMIT_NS=VALUE"
    ),
    (
      dot(["a", "b"], [alloc.replacing("pt_alloc", with: "pt_alloc;clk < 3j")]),
      "m.dot:6:24: the length of a jiffy is not known here"
    ),
    (
      dot(["a", "b"], [alloc.replacing("pt_alloc", with: "pt_alloc;clk")]),
      "m.dot:6:24: 'clk' is no constraint"
    ),
    (
      dot(["a", "b"], [alloc, "\"b\" [label = \"b\\nclk > 10ms\"];"]),
      "m.dot:7:16: 'clk>10ms' cannot be a state's invariant"
    ),
    (
      dot(["a", "b"], [alloc.replacing("pt_alloc", with: "call_rcu\\nrd_exit")]),
      "m.dot:6:34: 'rd_exit' never concerns a callback, as the other events do"
    ),
    (
      dot(["a", "b"], [alloc.replacing("pt_alloc", with: "read_access\\nrd_load")]),
      "m.dot:6:24: 'read_access' and 'rd_load' are names of one event"
    ),
  ]

  @Test(arguments: errors)
  func errorsSayWhere(_ text: String, _ message: String) {
    let error = #expect(throws: TraceError.self) { try model(text) }
    #expect(error.map { "\($0)" }?.hasPrefix(message) == true, "\(error.map { "\($0)" } ?? "")")
  }

  @Test func anEventOfAnotherObjectIsRefusedWhenBound() {
    let error = #expect(throws: TraceError.self) {
      try model(Self.dot(["a", "b"], [Self.alloc]), binding: .callback)
    }
    #expect(
      error?.description.hasPrefix("m.dot:6:24: 'pt_alloc' never concerns a callback") == true)
  }

  /// kernel-facts §9.1.6: guards, resets, invariants, units, definitions.
  @Test func hybridAutomataAreRead() throws {
    let automaton = try automaton(
      Self.dot(
        ["a", "b"],
        [
          "\"a\" -> \"b\" [ label = \"pt_unlink;reset(clk)\" ];",
          "\"b\" -> \"a\" [ label = \"pt_free;clk >= 2us && clk < LIMIT || in_callback == 1\" ];",
          "\"b\" [label = \"b\\nclk < threshold_jiffies\"];",
        ]), define: ["LIMIT=3ms", "threshold_jiffies=2", "HZ=250"])
    #expect(automaton.clocks == ["clk"])
    #expect(automaton.resets == [1: 0])
    let condition = try #require(automaton.guards[2])
    #expect(condition.alternatives.map { $0.map(\.value) } == [[2_000, 3_000_000], [1]])
    #expect(automaton.invariants[1]?.value == 8_000_000)
    func holds(_ clock: UInt64?, _ inCallback: UInt64?) -> Bool? {
      condition.holds { $0 == .clock(0) ? clock : inCallback }
    }
    #expect(holds(2_000, 0) == true && holds(1_999, 0) == false && holds(1_999, 1) == true)
    #expect(holds(nil, 0) == nil && holds(nil, 1) == true)
  }

  /// Nothing a file can hold crashes the reader.
  @Test func damagedModelsNeverTrap() {
    let text = Self.dot(
      ["a", "b"],
      [
        "\"a\" -> \"b\" [ label = \"pt_unlink;reset(clk)\\npt_alloc\" ];",
        "\"b\" -> \"a\" [ label = \"pt_free;clk >= 2us && clk < 3ms\" ];",
        "\"b\" [label = \"b\\nclk < 5ms\"];",
      ])
    let rule =
      "A = PT_FREE or (not PT_DTOR)\nRULE = always (PT_UNLINK imply next (A until GP_END))\n"
    for (name, whole) in [("m.dot", text), ("m.ltl", rule)] {
      for seed in UInt64(0)..<400 {
        var random = SplitMix64(seed: seed)
        var bytes = Array(whole.utf8)
        for _ in 0...random.below(4) {
          let place = random.below(bytes.count)
          switch random.below(4) {
          case 0: bytes.remove(at: place)
          case 1: bytes[place] = UInt8.random(in: 0...255, using: &random)
          case 2: bytes.insert(bytes[random.below(bytes.count)], at: place)
          default: bytes.removeSubrange(place...min(place + random.below(9), bytes.count - 1))
          }
          if bytes.isEmpty { bytes = [10] }
        }
        _ = try? Model(bytes, file: name)
      }
    }
  }
}
