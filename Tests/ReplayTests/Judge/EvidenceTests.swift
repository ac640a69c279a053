import Testing
import TraceFormat

@testable import Replay

/// The events a finding rests on are fetched, and the history tells them in order.
@Suite struct EvidenceTests {
  private let trace = Trace {
    $0.born(1); $0.s1([1])
  }

  @Test(arguments: [1, 4, 4096]) func fetchesEveryStep(_ batchSize: Int) throws {
    let result = trace.check(batchSize: batchSize)
    let source = trace.source(batchSize: batchSize)
    source.setTaskName("ptwork", of: 100)
    let evidence = try Evidence(for: result, from: source)
    for judgement in result.judgements {
      for candidate in judgement.findings.flatMap(\.exemplars) {
        for step in History(of: candidate).steps {
          let fetched = try #require(evidence[step.ordinal])
          #expect(fetched.kind == trace.events[Int(step.ordinal)].kind)
        }
      }
    }
    #expect(evidence.taskName(100) == "ptwork")
    #expect(evidence.taskName(4711) == nil)
    #expect(evidence[2] != nil && evidence[1_000_000] == nil)
  }

  @Test func historyEndsHere() throws {
    let finding = try #require(trace.judge("I14").findings.first?.exemplars.first)
    let steps = History(of: finding).steps
    #expect(
      steps.map(\.role) == [
        "allocated", "constructed", "installed", "unlinked", "destructed", "queued", "call_rcu",
        "callback started", "here",
      ])
    #expect(steps.map(\.ordinal) == steps.map(\.ordinal).sorted())
    #expect(steps.last?.ordinal == finding.ordinal)
  }

  @Test func withoutFindingsNothingIsRead() throws {
    let legal = Trace {
      $0.born(1); $0.s3([1])
    }
    let source = legal.source(batchSize: 1)
    _ = try Evidence(for: legal.check(), from: source)
    var batch = EventBatch()
    #expect(source.next(into: &batch) && batch.firstOrdinal == 0)
  }

  @Test func exemplarsAreTheFirstOnes() {
    var options = CheckOptions()
    options.maxFindings = 2
    let many = Trace {
      for pfn in UInt64(1)...5 { $0.born(pfn); $0.s1([pfn]) }
    }
    let group = many.check(options).judgements.first { $0.invariant.id == "I13" }!.findings[0]
    #expect(group.count == 5)
    #expect(group.exemplars.map { $0.table?.pfn } == [1, 2])
  }
}
