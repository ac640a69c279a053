import Testing
import TraceFormat

@testable import Replay

/// The exit code of a check: the first that applies of 1, 3, 0 (2 is the tool's own).
@Suite struct ExitCodeTests {
  private let good = Trace {
    $0.born(1, locks: true); $0.s3([1], locks: true)
  }
  private let bad = Trace {
    $0.born(1); $0.s1([1])
  }
  private let torn = Trace {
    $0.born(1); $0.queueBatch([1]); $0.hole(); $0.runBatch([1])
  }

  private func code(_ trace: Trace, _ set: (inout CheckOptions) -> Void = { _ in }) -> Int32 {
    var options = CheckOptions()
    set(&options)
    return trace.check(options).exitCode
  }

  @Test func plain() {
    #expect(code(good) == 0)
    #expect(code(bad) == 1)
    #expect(code(torn) == 3)
  }

  @Test func violationComesBeforeInconclusive() {
    let both = Trace {
      $0.born(1, 2); $0.s1([1]); $0.queueBatch([2]); $0.hole(); $0.runBatch([2])
    }
    #expect(code(both) == 1)
    #expect(code(both) { $0.skip = ["I13", "I14"] } == 3)
  }

  @Test func nothingExercisedIsNotEverythingHolds() {
    #expect(code(Trace { $0.gp() }) == 3)
    #expect(code(good) { $0.only = ["I18"] } == 3)
    #expect(
      code(good) {
        $0.only = ["I13"]; $0.skip = ["I13"]
      } == 3)
  }

  @Test func strictCountsVacuous() {
    #expect(code(good) { $0.strict = true } == 3)
    #expect(
      code(good) {
        $0.strict = true; $0.only = ["I13", "I14"]
      } == 0)
  }

  @Test func notApplicableIsNoObstacle() {
    let page = Trace {
      $0.born(1); $0.pagePath(1)
    }
    #expect(
      code(page) {
        $0.strict = true; $0.only = ["I07", "I12"]
      } == 0)
  }

  @Test func askedForAndNotRecorded() {
    let blind = good.without(.readerAccess)
    #expect(code(blind) == 0)
    #expect(code(blind) { $0.only = ["I18"] } == 3)
  }

  @Test func exactlyTheExpectedFindings() {
    #expect(code(bad) { $0.expect = ["I14", "I13"] } == 0)
    #expect(code(bad) { $0.expect = ["I13"] } == 1)
    #expect(code(bad) { $0.expect = ["I13", "I14", "I20"] } == 1)
    #expect(code(bad) { $0.expect = [] } == 1)
    #expect(code(good) { $0.expect = [] } == 0)
    #expect(code(good) { $0.expect = ["I13"] } == 1)
    #expect(
      code(bad) {
        $0.expect = ["I13"]; $0.only = ["I13"]
      } == 0)
  }

  @Test func expectedAndInconclusiveBesides() {
    let both = Trace {
      $0.born(1); $0.s1([1]); $0.alloc(2); $0.ctor(2); $0.hole(); $0.free(2)
    }
    #expect(code(both) { $0.expect = ["I13", "I14"] } == 3)
  }

  @Test(arguments: ["I99", "i13", ""]) func unknownIds(_ id: String) {
    var options = CheckOptions()
    options.only = [id]
    let error = #expect(throws: TraceError.self) { try Checker(options: options) }
    #expect(error?.what == "no such invariant")
    #expect(error?.hint.contains("I13") == true)
  }

  @Test func judgementsComeInTheOrderOfTheRegistry() {
    var options = CheckOptions()
    options.only = ["I36", "I01", "I22b"]
    #expect(good.check(options).judgements.map(\.invariant.id) == ["I01", "I22b", "I36"])
  }

  @Test func lossesAreCounted() {
    let result = Trace {
      $0.loss(cpu: 0, count: 7); $0.lossEnd(cpu: 0); $0.loss(cpu: 1, count: Event.unknownCount)
    }.check()
    #expect(result.losses.map(\.ordinal) == [0, 2])
    #expect(result.lost == 7)
  }
}
